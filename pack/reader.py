"""Opens a pack and answers from it. This is what a terminal uses; open it to see what can be asked."""

import os
import sqlite3
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

import msgspec

from pack.errors import PackDamaged, PackMissing, PackTooNew, UnknownCode
from pack.model import Department, Hall, Item, Language, Scenario, Window
from pack.seal import SCHEMA, PackManifest, verify
from pack.search import Hit, Index

_T = TypeVar("_T")


class Pack:
    """A verified pack, open for reading. May be used from several threads; close it when done."""

    def __init__(self, connection: sqlite3.Connection, manifest: PackManifest) -> None:
        self.manifest = manifest
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _bodies(self, sql: str, arguments: tuple[object, ...], kind: type[_T]) -> Iterator[_T]:
        try:
            rows = self._connection.execute(sql, arguments).fetchall()
            return iter([msgspec.json.decode(body, type=kind) for (body,) in rows])
        except (sqlite3.DatabaseError, msgspec.DecodeError) as error:
            raise PackDamaged(f"the content pack cannot be read ({error}); fetch it again") from error

    def _one(self, table: str, code: str, kind: type[_T]) -> _T:
        for found in self._bodies(f"SELECT body FROM {table} WHERE code = ?", (code,), kind):
            return found
        raise UnknownCode(f"pack {self.manifest.version} of hall {self.manifest.hall} has no {table} {code!r}")

    @cached_property
    def hall(self) -> Hall:
        """The hall that the content belongs to."""
        return next(self._bodies("SELECT body FROM hall", (), Hall))

    def windows(self) -> tuple[Window, ...]:
        """The hall's windows, in the order their signs are numbered."""
        return self.hall.windows

    def item(self, code: str) -> Item:
        """The item with this code. Raises `UnknownCode`."""
        return self._one("item", code, Item)

    def items(self, *, limit: int = 20) -> list[Item]:
        """The items asked for most, best first."""
        return list(self._bodies("SELECT body FROM item ORDER BY id LIMIT ?", (limit,), Item))

    def departments(self) -> list[Department]:
        """All departments, in the order the hall lists them."""
        return list(self._bodies("SELECT body FROM department ORDER BY id", (), Department))

    def department(self, code: str) -> Department:
        """The department with this code. Raises `UnknownCode`."""
        return self._one("department", code, Department)

    def items_of(self, department: str) -> list[Item]:
        """A department's items, those asked for most first; empty for an unknown department."""
        return list(self._bodies("SELECT body FROM item WHERE department = ? ORDER BY id", (department,), Item))

    def scenarios(self) -> list[Scenario]:
        """All scenarios, those asked for most first."""
        return list(self._bodies("SELECT body FROM scenario ORDER BY id", (), Scenario))

    def scenario(self, code: str) -> Scenario:
        """The scenario with this code. Raises `UnknownCode`."""
        return self._one("scenario", code, Scenario)

    @cached_property
    def _index(self) -> Index:
        return Index(self._connection)

    def search(self, query: str, *, limit: int = 20, language: Language = "zh") -> list[Hit]:
        """Items that match what has been typed so far, best first; see `pack.search.Index.search`."""
        try:
            return self._index.search(query, limit=limit, language=language)
        except (sqlite3.DatabaseError, msgspec.DecodeError) as error:
            raise PackDamaged(f"the content pack cannot be searched ({error}); fetch it again") from error

    def search_keys(self, digits: str, *, limit: int = 20, language: Language = "zh") -> list[Hit]:
        """Items for digits of a telephone's keys, best first; see `pack.search.Index.search_keys`."""
        try:
            return self._index.search_keys(digits, limit=limit, language=language)
        except (sqlite3.DatabaseError, msgspec.DecodeError) as error:
            raise PackDamaged(f"the content pack cannot be searched ({error}); fetch it again") from error


def _connect(path: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    return sqlite3.connect(address, uri=True, check_same_thread=False, cached_statements=64)


def open_pack(path: Path | str, *, verify_key: bytes | None) -> Pack:
    """Verify the file at `path` from its first byte to its last and open it.

    The pack stays readable when the file is replaced or removed later.

    Args:
        verify_key: raw 32-byte Ed25519 public key of the fleet (Welcome.fleet_key). None checks only that the file is
            whole, for tools that a person runs on a file of their own; devices always give a key.

    Raises:
        PackMissing, PackTruncated, PackDamaged, PackForged, PackTooNew: each message says what to do.
    """
    path = Path(path)
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise PackMissing(f"there is no content pack at {path}; fetch one from the fleet server") from None
    with file:
        manifest = verify(file, path=str(path), verify_key=verify_key)
        connection = _connect(path)
        try:
            (schema,) = connection.execute("PRAGMA user_version").fetchone()
            if schema > SCHEMA:
                raise PackTooNew(f"{path} has schema {schema}; this software reads up to {SCHEMA}: update the software")
            (hall,) = connection.execute("SELECT code FROM hall").fetchone()
            if hall != manifest.hall:
                raise PackDamaged(f"{path} holds hall {hall} but its manifest states {manifest.hall}; fetch it again")
            # SQLite opens by name: a file put in place meanwhile would not be the one that was verified.
            if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
                raise PackDamaged(f"{path} was replaced while it was being opened; open it again")
        except (sqlite3.DatabaseError, TypeError, FileNotFoundError) as error:
            connection.close()
            raise PackDamaged(f"{path} is not a readable database ({error}); fetch it again") from error
        except BaseException:
            connection.close()
            raise
    return Pack(connection, manifest)
