"""The audit log: what people and other systems did, chained so that a changed row shows. Only `append` writes it."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence

from msgspec import Struct
from sqlalchemy import Connection, insert, or_, select

from fleet.access.tables import audit
from fleet.store import Store

_FIRST = bytes(32)


class Act(Struct, frozen=True, kw_only=True):
    """One row of the log. `action` is a dotted verb such as `incident.take`, `subject` what it was done to."""

    no: int
    at_ms: int
    actor: str
    action: str
    subject: str
    detail: str
    address: str


def append(
    connection: Connection, *, at_ms: int, actor: str, action: str, subject: str = "", detail: str = "", address: str = ""
) -> None:
    """Add a row in the caller's transaction, so that deed and record stand or fall together."""
    last = connection.execute(select(audit.c.hash).order_by(audit.c.no.desc()).limit(1)).scalar()
    previous = bytes(last) if last else _FIRST
    row = {
        "at_ms": at_ms,
        "actor": actor,
        "action": action,
        "subject": subject[:500],
        "detail": detail[:4_000],
        "address": address[:200],
    }
    connection.execute(insert(audit).values(**row, previous=previous, hash=_hash(previous, row)))


def _hash(previous: bytes, row: dict[str, object]) -> bytes:
    text = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(b"nightwindow/1/audit\0" + previous + text.encode()).digest()


class Audit:
    """Reading the log, and writing rows for deeds that change nothing else in the store."""

    def __init__(self, store: Store, *, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._store = store
        self._clock_ms = clock_ms

    def note(self, actor: str, action: str, *, subject: str = "", detail: str = "", address: str = "") -> None:
        """Write one row in a transaction of its own."""
        with self._store.write() as connection:
            append(connection, at_ms=self._clock_ms(), actor=actor, action=action, subject=subject, detail=detail, address=address)

    def read(self, *, search: str = "", before: int | None = None, limit: int = 50, without: Sequence[str] = ()) -> list[Act]:
        """Rows newest first, at most `limit`; `before` is the `no` to go on from; `search` looks in all words of a row.

        Deeds named in `without` are left out.
        """
        query = select(audit.c.no, audit.c.at_ms, audit.c.actor, audit.c.action, audit.c.subject, audit.c.detail, audit.c.address)
        if before is not None:
            query = query.where(audit.c.no < before)
        if without:
            query = query.where(audit.c.action.not_in(without))
        if search:
            columns = (audit.c.actor, audit.c.action, audit.c.subject, audit.c.detail)
            query = query.where(or_(*(column.contains(search, autoescape=True) for column in columns)))
        with self._store.read() as connection:
            return [Act(**row) for row in connection.execute(query.order_by(audit.c.no.desc()).limit(limit)).mappings()]

    def verify(self) -> int | None:
        """Recompute the chain; gives the `no` of the first row that does not fit, or None when all do."""
        previous = _FIRST
        with self._store.read() as connection:
            for row in connection.execute(select(audit).order_by(audit.c.no)).mappings():
                fields = {key: row[key] for key in ("at_ms", "actor", "action", "subject", "detail", "address")}
                if bytes(row["previous"]) != previous or bytes(row["hash"]) != _hash(previous, fields):
                    return int(row["no"])
                previous = bytes(row["hash"])
        return None
