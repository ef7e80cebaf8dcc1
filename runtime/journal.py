"""The journal a device writes: one committed, chained entry a call. What `append` has returned for survives any power cut.

One process writes a stream (a lock file sees to it); others read it with `JournalReader`. See wire.entry for the chain.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from msgspec import Struct

from runtime import journalfile
from runtime.clock import Clock
from runtime.identity import Identity, sync_directory
from runtime.journalfile import (
    PAGE_BYTES,
    About,
    JournalDamaged,
    JournalError,
    JournalFull,
    JournalReader,
    Stream,
    Tail,
    is_damage,
    is_full,
)
from wire.entry import NO_HASH, Entry, header_hash, make_entry
from wire.kinds import JournalOpened, Predecessor, encode_body
from wire.messages import Placement

__all__ = ["Appended", "Journal", "JournalDamaged", "JournalError", "JournalFull", "JournalReader"]

NEAR_END_SHARE = 0.05
"""Below this share of free budget a face pauses ratings before a press."""
WAL_PAGES = 256
"""Pages after which SQLite folds its write-ahead log back; also what is kept warm on the disk for it."""
DISK_RESERVE_BYTES = 4 * 1_048_576
"""With less free disk than this the journal counts as full: the write-ahead log needs room that is not preallocated."""
MAX_FILES = 9
"""Journals a stream may have at once. More means that the disk is destroying them, which a person has to see."""


class Appended(NamedTuple):
    """A committed entry: its place, its hash and the time it carries."""

    seq: int
    hash: bytes
    wall_ms: int


class Journal:
    """The current journal of one stream, open for writing. Thread-safe; a call blocks for one disk commit."""

    def __init__(
        self, directory: Path, stream: Stream, connection: sqlite3.Connection, path: Path, tail: Tail, *, lock: IO[str],
        identity: Identity, clock: Clock, budget_bytes: int, placement: Placement | None,
    ) -> None:  # fmt: skip
        """Use `Journal.open`."""
        self._directory, self._stream = directory, stream
        self._connection, self._path, self._tail = connection, path, tail
        self._lock_file, self._lock = lock, threading.RLock()
        self._identity, self._clock = identity, clock
        self._budget_bytes, self._placement = budget_bytes, placement
        self.journal_id = journalfile.about(connection).journal_id

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
        successor is made whose first entry names it and declares the gap. The budget is written out once, so that room is
        certain later.

        Raises:
            JournalFull: there is no room to make a journal.
            JournalError: another process writes this stream, the files cannot be reached, or too many had to be closed.
        """
        directory.mkdir(parents=True, exist_ok=True)
        lock = _take_lock(directory / f"{stream}.lock")
        try:
            found = journalfile.files(directory, stream)
            if not found:
                path = _create(directory, stream, 1, _missing(lock), identity, clock, budget_bytes, placement)
            else:
                path = found[-1]
                if gap := _reason_to_close(path, identity):
                    last = _predecessor(path, gap, lock)
                    number = journalfile.file_number(path) + 1
                    path = _create(directory, stream, number, last, identity, clock, budget_bytes, placement)
            connection, tail = _open_for_writing(path, budget_bytes)
        except BaseException:
            lock.close()
            raise
        journal = cls(
            directory, stream, connection, path, tail, lock=lock,
            identity=identity, clock=clock, budget_bytes=budget_bytes, placement=placement,
        )  # fmt: skip
        _note_id(lock, journal.journal_id)
        return journal

    @property
    def path(self) -> Path:
        """The current journal's file."""
        return self._path

    @property
    def last_seq(self) -> int:
        """The seq of the last committed entry."""
        return self._tail.seq

    @property
    def next_seq(self) -> int:
        """The seq that the next entry will have, when nobody else appends before."""
        return self._tail.seq + 1

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
                    raise _explained(error, self._path) from error
                self._succeed(f"the file became unreadable while writing: {error}")
            try:
                return self._commit(bodies)
            except sqlite3.Error as error:
                raise _explained(error, self._path) from error

    def _commit(self, bodies: Sequence[tuple[str, int, bytes]]) -> list[Appended]:
        if self._disk_is_short():
            raise JournalFull(
                f"{self._directory} has less than {DISK_RESERVE_BYTES >> 20} MiB of free disk; make room. Nothing was written"
            )
        entries, done, tail = [], [], self._tail
        for kind, version, body in bodies:
            entry, appended = _made(self.journal_id, tail, kind, version, body, self._clock)
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
        budget = self._budget_bytes // PAGE_BYTES
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
            return _prune(self._connection, self.journal_id, min(archived_through, self._tail.seq - 1))

    def apply_archived(self, archived: Iterable[tuple[bytes, int]]) -> int:
        """Prune by (journal id, archived through) pairs, as the agent's DeviceView brings them; give how many entries went.

        The current journal is pruned; a closed one whose last entry is archived is deleted with its file.
        """
        with self._lock:
            through = dict(archived)
            pruned = self.prune(through.pop(self.journal_id, 0))
            for path in journalfile.files(self._directory, self._stream) if through else []:
                if path != self._path:
                    pruned += _delete_if_archived(path, through)
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
        number = journalfile.file_number(self._path) + 1
        if gap is None:
            last = Predecessor(journal_id=self.journal_id, last_seq=self._tail.seq, last_hash=self._tail.hash)
        else:
            last = _predecessor(self._path, gap, self._lock_file)
        path = _create(
            self._directory, self._stream, number, last, self._identity, self._clock, self._budget_bytes, self._placement
        )
        connection, tail = _open_for_writing(path, self._budget_bytes)
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        self._connection, self._path, self._tail = connection, path, tail
        self.journal_id = journalfile.about(connection).journal_id
        _note_id(self._lock_file, self.journal_id)

    def _disk_is_short(self) -> bool:
        status = os.statvfs(self._directory)
        return status.f_bavail * status.f_frsize < DISK_RESERVE_BYTES

    def close(self) -> None:
        """Let go of file and lock."""
        with self._lock:
            self._connection.close()
            self._lock_file.close()


