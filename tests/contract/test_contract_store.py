"""What both databases have to do alike: the store's contract, run on SQLite and on a private PostgreSQL."""

import threading

import pytest
from fleet_model import ModelDevice, register
from sqlalchemy import func, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError

import fleet.app  # noqa: F401 - every feature's tables
from fleet.registry.tables import tenants
from fleet.store import StoreError, StoreNewer, create_store, metadata, open_store
from fleet.store.migrate import VERSION_TABLE
from fleet.store.schema import SCHEMAS
from fleet.store.tables import entries, journals

JOURNAL = {
    "journal_id": b"j" * 16, "tenant": "t", "device": "d", "signing_key": b"k", "hash": b"", "first_ms": 0, "last_ms": 0,
}  # fmt: skip


@pytest.fixture
def made(location):
    create_store(location)
    return location


def test_a_new_store_has_every_table_that_the_code_knows(made):
    store = open_store(made, writes="fleet")
    inspector = inspect(store.engine)
    for schema in SCHEMAS:
        there = set(inspector.get_table_names(schema=schema)) - {VERSION_TABLE}
        assert there == {table.name for table in metadata.tables.values() if table.schema == schema}
    store.close()


def test_migrated_tables_have_the_columns_that_the_code_knows(made):
    store = open_store(made, writes="fleet")
    inspector = inspect(store.engine)
    for table in metadata.tables.values():
        there = {column["name"]: column["nullable"] for column in inspector.get_columns(table.name, schema=table.schema)}
        wanted = {column.name: bool(column.nullable) for column in table.columns}
        assert there == wanted, table.fullname
    store.close()


def test_making_a_store_twice_changes_nothing(made):
    first = open_store(made, writes="fleet").incarnation
    create_store(made)
    assert open_store(made, writes="fleet").incarnation == first


def test_every_store_has_an_incarnation_of_its_own(made, tmp_path):
    create_store(tmp_path / "other")
    other = open_store(tmp_path / "other", writes="fleet").incarnation
    assert len(other) == 16
    assert open_store(made, writes="fleet").incarnation != other


def test_what_was_written_is_there_after_opening_again(made):
    store = open_store(made, writes="fleet")
    with store.write() as connection:
        connection.execute(insert(tenants).values(name="a", title={"zh": "云溪"}))
    store.close()
    with open_store(made, writes="fleet").read() as connection:
        assert connection.execute(select(tenants.c.title)).scalar_one() == {"zh": "云溪"}


def test_an_exception_rolls_everything_back(made):
    store = open_store(made, writes="fleet")

    def fail():
        with store.write() as connection:
            connection.execute(insert(tenants).values(name="a", title={}))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(tenants)).scalar_one() == 0


def test_changes_in_a_read_are_never_kept(made):
    store = open_store(made, writes="fleet")
    with store.read() as connection:
        connection.execute(insert(tenants).values(name="a", title={}))
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(tenants)).scalar_one() == 0


def test_an_entry_cannot_be_stored_twice(made):
    store = open_store(made, writes="journal")
    row = {
        "journal_no": 1, "seq": 1, "kind": "x", "kind_version": 1, "wall_ms": 0, "clock_trust": 0, "received_ms": 0,
        "hash": b"", "salt": b"", "body": b"",
    }  # fmt: skip
    with store.write() as connection:
        connection.execute(insert(entries).values(row))
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(insert(entries).values(row))


def test_entry_numbers_grow_in_the_order_of_insertion(made):
    store = open_store(made, writes="journal")
    common = dict.fromkeys(("kind_version", "wall_ms", "clock_trust", "received_ms"), 0)
    common |= {"kind": "x", "hash": b"", "salt": b"", "body": b""}
    with store.write() as connection:
        connection.execute(insert(entries), [{"journal_no": n % 3, "seq": n, **common} for n in range(1, 50)])
    with store.read() as connection:
        assert [seq for (seq,) in connection.execute(select(entries.c.seq).order_by(entries.c.no))] == list(range(1, 50))


def test_the_largest_numbers_of_the_protocol_fit(made):
    store = open_store(made, writes="journal")
    with store.write() as connection:
        connection.execute(
            insert(journals).values(
                journal_id=b"j" * 16,
                tenant="t",
                device="d",
                signing_key=b"k",
                seq=2**63 - 1,
                hash=b"",
                first_ms=2**53 - 1,
                last_ms=0,
            )
        )
    with store.read() as connection:
        assert connection.execute(select(journals.c.seq, journals.c.first_ms)).one() == (2**63 - 1, 2**53 - 1)


def test_the_serve_side_sees_what_ingest_commits_and_the_reverse(made):
    serve, ingest = open_store(made, writes="fleet"), open_store(made, writes="journal")
    device = ModelDevice()
    register(serve, device)
    with ingest.read() as connection:
        assert connection.execute(text("SELECT name FROM fleet.devices")).scalar_one() == device.name
    with ingest.write() as connection:
        connection.execute(insert(journals).values(**JOURNAL))
    with serve.read() as connection:
        assert connection.execute(select(func.count()).select_from(journals)).scalar_one() == 1


def test_threads_that_write_at_once_all_get_through(made):
    store = open_store(made, writes="fleet")
    failures = []

    def work(number):
        try:
            for step in range(10):
                with store.write() as connection:
                    connection.execute(insert(tenants).values(name=f"t{number}-{step}", title={}))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with store.read() as connection:
        assert (failures, connection.execute(select(func.count()).select_from(tenants)).scalar_one()) == ([], 80)


def test_a_store_of_a_later_release_is_refused_by_name(made):
    store = open_store(made, writes="fleet")
    with store.write() as connection:
        connection.execute(text(f"UPDATE fleet.{VERSION_TABLE} SET version_num='fleet_9999'"))
    store.close()
    with pytest.raises(StoreNewer, match="schema fleet was migrated by a later release"):
        open_store(made, writes="fleet")
    with pytest.raises(StoreNewer):
        create_store(made)


def test_a_store_that_waits_for_migration_says_so(made):
    store = open_store(made, writes="journal")
    with store.write() as connection:
        connection.execute(text(f"DELETE FROM journal.{VERSION_TABLE}"))
    store.close()
    with pytest.raises(StoreError, match="waits for migration; stop the fleet and run `nw-fleet init`"):
        open_store(made, writes="fleet")


def test_a_damaged_file_is_explained_not_traced(tmp_path):
    create_store(tmp_path)
    (tmp_path / "fleet.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match=r"cannot be opened: file is not a database\. Start it"):
        open_store(tmp_path, writes="fleet")


def test_a_database_server_that_is_away_is_explained_without_the_password(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened") as caught:
        open_store(f"postgresql+psycopg://fleet:secret@/x?host={tmp_path}", writes="fleet")
    with pytest.raises(StoreError, match="cannot be opened"):
        create_store(f"postgresql+psycopg://fleet:secret@/x?host={tmp_path}")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("location", ["nonsense://x", "postgresql+psycopg://"])
def test_an_address_that_is_none_is_refused(location):
    with pytest.raises(StoreError):
        open_store(location, writes="fleet")
