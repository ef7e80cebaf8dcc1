"""How a journal lets go of what a verified backup holds: entry by entry from its head, or a closed one as a whole.

Only runtime.journal calls this, with its lock held.
"""

import contextlib
import sqlite3
from pathlib import Path

from runtime import journalfile
from runtime.journalfile import JournalError, JournalReader
from wire.entry import header_hash


def prune(connection: sqlite3.Connection, journal_id: bytes, through: int) -> int:
    """Delete the entries of this journal up to `through`, which must not be its last; give how many went.

    Deletes in small commits, each with the mark of how far it went, so that a cut leaves a verifiable head.
    Raises JournalError when the disk refuses; what was committed until then is gone.
    """
    pruned = 0
    try:
        while True:
            head = journalfile.about(connection)
            step = min(through, head.pruned_through + 500)
            if step <= head.pruned_through:
                return pruned
            (header,) = connection.execute("SELECT header FROM entries WHERE seq = ?", (step,)).fetchone()
            connection.execute("BEGIN IMMEDIATE")
            pruned += connection.execute("DELETE FROM entries WHERE seq <= ?", (step,)).rowcount
            connection.execute("UPDATE journal SET pruned_through = ?, pruned_hash = ?", (step, header_hash(header)))
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        with contextlib.suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise JournalError(f"journal {journal_id.hex()} cannot be pruned: {error}") from error


def delete_if_archived(path: Path, through: dict[bytes, int]) -> int:
    """Delete a closed journal with its files when `through` (by journal id) holds its last entry; give how many entries went."""
    try:
        with JournalReader(path) as reader:
            last, held = reader.last_seq(), reader.last_seq() - reader.first_held() + 1
            if through.get(reader.journal_id, 0) < last:
                return 0
    except JournalError:
        # What cannot be read is not known to be archived: it stays for a person.
        return 0
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return held
