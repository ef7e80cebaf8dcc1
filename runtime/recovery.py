"""What a face reads at start to find what a cut left open: the stream's last entries, also those from before a damage."""

import contextlib
from pathlib import Path

from runtime.journal import Journal
from runtime.journalfile import JournalError, JournalReader, Row
from wire.codec import WireError
from wire.kinds import JournalOpened, Predecessor, read_body


def last_entries(journal: Journal, depth: int) -> list[Row]:
    """The last `depth` readable entries of the journal's stream, oldest first.

    When the current journal is shorter than that, the entries of the journals it succeeded come before its own, as far as each
    can be read: so what was begun before a damage can be closed after it. Journals of another key are another device's and left
    out. Each journal counts its seqs from 1.

    Raises JournalError when the current journal cannot be read.
    """
    with JournalReader(journal.path) as reader:
        signing_key = reader.signing_key
        rows = list(reader.rows(max(reader.first_held() - 1, journal.last_seq - depth)))
    older = journal.files()[:-1]
    while older and len(rows) < depth and (before := _predecessor(rows)) is not None:
        rows = _readable(older.pop(), before, signing_key, depth - len(rows)) + rows
    return rows


def _predecessor(rows: list[Row]) -> Predecessor | None:
    """The journal before the one that the rows begin with, when they begin with its first entry."""
    if not rows or rows[0].header.kind != "journal.opened":
        return None
    with contextlib.suppress(WireError):
        opened = read_body("journal.opened", rows[0].header.kind_version, rows[0].entry.body)
        return opened.predecessor if isinstance(opened, JournalOpened) else None
    return None


def _readable(path: Path, wanted: Predecessor, signing_key: bytes, depth: int) -> list[Row]:
    """The last entries of the wanted journal before its damage; none when another journal lies at `path`."""
    rows: list[Row] = []
    with contextlib.suppress(JournalError), JournalReader(path) as reader:
        if (reader.journal_id, reader.signing_key) == (wanted.journal_id, signing_key):
            for row in reader.rows(max(reader.first_held() - 1, wanted.last_seq - depth)):
                rows.append(row)
    return rows
