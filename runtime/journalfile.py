"""One journal as one SQLite file: its names, its format, reading and verifying it. Writing is runtime.journal's alone.

A stream (`evidence`, `ops`) is a series of files: `evidence.db`, then `evidence.2.db`, `evidence.3.db` … when a journal had to
be closed. Files are never renamed or replaced while somebody may have them open; the highest number is the current journal.
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from wire.codec import WireError
from wire.entry import NO_HASH, Entry, Header, check_body, follow
from wire.kinds import JournalOpened, PlacementChanged, read_body
from wire.messages import Placement

Stream = Literal["evidence", "ops"]
FORMAT = 1
PAGE_BYTES = 4_096
APPLICATION_ID = 0x4E574A31
"""`NWJ1`: lets `file` and a technician tell a journal from any other SQLite file."""

SCHEMA = """
CREATE TABLE journal (
    journal_id BLOB NOT NULL, stream TEXT NOT NULL, device TEXT NOT NULL, signing_key BLOB NOT NULL,
    pruned_through INTEGER NOT NULL, pruned_hash BLOB NOT NULL
);
CREATE TABLE entries (seq INTEGER PRIMARY KEY, header BLOB NOT NULL, salt BLOB NOT NULL, body BLOB NOT NULL);
"""


class JournalError(Exception):
    """A journal cannot be used."""


class JournalFull(JournalError):
    """There is no room for another entry: the journal's budget or the disk is used up. Nothing was written."""


class JournalDamaged(JournalError):
    """A stored entry cannot be read, or is not what was written. `last_good` is the last seq before the damage."""

    def __init__(self, message: str, *, last_good: int) -> None:
        super().__init__(message)
        self.last_good = last_good


class About(NamedTuple):
    """What a journal file says of itself. `pruned_through` is 0 when nothing was pruned."""

    journal_id: bytes
    stream: str
    device: str
    signing_key: bytes
    pruned_through: int
    pruned_hash: bytes


def files(directory: Path, stream: Stream) -> list[Path]:
    """The stream's files, oldest journal first."""
    pattern = re.compile(rf"{stream}(?:\.(\d+))?\.db")
    found = []
    for path in directory.glob(f"{stream}*.db"):
        if match := pattern.fullmatch(path.name):
            found.append((int(match[1] or 1), path))
    return [path for _, path in sorted(found)]


def file_number(path: Path) -> int:
    """The place of a file in its stream, from 1."""
    parts = path.name.split(".")
    return int(parts[1]) if len(parts) == 3 else 1