def _made(journal_id: bytes, tail: Tail, kind: str, version: int, body: bytes, clock: Clock) -> tuple[Entry, Appended]:
    moment = clock.now()
    entry = make_entry(
        journal_id=journal_id,
        seq=tail.seq + 1,
        kind=kind,
        kind_version=version,
        wall_ms=moment.wall_ms,
        clock_trust=moment.trust,
        boot_id=moment.boot_id,
        mono_ms=moment.mono_ms,
        prev_hash=tail.hash,
        salt=secrets.token_bytes(16),
        body=body,
    )
    return entry, Appended(tail.seq + 1, header_hash(entry.header_bytes), moment.wall_ms)


def _explained(error: sqlite3.Error, path: Path) -> JournalError:
    if is_full(error):
        return JournalFull(
            f"{path} is full ({error}): the fleet has archived too little of it, or the disk is full. "
            "Bring the device online, or raise journal.evidence_budget_mb. Nothing was written"
        )
    return JournalError(f"{path} cannot be written: {error}. Check the disk; nothing counts as written")


def _take_lock(path: Path) -> IO[str]:
    file = None
    try:
        file = open(path, "a+", encoding="ascii")  # noqa: SIM115 - lives as long as the journal
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        assert file is not None
        file.close()
        raise JournalError(f"{path} is held: another process writes this journal. Stop it first") from error
    except OSError as error:
        raise JournalError(f"{path} cannot be written ({error.strerror}); give the service user the right to") from error
    return file


def _note_id(lock: IO[str], journal_id: bytes) -> None:
    """Keep the journal's id outside its file, so that a successor can name it when the file is gone or unreadable."""
    lock.seek(0)
    if lock.read().strip() == journal_id.hex():
        return
    lock.seek(0)
    lock.truncate()
    lock.write(journal_id.hex())
    lock.flush()
    os.fsync(lock.fileno())


def _noted_id(lock: IO[str]) -> bytes | None:
    lock.seek(0)
    try:
        raw = bytes.fromhex(lock.read().strip())
    except ValueError:
        return None
    return raw if len(raw) == 16 else None


