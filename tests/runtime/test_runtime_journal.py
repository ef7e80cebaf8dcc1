"""What a journal promises: what append returned for survives any cut, entries follow each other, its placement is on record."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journal_files import Opener, bodies, flip, note, opening

from runtime import journalfile
from runtime.clock import FakeClock
from runtime.identity import Identity, ensure
from runtime.journal import Journal, JournalError, JournalFull, JournalReader
from wire.codec import Malformed, TooLarge
from wire.entry import UNTRUSTED
from wire.kinds import OpsNote, PlacementChanged, SessionOpened, read_body
from wire.messages import Placement


def test_first_entry_names_device_key_and_stream(open_journal: Opener, identity: Identity) -> None:
    journal = open_journal()
    body = opening(journal.path)
    assert (body.device, body.signing_key, body.stream) == (identity.device, identity.signing_key, "evidence")
    assert body.predecessor is None


def test_entries_carry_the_clock_with_its_trust_and_boot(open_journal: Opener, clock: FakeClock) -> None:
    journal = open_journal()
    clock.trust = UNTRUSTED
    clock.advance(5)
    appended = journal.append("ops.note", note())
    with JournalReader(journal.path) as reader:
        header = next(reader.rows(appended.seq - 1)).header
    moment = clock.now()
    assert (header.wall_ms, header.clock_trust, header.boot_id, header.mono_ms) == moment


def test_append_gives_seq_and_the_hash_that_the_next_entry_carries(open_journal: Opener) -> None:
    journal = open_journal()
    first, second = journal.append("ops.note", note()), journal.append("ops.note", note())
    assert (first.seq, second.seq, journal.next_seq) == (2, 3, 4)
    with JournalReader(journal.path) as reader:
        assert next(reader.rows(2)).header.prev_hash == first.hash


def test_several_entries_are_committed_together_or_not_at_all(open_journal: Opener) -> None:
    journal = open_journal()
    done = journal.append_all([("ops.note", note("a")), ("session.opened", SessionOpened(session=bytes(16)))])
    assert [each.seq for each in done] == [2, 3]
    with pytest.raises(Malformed):
        journal.append_all([("ops.note", note("b")), ("session.opened", note("c"))])
    assert journal.last_seq == 3


def test_body_of_another_kind_or_too_large_is_refused_and_nothing_written(open_journal: Opener) -> None:
    journal = open_journal()
    with pytest.raises(Malformed):
        journal.append("session.opened", note())
    with pytest.raises(TooLarge):
        journal.append("ops.note", OpsNote(what="x", args={str(n): "y" * 200 for n in range(400)}))
    assert journal.last_seq == 1


def test_reopened_journal_goes_on_in_the_same_chain(open_journal: Opener) -> None:
    journal = open_journal()
    journal.append("ops.note", note("before"))
    journal_id = journal.journal_id
    journal.close()
    journal = open_journal()
    journal.append("ops.note", note("after"))
    assert journal.journal_id == journal_id
    assert bodies(journal.path) == ["before", "after"]


def test_second_writer_is_refused_while_the_first_lives(open_journal: Opener) -> None:
    open_journal()
    with pytest.raises(JournalError, match="another process"):
        open_journal()


def test_reader_sees_what_is_committed_and_cannot_write(open_journal: Opener) -> None:
    journal = open_journal()
    with JournalReader(journal.path) as reader:
        journal.append("ops.note", note())
        assert reader.last_seq() == 2
        with pytest.raises(sqlite3.OperationalError):
            reader._connection.execute("DELETE FROM entries")


def test_stopped_reader_never_holds_up_the_writer(open_journal: Opener) -> None:
    journal = open_journal()
    with JournalReader(journal.path) as reader:
        rows = reader.rows(0)
        next(rows)
        started = time.monotonic()
        for _ in range(50):
            journal.append("ops.note", note())
        assert time.monotonic() - started < 10
        rows.close()


KILLED = """
import os, sys
from pathlib import Path
from runtime.clock import SystemClock
from runtime.identity import ensure
from runtime.journal import Journal
from wire.kinds import OpsNote
directory, promises_first = Path(sys.argv[1]), sys.argv[2] == "control"
journal = Journal.open(directory, "evidence", identity=ensure(directory), clock=SystemClock(), budget_bytes=4 << 20)
n = int(sys.argv[3])
waiting = []
while True:
    if promises_first:
        # The control: it promises before it commits, in tens. It has to lose, or the test could not see a loss.
        waiting.append(("ops.note", OpsNote(what="test", args={"text": str(n)})))
        os.write(1, b"%d\\n" % n)
        if len(waiting) == 10:
            journal.append_all(waiting)
            waiting = []
    else:
        journal.append("ops.note", OpsNote(what="test", args={"text": str(n)}))
        os.write(1, b"%d\\n" % n)
    n += 1
