"""The journal a device writes: one committed, chained entry a call. What `append` has returned for survives any power cut.

One process writes a stream (a lock file sees to it); others read it with `JournalReader`. See wire.entry for the chain.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from msgspec import Struct

from runtime import journalfile, pruning, succession
from runtime.clock import Clock
from runtime.identity import Identity
from runtime.journalfile import (
    PAGE_BYTES,
    JournalDamaged,
    JournalError,
    JournalFull,
    JournalReader,
    Stream,
    Tail,
    is_damage,
)
from runtime.succession import DISK_RESERVE_BYTES, Appended, Plan
from wire.kinds import PlacementChanged, Predecessor, encode_body
from wire.messages import Placement

__all__ = ["Appended", "Journal", "JournalDamaged", "JournalError", "JournalFull", "JournalReader"]

NEAR_END_SHARE = 0.05
"""Below this share of free budget a face pauses ratings before a press."""
WAL_PAGES = 256
"""Pages after which SQLite folds its write-ahead log back; also what is kept warm on the disk for it."""


class Journal:
    """The current journal of one stream, open for writing. Thread-safe; a call blocks for one disk commit."""

    def __init__(self, plan: Plan, path: Path, connection: sqlite3.Connection, tail: Tail, lock: IO[str]) -> None:
        """Use `Journal.open`."""
        self._plan, self._path, self._connection, self._tail = plan, path, connection, tail
        self._lock_file, self._lock = lock, threading.RLock()
        self.journal_id = journalfile.about(connection).journal_id
        self._placement = journalfile.last_placement(connection)

    @classmethod
    def open(
        cls,
        directory: Path,
        stream: Stream,
        *,
        identity: Identity,
        clock: Clock,
        budget_bytes: int = 32 * 1_048_576,
        placement: Placement | None = None,
    ) -> "Journal":
        """Open the stream's current journal, making the first one when there is none.

        Checks the end of the chain. A journal that is damaged, or was made with another signing key, is closed for good: a
        successor is made whose first entry names it and declares the gap. The first entry of a journal made here names
        `placement`, or else the one its predecessor named last. The budget is written out once, so that room is certain later.

        Raises:
            JournalFull: there is no room to make a journal.
            JournalError: another process writes this stream, the files cannot be reached, or too many had to be closed.
        """
        plan = Plan(directory, stream, identity, clock, budget_bytes, placement)
        directory.mkdir(parents=True, exist_ok=True)
        lock = succession.take_lock(directory / f"{stream}.lock")
        try:
            found = journalfile.files(directory, stream)
            if not found:
                path = succession.create(plan, 1, succession.missing(lock))
            elif gap := succession.reason_to_close(found[-1], identity):
                before = succession.predecessor_of(found[-1], gap, lock)
                plan = plan._replace(placement=placement or succession.placement_in(found[-1], identity))
                path = succession.create(plan, journalfile.file_number(found[-1]) + 1, before)
            else:
                path = found[-1]
            connection, tail = _open_for_writing(path, budget_bytes)
        except BaseException:
            lock.close()
            raise
        journal = cls(plan, path, connection, tail, lock)
        succession.note_id(lock, journal.journal_id)
        return journal

    @property
    def path(self) -> Path:
        """The current journal's file."""
        return self._path

    def files(self) -> list[Path]:
        """All files of this stream, oldest journal first; the last one is the current."""
        return journalfile.files(self._plan.directory, self._plan.stream)

    @property
    def last_seq(self) -> int:
        """The seq of the last committed entry."""
        return self._tail.seq

    @property
    def next_seq(self) -> int:
        """The seq that the next entry will have, when nobody else appends before."""
        return self._tail.seq + 1

    @property
    def placement(self) -> Placement | None:
        """The placement recorded last in this journal; None while there is none, or when its entry was pruned before `open`."""
        return self._placement

    def note_placement(self, placement: Placement) -> bool:
        """Record where the device stands from now on, when that is not what the journal says already; tell whether it was.

        Appends `placement.changed`, and raises as `append` does.
        """
        with self._lock:
            if placement == self._placement:
                return False
            self.append("placement.changed", PlacementChanged(placement=placement))
            self._placement = placement
            return True

    def append(self, kind: str, body: Struct, *, version: int = 1) -> Appended:
        """Commit one entry and give its place. It is on the disk when this returns.

        Raises:
            JournalFull: no room; nothing was written.
            JournalError: the disk refused; nothing counts as written.
            Malformed, TooLarge: `body` is not one of `kind` (wire.kinds).
        """
        return self.append_all([(kind, body)], version=version)[0]

    def append_all(self, items: Sequence[tuple[str, Struct]], *, version: int = 1) -> list[Appended]:
        """Commit several entries together: all of them or, on an error, none. Raises as `append` does."""
        bodies = [(kind, version, encode_body(kind, body, version=version)) for kind, body in items]
        with self._lock:
            try:
                return self._commit(bodies)
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise succession.explained(error, self._path) from error
                self._succeed(f"the file became unreadable while writing: {error}")
            try:
                return self._commit(bodies)
            except sqlite3.Error as error:
                raise succession.explained(error, self._path) from error

    def _commit(self, bodies: Sequence[tuple[str, int, bytes]]) -> list[Appended]:
        if self._disk_is_short():
            raise JournalFull(
                f"{self._plan.directory} has less than {DISK_RESERVE_BYTES >> 20} MiB of free disk; make room. Nothing was written"
            )
        entries, done, tail = [], [], self._tail
        for kind, version, body in bodies:
            entry, appended = succession.made(self.journal_id, tail, kind, version, body, self._plan.clock)
            entries.append((appended.seq, entry.header_bytes, entry.salt, entry.body))
            done.append(appended)
            tail = Tail(appended.seq, appended.hash)
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", entries)
            connection.execute("COMMIT")
        except sqlite3.Error:
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            raise
        self._tail = tail
        return done

    @property
    def free_share(self) -> float:
        """The share of the budget that is free, 0–1; 0 too when the disk itself is short."""
        with self._lock:
            return 0.0 if self._disk_is_short() else self.budget_free_share

    @property
    def budget_free_share(self) -> float:
        """The share of the budget that is free, 0–1, whatever the disk has."""
        with self._lock:
            (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
            (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        budget = self._plan.budget_bytes // PAGE_BYTES
        return max(0.0, min(1.0, float(free + max(0, budget - pages)) / budget))

    @property
    def is_near_end(self) -> bool:
        """Whether so little room is left that nothing new should be begun; what is begun can still be finished."""
        return self.free_share < NEAR_END_SHARE

    def prune(self, archived_through: int) -> int:
        """Delete entries that the fleet holds in a verified backup, `archived_through` included; give how many.

        The last entry always stays. Entries beyond `archived_through` are never touched.
        """
        with self._lock:
            return pruning.prune(self._connection, self.journal_id, min(archived_through, self._tail.seq - 1))

    def apply_archived(self, archived: Iterable[tuple[bytes, int]]) -> int:
        """Prune by (journal id, archived through) pairs, as the agent's DeviceView brings them; give how many entries went.

        The current journal is pruned; a closed one whose last entry is archived is deleted with its file.
        """
        with self._lock:
            through = dict(archived)
            pruned = self.prune(through.pop(self.journal_id, 0))
            for path in self.files() if through else []:
                if path != self._path:
                    pruned += pruning.delete_if_archived(path, through)
        return pruned

    def close_damaged(self, reason: str) -> None:
        """Close the current journal for good and go on in a successor that declares the gap (when a reader met damage)."""
        with self._lock:
            self._succeed(reason)

    def rotate(self) -> None:
        """Go on in a successor without a gap: the present journal is whole and stays to be handed over."""
        with self._lock:
            self._succeed(None)

    def _succeed(self, gap: str | None) -> None:
        if gap is None:
            before = Predecessor(journal_id=self.journal_id, last_seq=self._tail.seq, last_hash=self._tail.hash)
        else:
            before = succession.predecessor_of(self._path, gap, self._lock_file)
        path = succession.create(self._plan._replace(placement=self._placement), journalfile.file_number(self._path) + 1, before)
        connection, tail = _open_for_writing(path, self._plan.budget_bytes)
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        self._connection, self._path, self._tail = connection, path, tail
        self.journal_id = journalfile.about(connection).journal_id
        succession.note_id(self._lock_file, self.journal_id)

    def _disk_is_short(self) -> bool:
        status = os.statvfs(self._plan.directory)
        return status.f_bavail * status.f_frsize < DISK_RESERVE_BYTES

    def close(self) -> None:
        """Let go of file and lock."""
        with self._lock:
            self._connection.close()
            self._lock_file.close()


def _open_for_writing(path: Path, budget_bytes: int) -> tuple[sqlite3.Connection, Tail]:
    connection = succession.connect(path)
    try:
        connection.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
        # A journal whose budget was lowered keeps the pages it has; SQLite never shrinks the limit below them.
        connection.execute(f"PRAGMA max_page_count={budget_bytes // PAGE_BYTES + 16}")
        tail = journalfile.verified_tail(connection, journalfile.about(connection))
    except sqlite3.Error as error:
        connection.close()
        raise succession.explained(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection, tail