def _missing(lock: IO[str]) -> Predecessor | None:
    noted = _noted_id(lock)
    if noted is None:
        return None
    return Predecessor(journal_id=noted, last_seq=0, last_hash=NO_HASH, gap="the journal's file is missing")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2.0)
    try:
        connection.execute("PRAGMA synchronous=FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _reason_to_close(path: Path, identity: Identity) -> str | None:
    """Why the journal at `path` cannot be continued, or None. Raises JournalError when the disk, not the content, is at fault."""
    try:
        with contextlib.closing(_connect(path)) as connection:
            head = journalfile.about(connection)
            if (head.device, head.signing_key) != (identity.device, identity.signing_key):
                return f"made by {head.device}, this device is {identity.device}"
            journalfile.verified_tail(connection, head)
    except JournalDamaged as error:
        return str(error)[:200]
    except sqlite3.Error as error:
        if not is_damage(error):
            raise _explained(error, path) from error
        return f"the file is no database any more: {error}"
    return None


def _predecessor(path: Path, gap: str, lock: IO[str]) -> Predecessor:
    """What a successor says of the journal at `path`: how far it can be read."""
    head, tail = None, Tail(0, NO_HASH)
    with contextlib.suppress(JournalError, sqlite3.Error), contextlib.closing(_connect(path)) as connection:
        head = journalfile.about(connection)
        tail = Tail(head.pruned_through, head.pruned_hash)
        for row in journalfile.read_rows(connection, head, after=tail.seq, prev_hash=tail.hash):
            tail = Tail(row.header.seq, row.hash)
    journal_id = head.journal_id if head else _noted_id(lock) or bytes(16)
    return Predecessor(journal_id=journal_id, last_seq=tail.seq, last_hash=tail.hash, gap=gap[:200])


def _create(
    directory: Path, stream: Stream, number: int, predecessor: Predecessor | None,
    identity: Identity, clock: Clock, budget_bytes: int, placement: Placement | None,
) -> Path:  # fmt: skip
    """Make a journal file with its first entry and its whole budget, under a temporary name first: it exists whole or not."""
    if len(journalfile.files(directory, stream)) >= MAX_FILES:
        raise JournalError(
            f"{directory} already holds {MAX_FILES} {stream} journals, so this disk damages them or nothing is handed over. "
            "Replace the card, or move the old files away after copying them"
        )
    path = journalfile.file_path(directory, stream, number)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
            _fill(connection, stream, predecessor, identity, clock, budget_bytes, placement)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.rename(temporary, path)
        sync_directory(directory)
    except (sqlite3.Error, OSError) as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        free = shutil.disk_usage(directory).free
        message = f"{path} needs {budget_bytes >> 20} MiB and cannot be made ({error}); {free >> 20} MiB of disk are free"
        raise (JournalFull if free < budget_bytes + DISK_RESERVE_BYTES else JournalError)(message) from error
    return path


def _fill(
    connection: sqlite3.Connection, stream: Stream, predecessor: Predecessor | None,
    identity: Identity, clock: Clock, budget_bytes: int, placement: Placement | None,
) -> None:  # fmt: skip
    connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute(f"PRAGMA application_id={journalfile.APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={journalfile.FORMAT}")
    connection.executescript(journalfile.SCHEMA)
    # Dropping a table leaves its pages in the file as free ones: that is how the budget is taken from the disk in advance.
    connection.execute("CREATE TABLE room (filler BLOB)")
    for _ in range(budget_bytes // 1_048_576):
        connection.execute("INSERT INTO room VALUES (zeroblob(1048576))")
    connection.execute("DROP TABLE room")
    opened = JournalOpened(
        device=identity.device, stream=stream, signing_key=identity.signing_key, placement=placement, predecessor=predecessor
    )
    journal_id = secrets.token_bytes(16)
    entry, _ = _made(journal_id, Tail(0, NO_HASH), "journal.opened", 1, encode_body("journal.opened", opened), clock)
    head = About(journal_id, stream, identity.device, identity.signing_key, 0, NO_HASH)
    connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)", head)
    connection.execute("INSERT INTO entries VALUES (1, ?, ?, ?)", (entry.header_bytes, entry.salt, entry.body))
    connection.execute("PRAGMA journal_mode=WAL")


def _open_for_writing(path: Path, budget_bytes: int) -> tuple[sqlite3.Connection, Tail]:
    connection = _connect(path)
    try:
        connection.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
        # A journal whose budget was lowered keeps the pages it has; SQLite never shrinks the limit below them.
        connection.execute(f"PRAGMA max_page_count={budget_bytes // PAGE_BYTES + 16}")
        tail = journalfile.verified_tail(connection, journalfile.about(connection))
    except sqlite3.Error as error:
        connection.close()
        raise _explained(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection, tail


def _prune(connection: sqlite3.Connection, journal_id: bytes, through: int) -> int:
    """Delete in small commits, each with the mark of how far it went, so that a cut leaves a verifiable head."""
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


def _delete_if_archived(path: Path, through: dict[bytes, int]) -> int:
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