def file_path(directory: Path, stream: Stream, number: int) -> Path:
    """Where the stream's journal of that number lies."""
    return directory / (f"{stream}.db" if number == 1 else f"{stream}.{number}.db")


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file's content is wrong (and not that a disk, a right or room is missing)."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # Python's own complaint about a value, for example text that is no UTF-8 where bytes have to be.
        return isinstance(error, sqlite3.OperationalError)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_full(error: sqlite3.Error) -> bool:
    """Whether SQLite says that there is no room left."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def about(connection: sqlite3.Connection) -> About:
    """Read what the file says of itself.

    Raises JournalDamaged when it is not a journal, and JournalError for a format of a newer release.
    """
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > FORMAT:
            raise JournalError(f"the journal has format {version}, this release knows {FORMAT}; install the newer release again")
        row = connection.execute(
            "SELECT journal_id, stream, device, signing_key, pruned_through, pruned_hash FROM journal"
        ).fetchone()
    except sqlite3.Error as error:
        if is_damage(error) or "no such table" in str(error):
            raise JournalDamaged(f"the journal's head cannot be read: {error}", last_good=0) from error
        raise JournalError(f"the journal cannot be read: {error}") from error
    if row is None or [type(value) for value in row] != [bytes, str, str, bytes, int, bytes] or len(row[0]) != 16:
        raise JournalDamaged("the journal's head is not one", last_good=0)
    return About(*row)


class Row(NamedTuple):
    """A stored entry with its decoded header and hash, both checked."""

    entry: Entry
    header: Header
    hash: bytes


def read_rows(
    connection: sqlite3.Connection, head: About, *, after: int, prev_hash: bytes | None = None, limit: int = -1
) -> Iterator[Row]:
    """The entries after seq `after`, each checked against the chain and its body.

    `prev_hash` is the hash of entry `after`; None takes the first row's word for it.

    Raises JournalDamaged at the first entry that is missing, unreadable or changed, JournalError when reading itself fails.
    """
    good = after
    try:
        for seq, header_bytes, salt, body in connection.execute(
            "SELECT seq, header, salt, body FROM entries WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        ):
            entry = Entry(header_bytes, salt, body)
            before = prev_hash if prev_hash is not None else entry.header.prev_hash
            ((header, hash_),) = follow([header_bytes], journal_id=head.journal_id, next_seq=good + 1, prev_hash=before)
            check_body(header, salt, body)
            yield Row(entry, header, hash_)
            good, prev_hash = seq, hash_
    except sqlite3.Error as error:
        if not is_damage(error):
            raise JournalError(f"the journal cannot be read: {error}") from error
        raise JournalDamaged(f"nothing after entry {good} can be read: {error}", last_good=good) from error
    except (WireError, TypeError) as error:
        raise JournalDamaged(f"entry {good + 1} is damaged: {error}", last_good=good) from error


def last_seq(connection: sqlite3.Connection) -> int:
    """The highest seq held, 0 for none. Raises JournalDamaged or JournalError."""
    try:
        return int(connection.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()[0])
    except (sqlite3.Error, TypeError, ValueError) as error:
        if isinstance(error, sqlite3.Error) and not is_damage(error):
            raise JournalError(f"the journal cannot be read: {error}") from error
        raise JournalDamaged(f"the journal's entries cannot be read: {error}", last_good=0) from error


def last_placement(connection: sqlite3.Connection) -> Placement | None:
    """The placement that the entries held name last; None when none does, or when they cannot be read.

    The entries themselves are checked by whoever takes them on; this only recalls what need not be written again.
    """
    sql = "SELECT header, salt, body FROM entries WHERE instr(header, ?) OR instr(header, ?) ORDER BY seq DESC"
    try:
        for row in connection.execute(sql, (b"placement.changed", b"journal.opened")):
            header = Entry(*row).header
            body = read_body(header.kind, header.kind_version, row[2])
            if isinstance(body, JournalOpened | PlacementChanged):
                return body.placement
    except (sqlite3.Error, WireError, TypeError):
        return None
    return None


class Tail(NamedTuple):
    """Where a chain ends: what the next entry has to carry."""

    seq: int
    hash: bytes


def verified_tail(connection: sqlite3.Connection, head: About, *, depth: int | None = 256) -> Tail:
    """Check the last `depth` entries (None: all of them) and give the end of the chain.

    Raises JournalDamaged or JournalError as read_rows does, and JournalDamaged for a journal without entries.
    """
    end = last_seq(connection)
    start = head.pruned_through if depth is None else max(head.pruned_through, end - depth)
    prev_hash = (head.pruned_hash if start else NO_HASH) if start == head.pruned_through else None
    tail = Tail(start, prev_hash or NO_HASH)
    for row in read_rows(connection, head, after=start, prev_hash=prev_hash):
        tail = Tail(row.header.seq, row.hash)
    if tail.seq != end or end == 0:
        raise JournalDamaged(f"the journal ends at entry {end}, its chain at {tail.seq}", last_good=tail.seq)
    return tail


class JournalReader:
    """Reads one journal file that another process may be writing. It cannot change the file (SQLite `mode=ro`). One thread."""

    def __init__(self, path: Path) -> None:
        """Open a journal file.

        Raises:
            JournalError: no such file, no right to read, or a newer format.
            JournalDamaged: the file is not a readable journal.
        """
        self.path = path
        try:
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=2.0)
        except sqlite3.Error as error:
            raise JournalError(f"{path} cannot be opened ({error}); check that the file exists and may be read") from error
        try:
            self._about = about(self._connection)
        except JournalError as error:
            self._connection.close()
            error.args = (f"{path}: {error}",)
            raise
        self.journal_id = self._about.journal_id
        self.device = self._about.device
        self.signing_key = self._about.signing_key
        self.stream = self._about.stream

    def about(self) -> About:
        """What the file says of itself now."""
        return about(self._connection)

    def last_seq(self) -> int:
        """The highest committed seq. Raises JournalDamaged or JournalError."""
        return last_seq(self._connection)

    def first_held(self) -> int:
        """The lowest seq that was not pruned."""
        return about(self._connection).pruned_through + 1

    def hash_of(self, seq: int) -> bytes | None:
        """The hash of an entry, or None when it is not held (pruned, or not yet written)."""
        head = about(self._connection)
        if seq == head.pruned_through:
            return head.pruned_hash if seq else NO_HASH
        for row in read_rows(self._connection, head, after=seq - 1, limit=1):
            return row.hash
        return None

    def rows(self, after: int, *, limit: int = -1, prev_hash: bytes | None = None) -> Iterator[Row]:
        """Entries after seq `after`, oldest first, checked; see read_rows for what it raises."""
        return read_rows(self._connection, about(self._connection), after=after, limit=limit, prev_hash=prev_hash)

    def verify(self) -> Tail:
        """Check every entry held. Raises JournalDamaged naming the first bad one."""
        return verified_tail(self._connection, about(self._connection), depth=None)

    def free_share(self, budget_bytes: int) -> float:
        """The share of the journal's budget that is free, 0–1, like `Journal.free_share` but for the disk. Raises JournalError."""
        try:
            (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
            (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        except sqlite3.Error as error:
            raise JournalError(f"{self.path} cannot be read: {error}") from error
        budget = budget_bytes // PAGE_BYTES
        return max(0.0, min(1.0, float(free + max(0, budget - pages)) / budget))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> "JournalReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def used_bytes(path: Path) -> int:
    """What a journal takes on the disk, write-ahead log included."""
    total = 0
    for suffix in ("", "-wal", "-shm"):
        try:
            total += os.stat(f"{path}{suffix}").st_size
        except FileNotFoundError:
            continue
    return total
