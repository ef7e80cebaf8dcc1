"""The ledger as the others use it: keep it up, give heads and proofs, find a receipt, take cosignatures."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from nacl.signing import SigningKey
from sqlalchemy import Connection, delete, func, insert, select

from fleet.ratings.ledger import entries
from fleet.ratings.ledger.cells import publish, statement
from fleet.ratings.ledger.day import gather
from fleet.ratings.ledger.log import Head, LedgerError, Log
from fleet.ratings.ledger.tables import (
    ledger_cosignatures,
    ledger_entries,
    ledger_heads,
    ledger_statements,
    ledger_witnesses,
)
from fleet.ratings.tables import ratings
from fleet.registry.service import Registry
from fleet.store import Store
from wire.leaf import read_receipt_code
from wire.note import Checkpoint, check_cosignature, check_note, read_checkpoint, read_note, read_verifier_key
from wire.note import verifier_key as written_key
from wire.tree import BadProof, check_inclusion, leaf_hash

GRACE = timedelta(minutes=30)
"""How long after midnight a day's batch is made: devices that are online have handed over what they had."""
MOST_DAYS_BACK = 62
CELLS = "cells "


class Found(Struct, frozen=True, kw_only=True):
    """One entry of the log with its proof. `data` is its exact bytes, `day` the batch it came with."""

    position: int
    data: bytes
    day: str
    standing: str
    head: Head
    proof: tuple[bytes, ...]
    sound: bool
    """Whether the proof leads from these bytes to the head, and the head is signed by this fleet."""


