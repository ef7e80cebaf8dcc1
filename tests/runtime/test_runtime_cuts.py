"""A power cut may leave the write-ahead log torn at any byte: what opens afterwards is a whole prefix, never half an entry."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.clock import FakeClock
from runtime.identity import Identity
from runtime.journal import Journal, JournalReader
from wire.codec import decode
from wire.kinds import JournalOpened, OpsNote

ENTRIES = 30


@pytest.fixture
def running(open_journal: Callable[..., Journal]) -> tuple[Journal, list[int]]:
    """A journal that is being written, and how long its log was after each entry."""
    journal = open_journal(budget_bytes=1 << 20)
    log = journal.path.with_name("evidence.db-wal")
    sizes = []
    for number in range(ENTRIES):
        journal.append("ops.note", OpsNote(what="test", args={"text": str(number)}))
        sizes.append(log.stat().st_size)
    return journal, sizes


def cut_copy(journal: Journal, directory: Path, log: bytes) -> Path:
    """The files as a power cut would leave them: the log is what reached the disk."""
    directory.mkdir()
    shutil.copy(journal.path, directory / "evidence.db")
    (directory / "evidence.db-wal").write_bytes(log)
    return directory


def texts(path: Path) -> list[str]:
    with JournalReader(path) as reader:
        reader.verify()
        return [decode(row.entry.body, OpsNote).args["text"] for row in reader.rows(1) if row.header.kind == "ops.note"]


def test_torn_log_leaves_every_entry_whose_commit_reached_the_disk(
    running: tuple[Journal, list[int]], tmp_path: Path, identity: Identity, clock: FakeClock
) -> None:
    journal, sizes = running
    whole = journal.path.with_name("evidence.db-wal").read_bytes()
    draw = random.Random(3)
    for number, size in enumerate(draw.sample(range(len(whole)), 25)):
        directory = cut_copy(journal, tmp_path / f"cut{number}", whole[:size])
        opened = Journal.open(directory, "evidence", identity=identity, clock=clock, budget_bytes=1 << 20)
        committed = sum(1 for each in sizes if each <= size)
        assert texts(opened.path) == [str(text) for text in range(committed)]
        opened.append("ops.note", OpsNote(what="test", args={"text": "after"}))
        assert texts(opened.path)[-1] == "after"
        opened.close()


def test_scribbled_log_never_yields_an_entry_that_was_not_written(
    running: tuple[Journal, list[int]], tmp_path: Path, identity: Identity, clock: FakeClock
) -> None:
    journal, _ = running
    whole = journal.path.with_name("evidence.db-wal").read_bytes()
    draw = random.Random(4)
    for number in range(25):
        log = bytearray(whole)
        place = draw.randrange(len(log) - 64)
        log[place : place + 64] = draw.randbytes(64)
        directory = cut_copy(journal, tmp_path / f"cut{number}", bytes(log))
        opened = Journal.open(directory, "evidence", identity=identity, clock=clock, budget_bytes=1 << 20)
        found = texts(opened.path)
        assert found == [str(text) for text in range(len(found))]
        opened.close()


def test_scribbled_file_is_either_read_rightly_or_declared(
    running: tuple[Journal, list[int]], tmp_path: Path, identity: Identity, clock: FakeClock
) -> None:
    journal, _ = running
    journal.close()
    whole = journal.path.read_bytes()
    draw = random.Random(5)
    declared = 0
    for number in range(40):
        file = bytearray(whole)
        # The first pages hold the schema and the entries; the rest is the room taken in advance.
        place = draw.randrange(0, 12 * 4_096)
        file[place : place + 200] = draw.randbytes(200)
        directory = tmp_path / f"cut{number}"
        directory.mkdir()
        (directory / "evidence.db").write_bytes(file)
        opened = Journal.open(directory, "evidence", identity=identity, clock=clock, budget_bytes=1 << 20)
        if opened.path.name == "evidence.db":
            assert texts(opened.path) == [str(text) for text in range(ENTRIES)]
        else:
            with JournalReader(opened.path) as reader:
                before = decode(next(reader.rows(0)).entry.body, JournalOpened).predecessor
            assert before is not None
            assert before.gap
            declared += 1
        opened.append("ops.note", OpsNote(what="test", args={"text": "after"}))
        opened.close()
    assert declared > 0, "no scribble hit anything, so this run proves nothing"
