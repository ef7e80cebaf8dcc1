"""`nw-fleet ledger verify`: the fleet's own check of the whole ledger, with what only the fleet knows. Every fault is named."""

import json
from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from nacl import bindings as sodium
from sqlalchemy import Connection, func, select

from fleet.ratings.ledger.entries import digest
from fleet.ratings.ledger.service import Ledger
from fleet.ratings.ledger.tables import ledger_entries, ledger_heads, ledger_statements, ledger_tiles
from fleet.ratings.tables import ratings
from fleet.store import Store
from wire.leaf import LEVEL_POINTS
from wire.note import Checkpoint, check_note, read_checkpoint, read_note
from wire.signing import BadSignature
from wire.tree import HASH_BYTES, fold, leaf_hash, root

CHUNK = 5_000


class Audit(Struct, frozen=True):
    """What was found; no faults means that everything fits."""

    entries: int
    ratings: int
    heads: int
    faults: list[str]


def audit(ledger: Ledger, *, openings: bool = True) -> Audit:
    """Recompute the ledger from its rows. `openings` also opens every leaf, about 60 µs each."""
    faults = list(_entries(ledger.store, openings=openings))
    with ledger.store.read() as connection:
        faults += _heads(connection, ledger)
        faults += _statements(connection)
        faults += _ratings(connection)
        of = ledger_entries.c
        counts = [connection.execute(select(func.count(column))).scalar_one() for column in (of.position, of.leaf)]
        heads = connection.execute(select(func.count()).select_from(ledger_heads)).scalar_one()
    return Audit(counts[0], counts[1], heads, faults)


def _entries(store: Store, *, openings: bool) -> Iterator[str]:
    """Each row against the tree's lowest tile, its own columns, and its leaf's opening.

    In short transactions: it takes minutes, and on SQLite a reader keeps others from writing.
    """
    of, position = ledger_entries.c, 0
    while True:
        query = select(ledger_entries).where(of.position >= position, of.position < position + CHUNK).order_by(of.position)
        with store.read() as connection:
            rows = connection.execute(query).all()
            hashes = _lowest(connection, position, position + CHUNK)
        if not rows and not hashes:
            return
        found = {row.position: row for row in rows}
        for number in sorted(found.keys() | hashes.keys()):
            row = found.get(number)
            if row is None:
                yield f"entry {number} is missing"
            elif number not in hashes:
                yield f"entry {number} is not in the tree"
            else:
                yield from _row(row, hashes[number], openings=openings)
        position += CHUNK


def _row(row: Any, wanted: bytes, *, openings: bool) -> Iterator[str]:
    if leaf_hash(bytes(row.data)) != wanted:
        yield f"entry {row.position} was altered: it is not the one in the tree"
        return
    if row.leaf is None:
        return
    told = ["rating", bytes(row.leaf).hex(), row.hall, row.window, row.standing]
    if json.loads(bytes(row.data)) != told:
        yield f"entry {row.position} was altered: leaf, hall, window or standing differ from what it says"
    elif openings and row.standing != "unreadable" and not _opens(row):
        yield f"entry {row.position} was altered: its leaf does not open to the level and scalar kept with it"


def _opens(row: Any) -> bool:
    if row.level not in LEVEL_POINTS or row.scalar is None or len(row.scalar) != 32 or not any(row.scalar):
        return False
    blind = sodium.crypto_scalarmult_ed25519_base_noclamp(bytes(row.scalar))
    return bytes(row.leaf) == bytes(sodium.crypto_core_ed25519_add(blind, LEVEL_POINTS[row.level]))


def _lowest(connection: Connection, start: int, end: int) -> dict[int, bytes]:
    """The tree's hashes of entries start–end, by position."""
    at = ledger_tiles.c
    query = select(at.number, at.hashes).where(at.level == 0, at.number >= start // 256, at.number <= (end - 1) // 256)
    found = {}
    for row in connection.execute(query):
        raw = bytes(row.hashes)
        for offset in range(len(raw) // HASH_BYTES):
            found[row.number * 256 + offset] = raw[offset * HASH_BYTES : (offset + 1) * HASH_BYTES]
    return {position: each for position, each in found.items() if start <= position < end}


def _heads(connection: Connection, ledger: Ledger) -> Iterator[str]:
    """Tiles above the lowest, then every head's signature and root."""
    ledger.log.forget()
    at = ledger_tiles.c
    upper: dict[tuple[int, int], bytes] = {}
    for row in connection.execute(select(ledger_tiles).where(at.level > 0)):
        raw = bytes(row.hashes)
        for offset in range(len(raw) // HASH_BYTES):
            upper[row.level - 1, row.number * 256 + offset] = raw[offset * HASH_BYTES : (offset + 1) * HASH_BYTES]
    for row in connection.execute(select(ledger_tiles)):
        raw = bytes(row.hashes)
        if len(raw) == 256 * HASH_BYTES:
            hashes = [raw[start : start + HASH_BYTES] for start in range(0, len(raw), HASH_BYTES)]
            if upper.get((row.level, row.number)) != fold(hashes):
                yield f"tile {row.number} of level {row.level} was altered: the tile above holds another hash of it"
    for row in connection.execute(select(ledger_heads).order_by(ledger_heads.c.size)).all():
        try:
            note = read_note(row.note)
            check_note(note, ledger.origin, ledger.key)
            said = read_checkpoint(note.text)
        except (ValueError, BadSignature) as error:
            yield f"the head after {row.label} was altered: {error}"
            continue
        if (
            said != Checkpoint(ledger.origin, row.size, bytes(row.root))
            or root(row.size, ledger.log.node(connection, row.size)) != said.root
        ):
            yield f"the entries up to {row.label} do not lead to its signed head"


def _statements(connection: Connection) -> Iterator[str]:
    told = {}
    for data in connection.execute(select(ledger_entries.c.data).where(ledger_entries.c.leaf.is_(None))).scalars():
        entry = json.loads(bytes(data))
        if entry[0] == "cells":
            told[entry[1]] = entry[2]
    for row in connection.execute(select(ledger_statements)).all():
        if told.pop(row.month, None) != digest(bytes(row.body)).hex():
            yield f"the statement of {row.month} was altered: the log holds another hash of it"
    for month in told:
        yield f"the statement of {month} is missing"


def _ratings(connection: Connection) -> Iterator[str]:
    """Each leaf against the signed entries' read model: nothing in the log that no device handed over, and the reverse."""
    of = ledger_entries.c
    missing = select(of.position).outerjoin(ratings, ratings.c.leaf == of.leaf).where(of.leaf.is_not(None), ratings.c.no.is_(None))
    for position in connection.execute(missing.limit(20)).scalars():
        yield f"entry {position} is a rating that no device handed over"
    lost = select(ratings.c.no, ratings.c.day).outerjoin(ledger_entries, ratings.c.leaf == of.leaf)
    for row in connection.execute(lost.where(ratings.c.in_ledger.is_(True), of.position.is_(None)).limit(20)):
        yield f"rating {row.no} of {row.day} is marked as entered and is not in the ledger"