class Ledger:
    """The public ledger of one fleet. `key` signs its heads; days are those of the county's first hall."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        *,
        tenant: str,
        key: SigningKey,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.store = store
        self.origin = f"nightwindow/{tenant}"
        self.key = bytes(key.verify_key)
        self.log = Log(self.origin, key)
        self._registry = registry
        self._clock_ms = clock_ms

    @property
    def verifier_key(self) -> str:
        """The key that heads are checked with, as people pass it on."""
        return written_key(self.origin, self.key)

    # Keeping it up

    def keep_up(self) -> list[Head]:
        """Append every finished day, and publish every finished month; gives the new heads."""
        made: list[Head] = []
        while (day := self._next_day()) is not None:
            made.append(self.append_day(day))
        return made

    def append_day(self, day: date) -> Head:
        """Append one day's batch; on a month's last day its cells follow, and theirs is the head given back.

        Raises LedgerError when the day is there already or not over.
        """
        end_ms = int(self._end(day).timestamp() * 1000)
        with self._writing() as connection:
            before = self.log.head(connection)
            last = _last_day(connection)
            if end_ms > self._clock_ms():
                raise LedgerError(f"{day} 尚未结束", f"{day} is not over; its batch is made after midnight")
            if last is not None and day <= last:
                raise LedgerError(f"{day} 已在账本中", f"{day} is in the ledger already, which goes through {last}")
            batch = gather(connection, day.isoformat(), end_ms=end_ms, now_ms=self._clock_ms(), before=before)
            head = self.log.append(connection, day.isoformat(), batch, now_ms=self._clock_ms())
            if (day + timedelta(days=1)).day == 1:
                head = self._publish(connection, day.isoformat()[:7], head)
            return head

    def _publish(self, connection: Connection, month: str, end: Head) -> Head:
        now = self._clock_ms()
        last = connection.execute(select(ledger_statements.c.month).order_by(ledger_statements.c.month.desc()).limit(1)).scalar()
        first = _size_after(connection, last) if last else 0
        body = publish(connection, origin=self.origin, month=month, first=first, through=end.size, now_ms=now)
        batch = [entries.cells(month, entries.digest(body)), entries.head(end.size, end.root)]
        return self.log.append(connection, CELLS + month, batch, now_ms=now)

    def _next_day(self) -> date | None:
        """The day whose batch is due now, if any."""
        newest = (datetime.fromtimestamp(self._clock_ms() / 1000, self._zone()) - GRACE).date() - timedelta(days=1)
        with self.store.read() as connection:
            last = _last_day(connection)
            if last is not None:
                return last + timedelta(days=1) if last < newest else None
            oldest = connection.execute(select(func.min(ratings.c.at_ms)).where(ratings.c.leaf.is_not(None))).scalar()
        if oldest is None:
            return None
        begun = datetime.fromtimestamp(oldest / 1000, self._zone()).date()
        day = min(newest, max(begun, newest - timedelta(days=MOST_DAYS_BACK)))
        return day if begun <= newest else None

    def _zone(self) -> ZoneInfo:
        return ZoneInfo(next((hall.timezone for hall in self._registry.halls()), "Asia/Shanghai"))

    def _end(self, day: date) -> datetime:
        return datetime.combine(day + timedelta(days=1), clock_time(), self._zone())

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self.store.write() as connection:
                yield connection
        except BaseException:
            self.log.forget()
            raise

    # Heads and proofs

    def head(self, size: int | None = None) -> Head | None:
        """The newest head, or the one of that size, with its cosignatures."""
        with self.store.read() as connection:
            return self.log.head(connection, size)

    def heads(self, *, limit: int = 60) -> list[Head]:
        """The newest heads first, without cosignatures."""
        query = select(ledger_heads).order_by(ledger_heads.c.size.desc()).limit(limit)
        with self.store.read() as connection:
            rows = connection.execute(query).all()
        return [Head(size=row.size, label=row.label, root=bytes(row.root), note=row.note, made_ms=row.made_ms) for row in rows]

    def consistency(self, first: int, second: int) -> list[bytes]:
        """The proof between two of the log's sizes. Raises LedgerError for sizes that it has not."""
        with self.store.read() as connection:
            head = self.log.head(connection)
            if head is None or not 0 < first <= second <= head.size:
                raise LedgerError(
                    f"账本目前有 {head.size if head else 0} 条，请给出其中的两个大小",
                    f"the ledger has {head.size if head else 0} entries; give 0 < first <= second <= that",
                )
            return self.log.consistency(connection, first, second)

    def tile(self, level: int, number: int) -> bytes | None:
        """The hashes of one tile."""
        with self.store.read() as connection:
            return self.log.tile(connection, level, number)

    def statement(self, month: str) -> bytes | None:
        """A month's statement, byte for byte."""
        with self.store.read() as connection:
            body = connection.execute(select(ledger_statements.c.body).where(ledger_statements.c.month == month)).scalar()
        return bytes(body) if body is not None else None

    def months(self) -> list[str]:
        """Published months, newest first."""
        with self.store.read() as connection:
            query = select(ledger_statements.c.month).order_by(ledger_statements.c.month.desc())
            return list(connection.execute(query).scalars())

    def receipt(self, code: str) -> list[Found]:
        """The entries behind a receipt code: nearly always one, none while its day is not in the log.

        Raises Malformed for a code that cannot be one.
        """
        query = select(ratings.c.leaf).where(ratings.c.receipt == read_receipt_code(code), ratings.c.leaf.is_not(None))
        with self.store.read() as connection:
            leaves = [bytes(leaf) for leaf in connection.execute(query).scalars()]
            return [found for leaf in leaves if (found := self._find(connection, ledger_entries.c.leaf == leaf))]

    def proof(self, position: int) -> Found | None:
        """The entry at a position, with its proof to the newest head."""
        with self.store.read() as connection:
            return self._find(connection, ledger_entries.c.position == position)

    def _find(self, connection: Connection, where: object) -> Found | None:
        of = ledger_entries.c
        row = connection.execute(select(of.position, of.data, of.standing).where(where)).first()  # type: ignore[arg-type]
        head = self.log.head(connection)
        if row is None or head is None or row.position >= head.size:
            return None
        proof = tuple(self.log.inclusion(connection, row.position, head.size))
        with_it = select(ledger_heads.c.label).where(ledger_heads.c.size > row.position).order_by(ledger_heads.c.size).limit(1)
        day = connection.execute(with_it).scalar_one().removeprefix(CELLS)
        found = {"position": row.position, "data": bytes(row.data), "standing": row.standing or "", "day": day}
        return Found(**found, head=head, proof=proof, sound=self._is_sound(bytes(row.data), row.position, head, proof))

    def _is_sound(self, data: bytes, position: int, head: Head, proof: tuple[bytes, ...]) -> bool:
        try:
            note = read_note(head.note)
            check_note(note, self.origin, self.key)
            if read_checkpoint(note.text) != Checkpoint(self.origin, head.size, head.root):
                return False
            check_inclusion(leaf_hash(data), position, head.size, proof, head.root)
        except (ValueError, BadProof):
            return False
        return True

    # Witnesses

    def add_witness(self, key: str, *, by: str) -> str:
        """Let somebody outside cosign heads; gives his name. Raises Malformed for what is no verifier key."""
        name, _, raw = read_verifier_key(key)
        values = {"name": name, "key": raw, "added_ms": self._clock_ms(), "added_by": by}
        with self.store.write() as connection:
            connection.execute(delete(ledger_witnesses).where(ledger_witnesses.c.name == name))
            connection.execute(insert(ledger_witnesses).values(**values))
        return name

    def take_cosignature(self, size: int, line: str) -> str:
        """Keep a cosignature of the head of that size, by a registered witness or a device; gives the name.

        Raises LedgerError for a head or a signer that is not known, BadSignature or Malformed for a wrong line.
        """
        name = line.removeprefix("— ").partition(" ")[0]
        with self.store.write() as connection:
            head = self.log.head(connection, size)
            raw = connection.execute(select(ledger_witnesses.c.key).where(ledger_witnesses.c.name == name)).scalar()
            if raw is None:
                known = {each.name: each.signing_key for each in self._registry.devices() if not each.is_revoked}
                raw = known.get(name)
            if head is None or raw is None:
                raise LedgerError(
                    "账本没有这个大小的头，或签名者未登记",
                    f"the ledger has no head of size {size}, or {name[:40]!r} is no witness; see `nw-fleet ledger witness`",
                )
            seconds = check_cosignature(line, read_note(head.note).text, name, bytes(raw))
            same = (ledger_cosignatures.c.size == size, ledger_cosignatures.c.name == name)
            connection.execute(delete(ledger_cosignatures).where(*same))
            values = {"size": size, "name": name, "line": line.rstrip("\n") + "\n", "seen_ms": seconds * 1000}
            connection.execute(insert(ledger_cosignatures).values(**values))
        return name


def as_json(found: Found) -> dict[str, Any]:
    """An entry and its proof as programs get them."""
    return {
        "position": found.position,
        "batch": found.day,
        "entry": found.data.decode("utf-8", "replace"),
        "size": found.head.size,
        "root": found.head.root.hex(),
        "proof": [step.hex() for step in found.proof],
        "checkpoint": found.head.note,
    }


def _last_day(connection: Connection) -> date | None:
    query = select(ledger_heads.c.label).where(~ledger_heads.c.label.startswith(CELLS)).order_by(ledger_heads.c.size.desc())
    label = connection.execute(query.limit(1)).scalar()
    return date.fromisoformat(label) if label else None


def _size_after(connection: Connection, month: str) -> int:
    """How large the log was when a month's days ended: where its statement ends."""
    through: int = statement(connection, month)["through"]
    return through
