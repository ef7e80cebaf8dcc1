"""Rows that were altered by hand are named by `nw-fleet ledger verify`; and its other verbs say what they did."""

import json

import pytest
from click.testing import CliRunner
from fleet_seeded import blank, clock, fleet
from fleet_town import town
from nacl.signing import SigningKey
from sqlalchemy import delete, select, update

from fleet.cli import cli
from fleet.ratings.ledger.audit import audit
from fleet.ratings.ledger.tables import ledger_entries, ledger_heads, ledger_statements, ledger_tiles
from fleet.ratings.tables import ratings
from wire.note import COSIGNATURE, sign_note, verifier_key

__all__ = ["blank", "clock", "fleet", "town"]


def run(town, *arguments):
    return CliRunner().invoke(cli, ["ledger", arguments[0], "--data", str(town.fleet.data), *arguments[1:]])


@pytest.fixture
def position(town):
    town.month()
    return next(row.position for row in town.entries() if row.window == "12" and row.level == 1)


def alter(town, table, where, **values):
    with town.fleet.store.write() as connection:
        assert connection.execute(update(table).where(where).values(**values)).rowcount == 1


CHANGES = [
    ({"level": 5}, "its leaf does not open"),
    ({"scalar": b"\x01" * 32}, "its leaf does not open"),
    ({"window": "06"}, "leaf, hall, window or standing differ"),
    ({"standing": "apart"}, "leaf, hall, window or standing differ"),
    ({"data": b'["rating"]'}, "is not the one in the tree"),
    ({"leaf": b"\x05" * 32}, "leaf, hall, window or standing differ"),
]


@pytest.mark.parametrize(("values", "named"), CHANGES)
def test_each_altered_column_of_a_row_is_named_with_its_position(town, position, values, named) -> None:
    assert audit(town.fleet.ledger).faults == []
    alter(town, ledger_entries, ledger_entries.c.position == position, **values)
    found = audit(town.fleet.ledger).faults
    assert any(fault.startswith(f"entry {position} ") and named in fault for fault in found), found


def test_a_row_that_is_gone_is_named(town, position) -> None:
    with town.fleet.store.write() as connection:
        connection.execute(delete(ledger_entries).where(ledger_entries.c.position == position))
    assert f"entry {position} is missing" in audit(town.fleet.ledger).faults


def test_row_and_tree_altered_together_do_not_lead_to_the_signed_head(town, position) -> None:
    from wire.tree import leaf_hash

    data = b'["rating","%s","yunxi","06","counted"]' % (b"0" * 64)
    with town.fleet.store.read() as connection:
        raw = bytearray(connection.execute(select(ledger_tiles.c.hashes).where(ledger_tiles.c.level == 0)).scalar_one())
    raw[position * 32 : position * 32 + 32] = leaf_hash(data)
    alter(town, ledger_entries, ledger_entries.c.position == position, data=data, leaf=None)
    alter(town, ledger_tiles, ledger_tiles.c.level == 0, hashes=bytes(raw))
    assert any("do not lead to its signed head" in fault for fault in audit(town.fleet.ledger).faults)


def test_an_altered_head_or_statement_is_named(town, position) -> None:
    with town.fleet.store.read() as connection:
        note = connection.execute(select(ledger_heads.c.note).where(ledger_heads.c.label == "2026-10-29")).scalar_one()
    forged = sign_note(note.split("\n\n")[0] + "\n", town.fleet.ledger.origin, SigningKey(b"\x03" * 32))
    alter(town, ledger_heads, ledger_heads.c.label == "2026-10-29", note=forged)
    alter(town, ledger_statements, ledger_statements.c.month == "2026-10", body=b"{}")
    found = audit(town.fleet.ledger).faults
    assert any("head after 2026-10-29 was altered" in fault for fault in found)
    assert any("statement of 2026-10 was altered" in fault for fault in found)


def test_a_leaf_that_no_device_handed_over_is_named(town, position) -> None:
    with town.fleet.store.write() as connection:
        leaf = connection.execute(select(ledger_entries.c.leaf).where(ledger_entries.c.position == position)).scalar_one()
        connection.execute(delete(ratings).where(ratings.c.leaf == leaf))
    assert f"entry {position} is a rating that no device handed over" in audit(town.fleet.ledger).faults


def test_verify_exits_with_one_and_names_the_row(town, position) -> None:
    done = run(town, "verify")
    assert (done.exit_code, "everything fits" in done.output) == (0, True), done.output
    alter(town, ledger_entries, ledger_entries.c.position == position, level=5)
    done = run(town, "verify")
    assert done.exit_code == 1
    assert f"entry {position} was altered" in done.output
    assert run(town, "verify", "--no-openings").exit_code == 0


def test_publish_head_proof_dump_and_witness_say_what_they_did(town, position, tmp_path) -> None:
    assert "2026-11" in run(town, "publish").output
    assert "nothing is due" in run(town, "publish").output
    assert town.fleet.ledger.verifier_key in run(town, "head").output
    with town.fleet.store.read() as connection:
        code = connection.execute(select(ratings.c.receipt).where(ratings.c.window == "12").limit(1)).scalar_one()
    (proof,) = json.loads(run(town, "proof", code).output)
    assert json.loads(proof["entry"])[3] == "12"
    assert "bytes" in run(town, "dump", "2026-10", "--out", str(tmp_path / "dump")).output
    assert run(town, "verify", "--dump", str(tmp_path / "dump")).exit_code == 0
    key = verifier_key("hall-archive", bytes(SigningKey(b"\x09" * 32).verify_key), kind=COSIGNATURE)
    assert run(town, "witness", key).output == "hall-archive may cosign\n"


def test_a_month_that_is_not_published_is_told_before_a_file_is_made(town, position, tmp_path) -> None:
    done = run(town, "dump", "2027-10", "--out", str(tmp_path / "dump"))
    assert "not published" in str(done.exception)
    assert not (tmp_path / "dump").exists()
