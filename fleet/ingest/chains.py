"""Recomputing every journal from the signed bytes: proof that nothing in the store was lost, changed or added."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, select

from fleet.store import Store
from fleet.store.tables import batches, entries, journals
from wire.codec import WireError, decode
from wire.custody import BatchSigned
from wire.entry import NO_HASH, check_body, follow
from wire.signing import verify, verify_key


class Fault(Struct, frozen=True):
    """What does not fit, and where. `journal_id` in hexadecimal."""

    journal_id: str
    device: str
    seq: int
    what: str


class ChainReport(Struct, frozen=True):
    """`verified` counts journals without a fault, `entries` those that were recomputed; `marks` is (seq, hash) by journal id."""

    journals: int
    verified: int
    entries: int
    faults: list[Fault]
    marks: dict[bytes, tuple[int, bytes]]


class _Wrong(Exception):
    def __init__(self, seq: int, what: str) -> None:
        super().__init__(what)
        self.seq, self.what = seq, what


def verify_chains(store: Store) -> ChainReport:
    """Recompute signatures, chains and bodies of all journals, and compare them with every stored column.

    One consistent view, whatever is written meanwhile. About 15 µs an entry; memory stays small.
    """
    faults: list[Fault] = []
    marks: dict[bytes, tuple[int, bytes]] = {}
    total = 0
    with store.read() as connection:
        rows = connection.execute(select(journals).order_by(journals.c.no)).mappings().all()
        for row in rows:
            try:
                total += _check_journal(connection, dict(row))
                marks[bytes(row["journal_id"])] = (row["seq"], bytes(row["hash"]))
            except _Wrong as wrong:
                faults.append(Fault(bytes(row["journal_id"]).hex(), row["device"], wrong.seq, wrong.what))
    return ChainReport(len(rows), len(marks), total, faults, marks)


def _check_journal(connection: Connection, journal: dict[str, Any]) -> int:
    """Walk one journal; gives its number of entries. Raises _Wrong at the first thing that does not fit."""
    key = verify_key(bytes(journal["signing_key"]))
    next_seq, last_hash = 1, NO_HASH
    query = select(batches).where(batches.c.journal_no == journal["no"]).order_by(batches.c.no).execution_options(yield_per=100)
    for batch in connection.execute(query).mappings():
        try:
            verify(key, "batch", bytes(batch["signed"]), bytes(batch["signature"]))
            content = decode(bytes(batch["signed"]), BatchSigned)
            fresh = content.headers[next_seq - content.first_seq :] if content.first_seq < next_seq else content.headers
            chain = follow(fresh, journal_id=bytes(journal["journal_id"]), next_seq=next_seq, prev_hash=last_hash)
        except WireError as error:
            raise _Wrong(next_seq, str(error)) from error
        stored = _stored(connection, journal["no"], next_seq, batch["last_seq"])
        for header, digest in chain:
            row = next(stored, None)
            if row is None or row["seq"] != header.seq:
                raise _Wrong(header.seq, "the entry is missing")
            same = (header.kind, header.kind_version, header.wall_ms, header.clock_trust, digest)
            if same != (row["kind"], row["kind_version"], row["wall_ms"], row["clock_trust"], bytes(row["hash"])):
                raise _Wrong(header.seq, "a stored column is not what the device signed")
            try:
                check_body(header, bytes(row["salt"]), bytes(row["body"]))
            except WireError as error:
                raise _Wrong(header.seq, str(error)) from error
            next_seq, last_hash = header.seq + 1, digest
    if (next_seq - 1, last_hash) != (journal["seq"], bytes(journal["hash"])):
        raise _Wrong(next_seq, f"the chain ends at {next_seq - 1}, the high-water mark says {journal['seq']}")
    extra = select(entries.c.seq).where(entries.c.journal_no == journal["no"], entries.c.seq >= next_seq).limit(1)
    if (beyond := connection.execute(extra).scalar()) is not None:
        raise _Wrong(beyond, "the entry stands beyond the high-water mark")
    return next_seq - 1


def _stored(connection: Connection, journal_no: int, first: int, last: int) -> Iterator[Any]:
    query = select(entries).where(entries.c.journal_no == journal_no, entries.c.seq.between(first, last)).order_by(entries.c.seq)
    return iter(connection.execute(query).mappings())
