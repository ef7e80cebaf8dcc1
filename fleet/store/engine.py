"""Opening, creating and using the store: `with store.write() as connection`. Both databases behave the same behind it.

SQLite: two files, one writing process each. `entries.db` (schema journal, WAL) belongs to ingest, `fleet.db` (schema fleet,
rollback journal) to serve and to commands; every process attaches the other's file read-only (docs/decisions/0008-…).
"""

import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, make_url, select
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from fleet.store import migrate
from fleet.store.schema import SCHEMAS, Writes
from fleet.store.tables import incarnations

FILES: dict[str, str] = {"journal": "entries.db", "fleet": "fleet.db"}
BUSY_TIMEOUT_S = 10.0
_NEWER = "schema {} was migrated by a later release; install that release or restore a backup of this one"


class StoreError(Exception):
    """Base of what can be wrong with the store as a whole."""


class StoreMissing(StoreError, FileNotFoundError):
    """There is no store at that place yet."""


class StoreNewer(StoreError):
    """A later release has migrated the store; this one must not touch it."""


class Store:
    """One process's view of the store. Everything is readable; writable is the schema named at opening.

    Thread-safe. On SQLite `write` lets one thread at a time in, so that threads queue here and not at the file's lock.
    """

    def __init__(self, engine: Engine, *, writes: Writes, location: str) -> None:
        self.engine = engine
        self.writes = writes
        self.location = location
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._writing = threading.RLock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection with one consistent view; whatever is changed on it is rolled back."""
        with self.engine.connect() as connection:
            connection.begin()
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises. Keep it short; never wait for a network in it.

        Raises sqlalchemy.exc.OperationalError when the disk is full or another process holds the lock for over 10 s.
        """
        if not self.is_sqlite:
            with self.engine.begin() as connection:
                yield connection
            return
        with self._writing, self.engine.connect() as raw:
            connection = raw.execution_options(nw_immediate=True)
            with connection.begin():
                yield connection

    @property
    def incarnation(self) -> bytes:
        """The 16 random bytes of the store's present life; a restore changes them."""
        with self.read() as connection:
            row = connection.execute(select(incarnations.c.incarnation).order_by(incarnations.c.no.desc()).limit(1)).first()
        if row is None:
            raise StoreError(f"the store at {self.location} has no incarnation; run `nw-fleet init` or restore a backup")
        return bytes(row[0])

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


def open_store(location: str | Path, *, writes: Writes) -> Store:
    """Open a store that `create_store` made: a data directory, or a `postgresql+psycopg://` URL.

    Raises StoreMissing when there is none, StoreNewer when a later release has migrated it, StoreError when it waits for
    migration (`nw-fleet init` migrates).
    """
    engine, shown = _engine(location, writes, create=False), _shown(location)
    with _explained(shown), engine.connect() as connection:
        standings = {schema: migrate.standing(connection, schema) for schema in SCHEMAS}
    for schema, standing in standings.items():
        if standing == "newer":
            raise StoreNewer(f"{shown}: {_NEWER.format(schema)}")
        if standing == "older":
            raise StoreError(f"{shown}: schema {schema} waits for migration; stop the fleet and run `nw-fleet init`")
    return Store(engine, writes=writes, location=shown)


def create_store(location: str | Path) -> None:
    """Make the store, or migrate it to this release; harmless when nothing is to do. The fleet must not run meanwhile.

    Raises StoreNewer when a later release has migrated it.
    """
    migrate_store(location)
    store = open_store(location, writes="journal")
    with store.write() as connection:
        if connection.execute(select(incarnations.c.no).limit(1)).first() is None:
            new_incarnation(connection, reason="made")
    store.close()


def migrate_store(location: str | Path) -> None:
    """The tables of this release, without giving a new store its incarnation."""
    if not _is_url(location):
        Path(location).mkdir(parents=True, exist_ok=True)
    for schema in SCHEMAS:
        engine, shown = _engine(location, schema, create=True), _shown(location)
        with _explained(shown), engine.connect() as connection:
            if migrate.standing(connection, schema) == "newer":
                raise StoreNewer(f"{shown}: {_NEWER.format(schema)}")
            migrate.upgrade(connection, schema)
            connection.commit()
        engine.dispose()


def new_incarnation(connection: Connection, *, reason: str) -> bytes:
    """Begin another life of the store; devices notice it and ask what was lost. Writes to schema journal."""
    fresh = secrets.token_bytes(16)
    connection.execute(insert(incarnations).values(incarnation=fresh, made_ms=time.time_ns() // 1_000_000, reason=reason))
    return fresh


@contextmanager
def _explained(shown: str) -> Iterator[None]:
    """Turn what the database says while it is opened into a StoreError."""
    try:
        yield
    except DatabaseError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise StoreError(
            f"{shown}: the database cannot be opened: {reason}. Start it, mend `database` in fleet.toml, or restore a backup"
        ) from error


def _shown(location: str | Path) -> str:
    """The location fit for a message: without a password."""
    try:
        return make_url(str(location)).render_as_string(hide_password=True) if _is_url(location) else str(location)
    except ArgumentError:
        return "the database address"


def _is_url(location: str | Path) -> bool:
    return isinstance(location, str) and "://" in location


def _engine(location: str | Path, writes: Writes, *, create: bool) -> Engine:
    if _is_url(location):
        try:
            return create_engine(str(location), pool_pre_ping=True)
        except (ArgumentError, NoSuchModuleError) as error:
            raise StoreError(
                f"{_shown(location)!r} is not a database address; write postgresql+psycopg://USER@HOST/DATABASE"
            ) from error
    folder = Path(location)
    missing = [FILES[s] for s in SCHEMAS if not (folder / FILES[s]).is_file()]
    if missing and not create:
        raise StoreMissing(f"{folder} has no {' and no '.join(missing)}; run `nw-fleet init --data {folder}` first")
    engine = create_engine(
        "sqlite://", creator=lambda: _connect(folder, writes, create=create), poolclass=QueuePool, pool_size=5, max_overflow=20
    )
    event.listen(engine, "begin", _begin)
    return engine


def _connect(folder: Path, writes: Writes, *, create: bool) -> sqlite3.Connection:
    """A connection whose own main database stays empty: both files are attached under their schema's name."""
    connection = sqlite3.connect("file::memory:", uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_S)
    for schema, file in FILES.items():
        path = (folder / file).absolute()
        if schema == writes:
            mode = "rwc" if create else "rw"
        elif path.is_file():
            mode = "ro"
        else:
            continue  # Only while `create_store` makes the two files one after the other.
        connection.execute("ATTACH DATABASE ? AS " + schema, (f"{path.as_uri()}?mode={mode}",))
    journal_mode = "WAL" if writes == "journal" else "TRUNCATE"
    connection.execute(f"PRAGMA {writes}.journal_mode={journal_mode}")
    connection.execute(f"PRAGMA {writes}.synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    if writes == "fleet":
        # Contact data that is erased when due is overwritten, not left in the file's free pages.
        connection.execute("PRAGMA fleet.secure_delete=ON")
    return connection


def _begin(connection: Connection) -> None:
    # A write transaction takes its lock at once: a lock taken later, after reading, can only fail, not wait.
    immediate: Any = connection.get_execution_options().get("nw_immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
