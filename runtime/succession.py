"""How a journal comes into being and how one that cannot go on is succeeded. Faces and agent use runtime.journal."""

import contextlib
import fcntl
import os
import secrets
import shutil
import sqlite3
from pathlib import Path
from typing import IO, NamedTuple

from runtime import journalfile
from runtime.clock import Clock
from runtime.identity import Identity, sync_directory
from runtime.journalfile import (
    PAGE_BYTES,
    About,
    JournalDamaged,
    JournalError,
    JournalFull,
    Stream,
    Tail,
    is_damage,
    is_full,
)
from wire.entry import NO_HASH, Entry, header_hash, make_entry
from wire.kinds import JournalOpened, Predecessor, encode_body
from wire.messages import Placement

DISK_RESERVE_BYTES = 4 * 1_048_576
"""With less free disk than this the journal counts as full: the write-ahead log needs room that is not preallocated."""
MAX_FILES = 9
"""Journals a stream may have at once. More means that the disk is destroying them, which a person has to see."""


class Appended(NamedTuple):
    """A committed entry: its place, its hash and the time it carries."""

    seq: int
    hash: bytes
    wall_ms: int


class Plan(NamedTuple):
    """What every journal of a stream is made with."""

    directory: Path
    stream: Stream
    identity: Identity
    clock: Clock
    budget_bytes: int
    placement: Placement | None
    """What the first entry of the next journal names."""


def made(journal_id: bytes, tail: Tail, kind: str, version: int, body: bytes, clock: Clock) -> tuple[Entry, Appended]:
    """The entry that follows `tail`, with its place; nothing is written."""
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


def explained(error: sqlite3.Error, path: Path) -> JournalError:
    """SQLite's complaint as an error of ours, with what to do."""
    if is_full(error):
        return JournalFull(
            f"{path} is full ({error}): the fleet has archived too little of it, or the disk is full. "
            "Bring the device online, or raise journal.evidence_budget_mb. Nothing was written"
        )
    return JournalError(f"{path} cannot be written: {error}. Check the disk; nothing counts as written")


def take_lock(path: Path) -> IO[str]:
    """Become the only writer of a stream while the file is open. Raises JournalError when another is."""
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


def note_id(lock: IO[str], journal_id: bytes) -> None:
    """Keep the journal's id outside its file, so that a successor can name it when the file is gone or unreadable."""
    lock.seek(0)
    if lock.read().strip() == journal_id.hex():
        return
    lock.seek(0)
    lock.truncate()
    lock.write(journal_id.hex())
    lock.flush()
    os.fsync(lock.fileno())


def noted_id(lock: IO[str]) -> bytes | None:
    lock.seek(0)
    try:
        raw = bytes.fromhex(lock.read().strip())
    except ValueError:
        return None
    return raw if len(raw) == 16 else None


def missing(lock: IO[str]) -> Predecessor | None:
    """What the first journal found says of one that was there before and whose file is gone."""
    noted = noted_id(lock)
    if noted is None:
        return None
    return Predecessor(journal_id=noted, last_seq=0, last_hash=NO_HASH, gap="the journal's file is missing")


def connect(path: Path) -> sqlite3.Connection:
    """A connection whose commits are on the disk when they return. Raises sqlite3.Error."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2.0)
    try:
        connection.execute("PRAGMA synchronous=FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def reason_to_close(path: Path, identity: Identity) -> str | None:
    """Why the journal at `path` cannot be continued, or None. Raises JournalError when the disk, not the content, is at fault."""
    try:
        with contextlib.closing(connect(path)) as connection:
            head = journalfile.about(connection)
            if (head.device, head.signing_key) != (identity.device, identity.signing_key):
                return f"made by {head.device}, this device is {identity.device}"
            journalfile.verified_tail(connection, head)
    except JournalDamaged as error:
        return str(error)[:200]
    except sqlite3.Error as error:
        if not is_damage(error):
            raise explained(error, path) from error
        return f"the file is no database any more: {error}"
    return None


def predecessor_of(path: Path, gap: str, lock: IO[str]) -> Predecessor:
    """What a successor says of the journal at `path`: how far it can be read."""
    head, tail = None, Tail(0, NO_HASH)
    with contextlib.suppress(JournalError, sqlite3.Error), contextlib.closing(connect(path)) as connection:
        head = journalfile.about(connection)
        tail = Tail(head.pruned_through, head.pruned_hash)
        for row in journalfile.read_rows(connection, head, after=tail.seq, prev_hash=tail.hash):
            tail = Tail(row.header.seq, row.hash)
    journal_id = head.journal_id if head else noted_id(lock) or bytes(16)
    return Predecessor(journal_id=journal_id, last_seq=tail.seq, last_hash=tail.hash, gap=gap[:200])


def placement_in(path: Path, identity: Identity) -> Placement | None:
    """The placement that the journal at `path` named last, when it is this device's; None when it cannot be told."""
    with contextlib.suppress(JournalError, sqlite3.Error), contextlib.closing(connect(path)) as connection:
        if journalfile.about(connection).signing_key == identity.signing_key:
            return journalfile.last_placement(connection)
    return None


def create(plan: Plan, number: int, before: Predecessor | None) -> Path:
    """Make a journal file with its first entry and its whole budget, under a temporary name first: it exists whole or not."""
    directory, budget_bytes = plan.directory, plan.budget_bytes
    if len(journalfile.files(directory, plan.stream)) >= MAX_FILES:
        raise JournalError(
            f"{directory} already holds {MAX_FILES} {plan.stream} journals, so this disk damages them or nothing is handed over. "
            "Replace the card, or move the old files away after copying them"
        )
    path = journalfile.file_path(directory, plan.stream, number)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
            _fill(connection, plan, before)
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


def _fill(connection: sqlite3.Connection, plan: Plan, before: Predecessor | None) -> None:
    identity = plan.identity
    connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute(f"PRAGMA application_id={journalfile.APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={journalfile.FORMAT}")
    connection.executescript(journalfile.SCHEMA)
    # Dropping a table leaves its pages in the file as free ones: that is how the budget is taken from the disk in advance.
    connection.execute("CREATE TABLE room (filler BLOB)")
    for _ in range(plan.budget_bytes // 1_048_576):
        connection.execute("INSERT INTO room VALUES (zeroblob(1048576))")
    connection.execute("DROP TABLE room")
    opened = JournalOpened(
        device=identity.device,
        stream=plan.stream,
        signing_key=identity.signing_key,
        placement=plan.placement,
        predecessor=before,
    )
    journal_id = secrets.token_bytes(16)
    entry, _ = made(journal_id, Tail(0, NO_HASH), "journal.opened", 1, encode_body("journal.opened", opened), plan.clock)
    head = About(journal_id, plan.stream, identity.device, identity.signing_key, 0, NO_HASH)
    connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)", head)
    connection.execute("INSERT INTO entries VALUES (1, ?, ?, ?)", (entry.header_bytes, entry.salt, entry.body))
    connection.execute("PRAGMA journal_mode=WAL")
