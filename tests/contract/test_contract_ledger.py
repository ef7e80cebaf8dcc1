"""The public ledger on both databases: days, cells, proofs and the verifier come out alike."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
from fleet_places import blank_database, blank_store, made_store
from nacl.signing import SigningKey
from sqlalchemy import insert, select, update

import fleet.app  # noqa: F401 - every feature's tables
from fleet.ratings.ledger import ledger_verify
from fleet.ratings.ledger.audit import audit
from fleet.ratings.ledger.dump import dump_lines
from fleet.ratings.ledger.service import Ledger
from fleet.ratings.ledger.tables import ledger_entries, ledger_tiles
from fleet.ratings.tables import ratings
from fleet.registry.records import Hall, Tenant
from fleet.registry.service import Registry
from fleet.store import open_store
from wire.leaf import leaf, new_secret
from wire.tree import check_consistency

__all__ = ["blank_database", "blank_store", "made_store"]
DAY_MS = 86_400_000
FIRST_MS = 1_793_116_800_000
"""2026-10-28, 00:00 in the hall."""


class County:
    """A ledger over an empty store, and ratings put straight into the read model."""

    def __init__(self, location: str) -> None:
        self.now = FIRST_MS
        self.store = open_store(location, writes="fleet")
        registry = Registry(self.store)
        registry.put(Tenant(name="county", title={"zh": "县"}))
        registry.put(Hall(code="yunxi", tenant="county", title={"zh": "云溪"}))
        self.ledger = Ledger(self.store, registry, tenant="county", key=SigningKey(b"\x02" * 32), clock_ms=lambda: self.now)
        self.numbers = itertools.count(1)

    def rate(self, count: int, *, at_ms: int, window: str = "12", standing: str = "counted") -> None:
        rows = []
        for number in itertools.islice(self.numbers, count):
            level, secret = 5 - number % 5, new_secret()
            row = {"journal_no": 1, "rating": number.to_bytes(16, "big"), "device": "nwx", "hall": "yunxi", "window": window}
            row |= dict.fromkeys(("clerk", "item", "stage", "channel", "via", "how", "tag_set"), "")
            row |= {"at_ms": at_ms, "clock_trust": 2, "day": "2026-10-28", "hour": 9, "level": level, "secret": secret}
            row |= {"leaf": leaf(level, secret), "presses": 1, "standing_of": standing, "outcome": "rated", "reasons": []}
            rows.append(row | {"language": "zh", "profile": "standard", "duration_ms": 0})
        with self.store.write() as connection:
            connection.execute(insert(ratings), rows)


@pytest.fixture
def county(made_store):
    made = County(made_store)
    yield made
    made.store.close()


def test_days_of_all_sizes_extend_tiles_and_stay_consistent(county) -> None:
    """Sizes around the tile's 256, so that tiles are begun, filled exactly and overflown."""
    heads = []
    for day, count in enumerate((1, 250, 300, 2)):
        county.rate(count, at_ms=FIRST_MS + day * DAY_MS)
        county.now = FIRST_MS + (day + 1) * DAY_MS + 3_600_000
        heads += county.ledger.keep_up()
    assert audit(county.ledger).faults == []
    for first, second in itertools.combinations(heads, 2):
        check_consistency(first.size, second.size, county.ledger.consistency(first.size, second.size), first.root, second.root)
    with county.store.read() as connection:
        tiles = connection.execute(select(ledger_tiles.c.level, ledger_tiles.c.number).order_by(ledger_tiles.c.level)).all()
    assert [tuple(each) for each in tiles][-1] == (1, 0)
    for position in (0, 255, 256, 511, 512, heads[-1].size - 1):
        found = county.ledger.proof(position)
        assert found is not None
        assert found.sound


def test_a_month_passes_the_verifier_and_an_altered_row_is_named(county, tmp_path: Path) -> None:
    county.rate(33, at_ms=FIRST_MS)
    county.rate(8, at_ms=FIRST_MS, window="13")
    county.rate(7, at_ms=FIRST_MS, window="14")
    county.rate(12, at_ms=FIRST_MS, standing="uninvited")
    county.now = FIRST_MS + 5 * DAY_MS
    county.ledger.keep_up()
    statement = json.loads(county.ledger.statement("2026-10") or b"")
    assert [(cell["kind"], cell["n"]) for cell in statement["cells"]] == [("window", 30), ("hall", 10)]
    assert statement["apart"]["n"] == 12
    dump = tmp_path / "dump"
    dump.write_text("".join(dump_lines(county.ledger, "2026-10")), encoding="utf-8")
    done = subprocess.run([sys.executable, str(ledger_verify.__file__), str(dump)], capture_output=True, text=True)
    assert (done.returncode, "everything fits" in done.stdout) == (0, True), done.stdout + done.stderr
    with county.store.write() as connection:
        connection.execute(
            update(ledger_entries).where(ledger_entries.c.window == "14", ledger_entries.c.level == 1).values(level=5)
        )
    assert any("its leaf does not open" in fault for fault in audit(county.ledger).faults)


def test_a_batch_that_fails_leaves_nothing_behind(county) -> None:
    county.rate(300, at_ms=FIRST_MS)
    with county.store.write() as connection:
        connection.execute(update(ratings).where(ratings.c.level == 1).values(secret=None))
    county.now = FIRST_MS + 2 * DAY_MS
    with pytest.raises(ValueError, match="nw-fleet rebuild"):
        county.ledger.keep_up()
    with county.store.read() as connection:
        assert connection.execute(select(ledger_entries.c.position)).all() == []
        assert connection.execute(select(ratings.c.no).where(ratings.c.in_ledger.is_(True))).all() == []
