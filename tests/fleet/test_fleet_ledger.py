"""The ledger from presses to heads, proofs and sums: what is in the log, when, and that nothing is opened twice or alone."""

import json
from collections import Counter
from datetime import date

import pytest
from fleet_seeded import NOW_MS, blank, clock, fleet
from fleet_town import DAY_MS, FIRST_MS, town
from nacl.signing import SigningKey
from sqlalchemy import insert, select, update

from fleet.ratings.ledger.log import LedgerError
from fleet.ratings.ledger.tables import ledger_entries
from fleet.ratings.tables import rating_exclusions, ratings
from fleet.serving import Serving
from wire.leaf import opens
from wire.note import COSIGNATURE, Checkpoint, check_note, cosign, read_checkpoint, read_note, verifier_key
from wire.signing import BadSignature
from wire.tree import check_consistency, check_inclusion, leaf_hash

__all__ = ["blank", "clock", "fleet", "town"]


def test_each_finished_day_is_one_batch_sorted_by_hash_under_a_signed_head(town) -> None:
    town.month()
    ledger = town.fleet.ledger
    heads = ledger.heads()[::-1]
    assert [head.label for head in heads] == ["2026-10-28", "2026-10-29", "2026-10-30", "2026-10-31", "cells 2026-10"]
    start = 0
    for head in heads:
        note = read_note(head.note)
        check_note(note, ledger.origin, ledger.key)
        assert read_checkpoint(note.text) == Checkpoint(ledger.origin, head.size, head.root)
        hashes = [leaf_hash(row.data) for row in town.entries()[start : head.size]]
        assert hashes == sorted(hashes)
        start = head.size
    kinds = Counter(json.loads(row.data)[0] for row in town.entries())
    assert (kinds["rating"], kinds["device"], kinds["head"], kinds["day"], kinds["cells"]) == (33, 2, 4, 4, 1)


def test_the_services_told_in_the_log_add_up_to_those_given(town) -> None:
    town.month()
    told = Counter()
    for row in town.entries():
        entry = json.loads(row.data)
        if entry[0] == "services":
            told[entry[3]] += entry[4]
    assert told == {"12": 23, "06": 7}


def test_cells_open_to_what_was_pressed_in_whole_fives_and_the_rest_is_carried(town) -> None:
    town.month()
    statement, entries = town.statement("2026-10"), town.entries()
    (cell,) = statement["cells"]
    assert (cell["kind"], cell["places"], cell["n"]) == ("window", [["yunxi", "12", 20]], 20)
    assert cell["levels"] == {"5": 4, "4": 4, "3": 4, "2": 4, "1": 4}
    carried = set(statement["carried"])
    leaves = [bytes(row.leaf) for row in entries if row.window == "12" and row.position not in carried]
    counts = {int(level): count for level, count in cell["levels"].items()}
    assert opens(leaves, counts, [bytes.fromhex(cell["sum"])])
    assert not opens(leaves, counts | {5: 5, 1: 3}, [bytes.fromhex(cell["sum"])])
    assert statement["apart"] is None
    assert statement["apart_waiting"] == 3
    assert len(carried) == 3 + 7


def test_cells_are_cut_where_the_figures_of_windows_are_cut(town) -> None:
    """Else the difference of both would be a window's last few ratings, which figures hold back."""
    town.month()
    groups = town.fleet.ratings.by("window", date(2026, 10, 1), date(2026, 10, 31), hall="yunxi", supervised=False)
    shown = {group.value: {str(level): count for level, count in group.tally.levels.items()} for group in groups}
    (cell,) = town.statement("2026-10")["cells"]
    assert cell["levels"] == shown["12"]
    assert sum(shown["06"].values()) == 5


def test_what_was_carried_is_opened_the_next_month_and_nothing_twice(town) -> None:
    town.month()
    town.rate("12", [5, 5], at_ms=FIRST_MS + 6 * DAY_MS)
    town.rate("06", [4, 4, 4], at_ms=FIRST_MS + 6 * DAY_MS)
    town.rate("06", [2] * 8, at_ms=FIRST_MS + 7 * DAY_MS, invited=False)
    town.deliver()
    town.clock.ms = FIRST_MS + 35 * DAY_MS
    town.fleet.ledger.keep_up()
    statement = town.statement("2026-11")
    (window,) = (cell for cell in statement["cells"])
    assert window["places"] == [["yunxi", "06", 10]]
    assert window["levels"] == {"5": 4, "4": 4, "3": 0, "2": 1, "1": 1}
    assert statement["apart"]["levels"] == {"5": 1, "4": 0, "3": 1, "2": 8, "1": 1}
    assert len(statement["carried"]) == 5


def test_a_late_rating_goes_into_the_day_it_arrives_and_changes_no_head(town) -> None:
    town.month()
    before = town.fleet.ledger.head()
    town.rate("12", [1], at_ms=FIRST_MS + DAY_MS)
    town.deliver()
    town.clock.on(days=1)
    (head,) = town.fleet.ledger.keep_up()
    assert head.label == "2026-11-01"
    assert town.fleet.ledger.head(before.size) == before
    proof = town.fleet.ledger.consistency(before.size, head.size)
    check_consistency(before.size, head.size, proof, before.root, head.root)


