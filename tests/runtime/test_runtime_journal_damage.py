"""A journal that is damaged is closed and succeeded by one that declares the gap; a reader names the last good entry."""

import os
from pathlib import Path

import pytest
from journal_files import Opener, bodies, flip, note, opening, scribble

from runtime import journalfile
from runtime.identity import ensure
from runtime.journal import JournalDamaged, JournalError, JournalReader


def test_unfinished_creation_is_cleared_away(open_journal: Opener, tmp_path: Path) -> None:
    (tmp_path / "device").mkdir(exist_ok=True)
    (tmp_path / "device" / "evidence.db.new").write_bytes(b"half a journal")
    assert open_journal().last_seq == 1
    assert not (tmp_path / "device" / "evidence.db.new").exists()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE entries SET body = x'c0' WHERE seq = 7",
        "UPDATE entries SET header = substr(header, 1, 40) WHERE seq = 7",
        "DELETE FROM entries WHERE seq = 7",
        "UPDATE entries SET salt = zeroblob(16) WHERE seq = 7",
        "UPDATE entries SET header = 'text' WHERE seq = 7",
        "DELETE FROM journal",
        "UPDATE journal SET journal_id = x'00'",
        "DROP TABLE journal",
    ],
)
def test_damaged_journal_is_closed_and_its_successor_declares_the_gap(open_journal: Opener, damage: str) -> None:
    journal = open_journal()
    for n in range(8):
        journal.append("ops.note", note(str(n)))
    journal_id = journal.journal_id
    journal.close()
    scribble(journal.path, damage)
    successor = open_journal()
    assert successor.path.name == "evidence.2.db"
    before = opening(successor.path).predecessor
    assert before is not None
    assert before.gap
    assert before.last_seq == (6 if "7" in damage else 0)
    if "journal_id" not in damage:
        assert before.journal_id == journal_id
    successor.append("ops.note", note("after"))
    assert bodies(successor.path) == ["after"]
    assert journal.path.exists(), "the damaged journal is kept for a person"


def test_file_of_random_bytes_is_closed_and_succeeded(open_journal: Opener) -> None:
    journal = open_journal()
    journal.append("ops.note", note())
    journal_id = journal.journal_id
    journal.close()
    journal.path.write_bytes(os.urandom(50_000))
    before = opening(open_journal().path).predecessor
    assert before is not None
    assert (before.journal_id, before.last_seq) == (journal_id, 0)


def test_missing_file_is_declared_by_the_journal_that_follows(open_journal: Opener) -> None:
    journal = open_journal()
    journal_id = journal.journal_id
    journal.close()
    journal.path.unlink()
    before = opening(open_journal().path).predecessor
    assert before is not None
    assert before.journal_id == journal_id
    assert "missing" in (before.gap or "")


def test_journal_of_another_key_is_closed(open_journal: Opener, tmp_path: Path) -> None:
    journal = open_journal()
    journal.close()
    successor = open_journal(identity=ensure(tmp_path / "elsewhere"))
    before = opening(successor.path).predecessor
    assert before is not None
    assert "this device is" in (before.gap or "")


def test_disk_that_destroys_journal_after_journal_is_reported_instead_of_filled(open_journal: Opener) -> None:
    for _ in range(journalfile_limit()):
        journal = open_journal(budget_bytes=1 << 20)
        journal.close()
        scribble(journal.path, "DELETE FROM journal")
    with pytest.raises(JournalError, match="Replace the card"):
        open_journal(budget_bytes=1 << 20)


def journalfile_limit() -> int:
    from runtime.succession import MAX_FILES

    return MAX_FILES


def test_reader_names_the_last_good_entry_before_the_damage(open_journal: Opener) -> None:
    journal = open_journal()
    for n in range(8):
        journal.append("ops.note", note(str(n)))
    journal.close()
    flip(journal.path, 5)
    with JournalReader(journal.path) as reader:
        with pytest.raises(JournalDamaged) as failure:
            reader.verify()
        assert failure.value.last_good == 4
        good = []
        with pytest.raises(JournalDamaged):
            good.extend(row.header.seq for row in reader.rows(0))


def test_swapped_or_truncated_tail_is_found(open_journal: Opener) -> None:
    journal = open_journal()
    for n in range(5):
        journal.append("ops.note", note(str(n)))
    journal.close()
    scribble(journal.path, "UPDATE entries SET seq = CASE seq WHEN 3 THEN 400 ELSE seq END WHERE seq = 3")
    scribble(journal.path, "UPDATE entries SET seq = 3 WHERE seq = 4")
    with JournalReader(journal.path) as reader, pytest.raises(JournalDamaged):
        reader.verify()


def test_journal_of_a_newer_format_is_not_touched(open_journal: Opener) -> None:
    journal = open_journal()
    journal.close()
    scribble(journal.path, "PRAGMA user_version = 99")
    with pytest.raises(JournalError, match="format 99"):
        open_journal()
    assert len(journalfile.files(journal.path.parent, "evidence")) == 1


def test_damaged_while_open_goes_on_in_a_successor(open_journal: Opener) -> None:
    journal = open_journal()
    journal.append("ops.note", note("a"))
    journal.close_damaged("the agent met an unreadable entry")
    journal.append("ops.note", note("b"))
    assert journal.path.name == "evidence.2.db"
    assert bodies(journal.path) == ["b"]
