"""What a face finds at start of what it began before a cut or a damage, and what is not its own."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.identity import ensure
from runtime.journal import Journal
from runtime.recovery import last_entries
from wire.codec import decode
from wire.kinds import OpsNote

Opener = Callable[..., Journal]


def write(journal: Journal, *texts: str) -> None:
    for text in texts:
        journal.append("ops.note", OpsNote(what="test", args={"text": text}))


def texts(journal: Journal, depth: int = 100) -> list[str]:
    rows = [row for row in last_entries(journal, depth) if row.header.kind == "ops.note"]
    return [decode(row.entry.body, OpsNote).args["text"] for row in rows]


def damage(path: Path, seq: int) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entries SET body = x'c0' WHERE seq = ?", (seq,))
    connection.close()


def test_only_so_many_of_the_last_entries_are_read(open_journal: Opener) -> None:
    journal = open_journal()
    write(journal, *"abcdef")
    assert texts(journal, 2) == ["e", "f"]
    assert texts(journal) == list("abcdef")


def test_entries_before_a_damage_come_before_those_of_the_successor(open_journal: Opener) -> None:
    journal = open_journal()
    write(journal, *"abcdef")
    journal.close()
    damage(journal.path, 5)
    journal = open_journal()
    write(journal, "x")
    assert texts(journal) == ["a", "b", "c", "x"]
    assert texts(journal, 4) == ["b", "c", "x"]
    assert texts(journal, 1) == ["x"]


def test_several_damages_in_a_row_hide_nothing_that_can_be_read(open_journal: Opener) -> None:
    for text in "ab":
        journal = open_journal()
        write(journal, text, "lost")
        journal.close()
        damage(journal.path, 3)
    journal = open_journal()
    write(journal, "c")
    assert texts(journal) == ["a", "b", "c"]


@pytest.mark.parametrize("how", ["unreadable", "deleted"])
def test_predecessor_that_is_gone_hides_nothing_else(open_journal: Opener, how: str) -> None:
    journal = open_journal()
    write(journal, "gone")
    gone = journal.path
    journal.rotate()
    write(journal, "kept")
    for suffix in ("-wal", "-shm"):
        gone.with_name(gone.name + suffix).unlink(missing_ok=True)
    if how == "deleted":
        gone.unlink()
    else:
        gone.write_bytes(b"noise" * 1_000)
    assert texts(journal) == ["kept"]


def test_predecessor_of_another_device_is_not_read(open_journal: Opener, tmp_path: Path) -> None:
    journal = open_journal()
    write(journal, "theirs")
    journal.close()
    journal = open_journal(identity=ensure(tmp_path / "elsewhere"))
    write(journal, "ours")
    assert texts(journal) == ["ours"]


def test_whole_predecessor_is_read_after_its_entries_were_pruned_in_part(open_journal: Opener) -> None:
    journal = open_journal()
    write(journal, *"abcd")
    journal.prune(3)
    journal.rotate()
    write(journal, "e")
    assert texts(journal) == ["c", "d", "e"]