def test_a_rebuild_puts_nothing_into_the_log_again(town) -> None:
    town.month()
    town.fleet.projection.rebuild()
    town.clock.on(days=1)
    town.fleet.ledger.keep_up()
    assert sum(row.leaf is not None for row in town.entries()) == 33


def test_no_day_is_appended_twice_or_before_it_is_over(town) -> None:
    town.month()
    with pytest.raises(LedgerError, match="in the ledger already"):
        town.fleet.ledger.append_day(date(2026, 10, 30))
    with pytest.raises(LedgerError, match="not over"):
        town.fleet.ledger.append_day(date(2026, 11, 1))
    assert town.fleet.ledger.keep_up() == []


def test_a_receipt_leads_to_its_entry_with_a_proof_that_checks(town) -> None:
    town.month()
    with town.fleet.store.read() as connection:
        codes = connection.execute(select(ratings.c.receipt, ratings.c.leaf).where(ratings.c.receipt.is_not(None))).all()
    for row in codes:
        (found,) = town.fleet.ledger.receipt(row.receipt)
        assert found.sound
        assert json.loads(found.data)[1] == bytes(row.leaf).hex()
        check_inclusion(leaf_hash(found.data), found.position, found.head.size, found.proof, found.head.root)


def test_a_receipt_of_an_altered_row_is_not_called_sound(town) -> None:
    town.month()
    with town.fleet.store.read() as connection:
        row = connection.execute(select(ratings.c.receipt, ratings.c.leaf).where(ratings.c.window == "12")).first()
    with town.fleet.store.write() as connection:
        altered = update(ledger_entries).where(ledger_entries.c.leaf == row.leaf)
        connection.execute(altered.values(data=b'["rating","00","yunxi","12","counted"]'))
    (found,) = town.fleet.ledger.receipt(row.receipt)
    assert not found.sound


def test_an_upheld_appeal_is_told_as_a_number_of_its_cell_and_opens_nothing_again(town) -> None:
    town.month()
    opened = next(row for row in town.entries() if row.window == "12" and row.opened_in and row.level == 1)
    with town.fleet.store.write() as connection:
        key = connection.execute(select(ratings.c.journal_no, ratings.c.rating).where(ratings.c.leaf == opened.leaf)).one()
        values = {"journal_no": key.journal_no, "rating": key.rating, "order_no": 1, "why": "mistaken", "decided_ms": 1}
        connection.execute(insert(rating_exclusions).values(**values, decided_by="a, b"))
    town.clock.ms = FIRST_MS + 35 * DAY_MS
    town.fleet.ledger.keep_up()
    statement = town.statement("2026-11")
    assert statement["exclusions"] == [{"month": "2026-10", "cell": 0, "good": 0, "negative": 1}]
    assert len(statement["exclusion_commitments"]) == 1
    assert statement["cells"] == []
    assert bytes(opened.leaf).hex() not in json.dumps(statement)
    town.clock.ms = FIRST_MS + 66 * DAY_MS
    town.fleet.ledger.keep_up()
    assert town.statement("2026-12")["exclusions"] == []


def test_witnesses_and_devices_cosign_heads_and_nobody_else(town) -> None:
    town.month()
    ledger, head = town.fleet.ledger, town.fleet.ledger.head()
    text, witness, device = read_note(head.note).text, SigningKey(b"\x09" * 32), town.devices["12"]
    line = cosign(text, "hall-archive", witness, seconds=NOW_MS // 1000)
    with pytest.raises(LedgerError, match="no witness"):
        ledger.take_cosignature(head.size, line)
    ledger.add_witness(verifier_key("hall-archive", bytes(witness.verify_key), kind=COSIGNATURE), by="test")
    ledger.take_cosignature(head.size, line)
    ledger.take_cosignature(head.size, cosign(text, device.name, device.key, seconds=NOW_MS // 1000))
    with pytest.raises(BadSignature):
        ledger.take_cosignature(head.size, cosign(text, device.name, witness, seconds=1))
    assert [each.name for each in read_note(ledger.head().note).signatures] == [ledger.origin, "hall-archive", device.name]


def test_ratings_read_by_an_older_release_are_not_left_out_quietly(town) -> None:
    town.rate("12", [5], at_ms=FIRST_MS)
    town.deliver()
    with town.fleet.store.write() as connection:
        connection.execute(update(ratings).values(secret=None))
    town.clock.on(days=2)
    with pytest.raises(LedgerError, match="nw-fleet rebuild"):
        town.fleet.ledger.keep_up()
    assert town.fleet.ledger.head() is None


def test_serve_appends_a_day_after_it_has_read_what_arrived(town) -> None:
    town.rate("12", [5, 4, 3], at_ms=FIRST_MS)
    town.hand_over()
    town.clock.on(days=1)
    Serving(town.fleet, None).round()
    assert town.fleet.ledger.head().label == "2026-10-28"
    assert sum(row.leaf is not None for row in town.entries()) == 3
