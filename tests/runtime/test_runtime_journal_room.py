"""A journal's room: taken in advance, near its end before it is full, made again by what is archived; a full disk loses nothing."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from journal_files import Opener, bodies, note, opening

from runtime.clock import FakeClock
from runtime.identity import Identity
from runtime.journal import Journal, JournalError, JournalFull, JournalReader
from wire.kinds import OpsNote


def test_budget_is_taken_from_the_disk_in_advance(open_journal: Opener) -> None:
    journal = open_journal()
    assert journal.path.stat().st_size >= 4 << 20
    size = journal.path.stat().st_size
    for _ in range(200):
        journal.append("ops.note", note("y" * 150))
    journal.close()
    assert journal.path.stat().st_size == size


def fill(journal: Journal) -> None:
    big = OpsNote(what="x", args={str(n): "y" * 190 for n in range(250)})
    for _ in range(1_000):
        journal.append("ops.note", big)


def test_journal_says_that_its_end_is_near_before_it_is_full(open_journal: Opener) -> None:
    journal = open_journal()
    assert journal.free_share > 0.9
    with pytest.raises(JournalFull) as failure:
        fill(journal)
    assert journal.is_near_end
    assert "Nothing was written" in str(failure.value)
    with JournalReader(journal.path) as reader:
        assert reader.verify().seq == journal.last_seq


def test_near_end_leaves_room_to_finish_what_was_begun(open_journal: Opener) -> None:
    journal = open_journal()
    big = OpsNote(what="x", args={str(n): "y" * 190 for n in range(250)})
    while not journal.is_near_end:
        journal.append("ops.note", big)
    for _ in range(20):
        journal.append("ops.note", note())


def test_full_journal_works_again_after_pruning(open_journal: Opener) -> None:
    journal = open_journal()
    with pytest.raises(JournalFull):
        fill(journal)
    last = journal.last_seq
    assert journal.prune(last - 5) == last - 5
    journal.append("ops.note", note("after"))
    with JournalReader(journal.path) as reader:
        assert (reader.first_held(), reader.verify().seq) == (last - 4, last + 1)


def test_prune_never_goes_beyond_what_is_archived_and_keeps_the_last_entry(open_journal: Opener) -> None:
    journal = open_journal()
    for _ in range(9):
        journal.append("ops.note", note())
    assert journal.prune(4) == 4
    assert journal.prune(4) == 0
    assert journal.prune(1_000) == 5
    with JournalReader(journal.path) as reader:
        assert (reader.first_held(), reader.last_seq()) == (10, 10)
    journal.close()
    assert open_journal().last_seq == 10


LIMITED = """
import resource, sys
from pathlib import Path
from runtime.clock import FakeClock
from runtime.identity import ensure
from runtime.journal import Journal, JournalError
from wire.kinds import OpsNote
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
directory = Path(sys.argv[1])
journal = Journal.open(directory, "evidence", identity=ensure(directory), clock=FakeClock(), budget_bytes=4 << 20)
for n in range(int(sys.argv[2])):
    journal.append("ops.note", OpsNote(what="test", args={"text": str(n)}))
wal = directory / "evidence.db-wal"
resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size + 6000, resource.RLIM_INFINITY))
refused = 0
for n in range(1000, 1200):
    try:
        journal.append("ops.note", OpsNote(what="test", args={"text": str(n)}))
        print(n)
    except JournalError as error:
        refused += 1
print("refused", refused, journal.last_seq)
"""


def test_disk_that_refuses_to_grow_loses_no_acknowledged_entry_and_leaves_no_half_one(tmp_path: Path) -> None:
    output = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path), "5"], capture_output=True, text=True, check=True).stdout
    lines = output.split("\n")
    summary = next(line for line in lines if line.startswith("refused")).split()
    assert int(summary[1]) > 0, "the limit was never met, so this run proves nothing"
    acknowledged = [line for line in lines if line.isdigit()]
    assert bodies(tmp_path / "evidence.db")[5:] == acknowledged


def test_journal_that_cannot_be_made_says_how_much_room_it_needs(tmp_path: Path, identity: Identity, clock: FakeClock) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(JournalError, match="needs 4 MiB"):
            Journal.open(tmp_path / "device", "evidence", identity=identity, clock=clock, budget_bytes=4 << 20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list((tmp_path / "device").glob("evidence*.db*"))


def test_closed_journal_is_deleted_only_when_its_last_entry_is_archived(open_journal: Opener) -> None:
    journal = open_journal()
    journal.append("ops.note", note())
    first_id, first_path = journal.journal_id, journal.path
    journal.rotate()
    before = opening(journal.path).predecessor
    assert before is not None
    assert (before.gap, before.last_seq) == (None, 2)
    assert journal.apply_archived([(first_id, 1)]) == 0
    assert first_path.exists()
    assert journal.apply_archived([(first_id, 2), (journal.journal_id, 1)]) == 2
    assert not first_path.exists()