"""


def cut(directory: Path, manner: str, first: int, draw: random.Random) -> list[int]:
    """Let a writer run, kill it at a random point, and give what it had promised."""
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(directory), manner, str(first)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    promised = [int(process.stdout.readline())]
    ends = time.monotonic() + draw.uniform(0.0, 0.05)
    while time.monotonic() < ends:
        promised.append(int(process.stdout.readline()))
    process.kill()
    promised += [int(line) for line in process.stdout.read().split(b"\n") if line]
    process.wait(10)
    return promised


def test_killed_writer_keeps_every_entry_it_promised_in_order_and_once(tmp_path: Path) -> None:
    draw = random.Random(20261122)
    promised: list[int] = []
    for _ in range(6):
        promised += cut(tmp_path, "true", (promised[-1] + 1) if promised else 0, draw)
    found = [int(text) for text in bodies(tmp_path / "evidence.db")]
    assert set(promised) <= set(found)
    # The kill may fall between commit and promise: then the entry is there without its promise, never twice.
    assert len(found) - len(set(found)) <= 6
    assert sorted(set(found)) == list(range(max(found) + 1))


def test_control_that_promises_before_it_commits_loses(tmp_path: Path) -> None:
    draw = random.Random(7)
    lost = 0
    for round_ in range(8):
        promised = cut(tmp_path / str(round_), "control", 0, draw)
        found = {int(text) for text in bodies(tmp_path / str(round_) / "evidence.db")}
        lost += len(set(promised) - found)
        if lost:
            return
    pytest.fail("the control lost nothing, so the test above proves nothing")


def test_append_is_quick_enough_for_a_press(open_journal: Opener) -> None:
    journal = open_journal()
    took: list[float] = []
    for _ in range(200):
        started = time.perf_counter()
        journal.append("ops.note", note())
        took.append(time.perf_counter() - started)
    # A press has 50 ms until it is drawn; the typical commit takes a fraction of one.
    assert sorted(took)[100] < 0.02


def test_only_numbered_files_belong_to_a_stream(tmp_path: Path) -> None:
    for name in ("evidence.db", "evidence.2.db", "evidence.10.db", "evidence.old.db", "evidence.db.new", "ops.db"):
        (tmp_path / name).touch()
    assert [path.name for path in journalfile.files(tmp_path, "evidence")] == ["evidence.db", "evidence.2.db", "evidence.10.db"]


def test_open_without_the_right_to_write_explains_itself(tmp_path: Path, identity: Identity, clock: FakeClock) -> None:
    place: Any = tmp_path / "file"
    place.write_text("")
    with pytest.raises((JournalError, OSError)):
        Journal.open(place, "evidence", identity=identity, clock=clock)


def place(window: str = "3") -> Placement:
    return Placement(hall="h1", hall_name={"zh": "厅"}, label={"zh": "1号机"}, window=window)


def placements(path: Path) -> list[str]:
    with JournalReader(path) as reader:
        reader.verify()
        found = [read_body(row.header.kind, 1, row.entry.body) for row in reader.rows(0)]
    return [body.placement.window for body in found if isinstance(body, PlacementChanged)]


def test_placement_is_recorded_once_and_again_only_when_it_changes(open_journal: Opener) -> None:
    journal = open_journal()
    assert opening(journal.path).placement is None
    assert [journal.note_placement(place(window)) for window in ("3", "3", "4", "3")] == [True, False, True, True]
    journal.close()
    journal = open_journal()
    assert journal.placement == place("3")
    assert not journal.note_placement(place("3"))
    assert placements(journal.path) == ["3", "4", "3"]


def test_placement_known_when_the_journal_is_made_stands_in_its_first_entry(open_journal: Opener) -> None:
    journal = open_journal(placement=place())
    assert opening(journal.path).placement == place()
    assert not journal.note_placement(place())


@pytest.mark.parametrize("how", ["rotated", "damaged while open", "damaged while closed"])
def test_successor_names_the_placement_of_its_predecessor_in_its_first_entry(open_journal: Opener, how: str) -> None:
    journal = open_journal(placement=place("1"))
    journal.note_placement(place("2"))
    journal.append("ops.note", note())
    if how == "rotated":
        journal.rotate()
    elif how == "damaged while open":
        journal.close_damaged("a reader met damage")
    else:
        journal.close()
        flip(journal.path, 3)
        journal = open_journal()
    assert journal.path.name == "evidence.2.db"
    assert opening(journal.path).placement == place("2")
    assert not journal.note_placement(place("2"))


def test_placement_of_another_device_is_not_taken_over(open_journal: Opener, tmp_path: Path) -> None:
    open_journal(placement=place()).close()
    successor = open_journal(identity=ensure(tmp_path / "elsewhere"))
    assert opening(successor.path).placement is None


def test_pruned_placement_is_recorded_again_so_that_what_is_held_names_one(open_journal: Opener) -> None:
    journal = open_journal(placement=place())
    for _ in range(3):
        journal.append("ops.note", note())
    journal.prune(3)
    assert not journal.note_placement(place()), "while the journal is open it is still known"
    journal.close()
    journal = open_journal()
    assert journal.note_placement(place())


def until_full(call: Callable[[], object]) -> None:
    """Repeat a call until there is no room for another entry."""
    with pytest.raises(JournalFull):  # noqa: PT012 - how often it succeeds before is not of interest
        while True:
            call()


def test_placement_that_found_no_room_is_not_taken_for_recorded(open_journal: Opener) -> None:
    journal = open_journal(budget_bytes=1 << 20)
    until_full(lambda: journal.append("ops.note", note("x" * 190)))
    until_full(lambda: journal.note_placement(place(os.urandom(60).hex())))
    assert journal.placement is None or journal.placement.window in placements(journal.path)
