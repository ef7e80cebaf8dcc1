"""What the agent keeps between starts, in `agent.db`: custody marks, counters, which commands are done. One process writes it.

Losing this file loses no entry: the fleet's signed answer to the next Hello brings every mark back. It therefore is made
anew when it cannot be read.
"""

import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Any, NamedTuple

from sqlite_utils import Database

from runtime.journalfile import is_damage
from wire.entry import NO_HASH

COMMANDS_KEPT = 1_000


class StoreError(Exception):
    """`agent.db` cannot be used. `is_damage` tells that its content is wrong, so that only making it anew helps."""

    def __init__(self, message: str, *, is_damage: bool = False) -> None:
        super().__init__(message)
        self.is_damage = is_damage


class Mark(NamedTuple):
    """How far one journal has been handed over. `stopped` tells why nothing more is sent, or is empty."""

    in_custody: int = 0
    custody_hash: bytes = NO_HASH
    archived: int = 0
    stopped: str = ""


class AgentStore:
    """The agent's own small database. Thread-safe; every write is committed when the call returns."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; one that cannot be read is put aside as `agent.db.unreadable` and made anew.

        Raises StoreError when the directory cannot be written.
        """
        self._lock = threading.Lock()
        self.was_unreadable = False
        try:
            try:
                self._connection = _open(path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                self.was_unreadable = True
                for suffix in ("-wal", "-shm"):
                    path.with_name(path.name + suffix).unlink(missing_ok=True)
                path.replace(path.with_name(path.name + ".unreadable"))
                self._connection = _open(path)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{path} cannot be used ({error}); check the disk and who owns the file") from error

    def mark(self, journal_id: bytes) -> Mark:
        """The journal's mark; all zero for one never heard of."""
        row = self._one("SELECT in_custody, custody_hash, archived, stopped FROM marks WHERE journal_id = ?", journal_id)
        return Mark(*row) if row else Mark()

    def set_mark(self, journal_id: bytes, mark: Mark) -> None:
        """Keep a mark."""
        self._write("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?)", (journal_id, *mark))

    def get(self, key: str) -> bytes | None:
        """A kept value."""
        row = self._one("SELECT value FROM kept WHERE key = ?", key)
        return row[0] if row else None

    def put(self, key: str, value: bytes) -> None:
        """Keep a value under a key."""
        self._write("INSERT OR REPLACE INTO kept VALUES (?, ?)", (key, value))

    def number(self, key: str) -> int:
        """A kept number, 0 when there is none."""
        return int(self.get(key) or b"0")

    def add(self, key: str, amount: int, *, at_least: int = 0) -> int:
        """Raise a kept number by `amount`, and to `at_least`; give the new one."""
        before = self.number(key)
        value = max(before + amount, at_least)
        if value != before:
            self.put(key, str(value).encode())
        return value

    def command_state(self, command: bytes) -> str | None:
        """The last state that was reported of a command, or None for one never seen."""
        row = self._one("SELECT state FROM commands WHERE id = ?", command)
        return str(row[0]) if row else None

    def set_command_state(self, command: bytes, state: str) -> None:
        """Keep a command's state; the oldest beyond COMMANDS_KEPT are forgotten."""
        self._write("INSERT INTO commands (id, state) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state",
                    (command, state))  # fmt: skip
        self._write("DELETE FROM commands WHERE rowid <= (SELECT max(rowid) FROM commands) - ?", (COMMANDS_KEPT,))

    def unfinished_commands(self) -> list[bytes]:
        """Commands whose last state is none of the final ones, oldest first: an earlier run did not finish them."""
        with self._lock:
            rows = self._connection.execute("SELECT id FROM commands WHERE state IN ('received', 'running') ORDER BY rowid")
            return [row[0] for row in rows]

    def _one(self, sql: str, value: object) -> Any:
        with self._lock:
            try:
                return self._connection.execute(sql, (value,)).fetchone()
            except sqlite3.Error as error:
                raise StoreError(f"agent.db cannot be read: {error}", is_damage=is_damage(error)) from error

    def _write(self, sql: str, values: tuple[object, ...]) -> None:
        with self._lock:
            try:
                self._connection.execute(sql, values)
            except sqlite3.Error as error:
                message = f"agent.db cannot be written: {error}. Check the disk"
                raise StoreError(message, is_damage=is_damage(error)) from error

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        tables = Database(connection)
        marks = {"journal_id": bytes, "in_custody": int, "custody_hash": bytes, "archived": int, "stopped": str}
        tables.table("marks").create(marks, pk="journal_id", if_not_exists=True)
        tables.table("kept").create({"key": str, "value": bytes}, pk="key", if_not_exists=True)
        connection.execute("CREATE TABLE IF NOT EXISTS commands (rowid INTEGER PRIMARY KEY, id BLOB UNIQUE, state TEXT)")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.close()
        raise
    return connection


def read_mark(path: Path, journal_id: bytes) -> Mark:
    """A journal's mark, read beside a running agent; all zero when there is none to read."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0)) as connection:
            row = connection.execute(
                "SELECT in_custody, custody_hash, archived, stopped FROM marks WHERE journal_id = ?", (journal_id,)
            ).fetchone()
    except sqlite3.Error:
        return Mark()
    return Mark(*row) if row else Mark()
