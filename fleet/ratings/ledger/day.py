"""A day's batch: every closed rating that the log lacks, services given, devices and certificates, and the head before.

The batch of a day is made once, after the day. A rating that arrives later goes into the batch of the day it arrives: what is
signed never changes.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from fleet.ratings.ledger import entries
from fleet.ratings.ledger.entries import Entry, Standing
from fleet.ratings.ledger.log import Head, LedgerError
from fleet.ratings.ledger.tables import ledger_entries, ledger_told
from fleet.ratings.tables import ratings, services
from fleet.registry.tables import certificates, devices
from wire.leaf import scalar

CHUNK = 10_000
_STANDINGS: dict[str, Standing] = {"counted": "counted", "uninvited": "apart", "repeated": "apart", "unreadable": "unreadable"}


def gather(connection: Connection, label: str, *, end_ms: int, now_ms: int, before: Head | None) -> list[Entry]:
    """The entries of the day `label`, which ended at `end_ms`; what they tell is marked as told.

    Raises LedgerError when ratings were read by a release that did not keep what opens their leaves.
    """
    found = list(_ratings(connection, end_ms=end_ms, now_ms=now_ms))
    made = [entries.day(label, len(found)), *found]
    if before is not None:
        made.append(entries.head(before.size, before.root))
    made += _services(connection, label, end_ms=end_ms)
    made += _devices(connection)
    made += _certificates(connection)
    return made


def _ratings(connection: Connection, *, end_ms: int, now_ms: int) -> Iterator[Entry]:
    # A device whose clock runs years ahead must not keep its ratings out of the log for years.
    ended = or_(ratings.c.at_ms < end_ms, ratings.c.at_ms > now_ms)
    where = (ratings.c.in_ledger.is_(False), ratings.c.leaf.is_not(None), ratings.c.outcome.in_(("rated", "uninvited")), ended)
    columns = [ratings.c[name] for name in ("no", "leaf", "hall", "window", "standing_of", "level", "secret")]
    rows = connection.execute(select(*columns).where(*where).order_by(ratings.c.no)).all()
    known = select(ledger_entries.c.leaf).join(ratings, ratings.c.leaf == ledger_entries.c.leaf).where(*where)
    there = {bytes(leaf) for leaf in connection.execute(known).scalars()}
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        for row in part:
            # The log has it when read models were made again, or when a device repeats another rating's leaf.
            if bytes(row.leaf) not in there:
                there.add(bytes(row.leaf))
                yield _rating(row)
        mark = update(ratings).where(ratings.c.no == bindparam("number")).values(in_ledger=True)
        connection.execute(mark, [{"number": row.no} for row in part])


def _rating(row: Any) -> Entry:
    standing = _STANDINGS.get(row.standing_of, "unreadable")
    if row.level is None:
        standing = "unreadable"
    elif row.secret is None:
        raise LedgerError(
            "有评价由旧版本读入，未保存承诺的密值。请先运行 nw-fleet rebuild",
            "ratings were read by an older release, which did not keep what opens their leaves; run `nw-fleet rebuild` first",
        )
    return entries.rating(
        bytes(row.leaf),
        hall=row.hall,
        window=row.window,
        standing=standing,
        arrival=row.no,
        level=row.level,
        scalar=scalar(bytes(row.secret)) if row.secret is not None else None,
    )


def _services(connection: Connection, label: str, *, end_ms: int) -> Iterator[Entry]:
    """The services given at each window up to the day's end, less what the log has already."""
    given = select(services.c.hall, services.c.window, func.count().label("n"))
    given = given.where(services.c.source != "asked", services.c.at_ms < end_ms).group_by(services.c.hall, services.c.window)
    told = _told(connection, "services")
    counts = {json.dumps([row.hall, row.window], ensure_ascii=False): row.n for row in connection.execute(given)}
    for subject in sorted(counts.keys() | told.keys()):
        count = counts.get(subject, 0)
        if new := count - told.get(subject, 0):
            hall, window = json.loads(subject)
            yield entries.services(label, hall, window, new)
            _tell(connection, "services", subject, count)


def _devices(connection: Connection) -> Iterator[Entry]:
    told = _told(connection, "device")
    for row in connection.execute(select(devices).order_by(devices.c.name)).all():
        revoked = int(row.revoked_ms is not None)
        if told.get(row.name) != revoked:
            yield entries.device(row.name, bytes(row.signing_key), row.role, "revoked" if revoked else "paired")
            _tell(connection, "device", row.name, revoked)


def _certificates(connection: Connection) -> Iterator[Entry]:
    told = _told(connection, "certificate")
    for row in connection.execute(select(certificates).order_by(certificates.c.serial)).all():
        if row.serial not in told:
            yield entries.certificate(row.serial, row.subject, hashlib.sha256(bytes(row.der)).digest())
            _tell(connection, "certificate", row.serial, 1)


def _told(connection: Connection, kind: str) -> dict[str, int]:
    query = select(ledger_told.c.subject, ledger_told.c.value).where(ledger_told.c.kind == kind)
    return {row.subject: row.value for row in connection.execute(query)}


def _tell(connection: Connection, kind: str, subject: str, value: int) -> None:
    connection.execute(delete(ledger_told).where(ledger_told.c.kind == kind, ledger_told.c.subject == subject))
    connection.execute(insert(ledger_told).values(kind=kind, subject=subject, value=value))
