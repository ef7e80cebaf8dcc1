"""A month's statement: the cells' sums, what is carried, how many ratings people excluded. Each leaf is opened once, in one sum.

Decisions made after a leaf entered the log never move it: an upheld appeal is told as a number of its cell, so no two sums ever
differ by one rating (docs/decisions/0025).
"""

import hashlib
import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from fleet.ratings.ledger.partition import SMALLEST, Place, partition
from fleet.ratings.ledger.tables import ledger_entries, ledger_exclusions, ledger_statements
from fleet.ratings.rules import GOOD_LEVELS, LEVELS
from fleet.ratings.tables import rating_exclusions, ratings

FORMAT = "nightwindow/1/cells"
ORDER = 2**252 + 27742317777372353535851937790883648493
"""The order of the group that leaves are made in: scalars are numbers modulo it."""


def publish(connection: Connection, *, origin: str, month: str, first: int, through: int, now_ms: int) -> bytes:
    """Open the cells of the month whose batches end at size `through`; gives the statement's bytes, which are stored.

    `first` is where the statement before ended.
    """
    of = ledger_entries.c
    columns = (of.position, of.hall, of.window, of.standing, of.arrival, of.level, of.scalar)
    query = select(*columns).where(of.leaf.is_not(None), of.opened_in.is_(None), of.position < through).order_by(of.position)
    waiting: dict[Place, list[Any]] = defaultdict(list)
    apart: list[Any] = []
    unreadable = 0
    for row in connection.execute(query):
        if row.standing == "counted":
            waiting[row.hall, row.window].append(row)
        elif row.standing == "apart":
            apart.append(row)
        else:
            unreadable += row.position >= first
    cells, carried = _cells(waiting)
    opened = len(apart) >= SMALLEST
    _mark(connection, "counted", month, through, carried)
    if opened:
        _mark(connection, "apart", month, through, [])
    statement = {
        "format": FORMAT,
        "origin": origin,
        "month": month,
        "from": first,
        "through": through,
        "cells": cells,
        "carried": sorted(carried),
        "apart": _opening(apart) if opened else None,
        "apart_waiting": 0 if opened else len(apart),
        "unreadable": unreadable,
        **_exclusions(connection, month, cells),
    }
    body = json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    connection.execute(insert(ledger_statements).values(month=month, body=body, made_ms=now_ms))
    return body


def _cells(waiting: dict[Place, list[Any]]) -> tuple[list[dict[str, Any]], list[int]]:
    cells, opened = [], set()
    for part in partition({place: len(rows) for place, rows in waiting.items()}):
        rows = []
        for hall, window, count in part.places:
            # The first that came, so that cells cut where the blocks of figures cut; whoever is carried leads the next month.
            rows += sorted(waiting[hall, window], key=lambda row: row.arrival)[:count]
        opened |= {row.position for row in rows}
        cells.append({"kind": part.kind, "places": [list(place) for place in part.places], **_opening(rows)})
    return cells, [row.position for rows in waiting.values() for row in rows if row.position not in opened]


def _opening(rows: Sequence[Any]) -> dict[str, Any]:
    """Count, counts a level, and the sum of the scalars: all that is ever told of these rows."""
    levels = dict.fromkeys((str(level) for level in LEVELS), 0)
    total = 0
    for row in rows:
        levels[str(row.level)] += 1
        total += int.from_bytes(row.scalar, "little")
    return {"n": len(rows), "levels": levels, "sum": (total % ORDER).to_bytes(32, "little").hex()}


def _mark(connection: Connection, standing: str, month: str, through: int, but: Iterable[int]) -> None:
    of = ledger_entries.c
    these = and_(of.standing == standing, of.opened_in.is_(None), of.position < through)
    connection.execute(update(ledger_entries).where(these).values(opened_in=month))
    left = list(but)
    for start in range(0, len(left), 500):
        back = of.position.in_(left[start : start + 500])
        connection.execute(update(ledger_entries).where(back).values(opened_in=None))


def _exclusions(connection: Connection, month: str, cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Ratings in opened cells that were excluded since the last statement: numbers a cell, and a commitment for each."""
    of = ledger_entries.c
    same = and_(ratings.c.journal_no == rating_exclusions.c.journal_no, ratings.c.rating == rating_exclusions.c.rating)
    query = select(of.leaf, of.hall, of.window, of.opened_in, of.level).select_from(rating_exclusions)
    query = query.join(ratings, same).join(ledger_entries, of.leaf == ratings.c.leaf)
    query = query.outerjoin(ledger_exclusions, ledger_exclusions.c.leaf == of.leaf)
    query = query.where(of.opened_in.is_not(None), of.standing == "counted", ledger_exclusions.c.leaf.is_(None))
    found: dict[tuple[str, int], dict[str, int]] = {}
    commitments = []
    for row in connection.execute(query).all():
        published = cells if row.opened_in == month else statement(connection, row.opened_in)["cells"]
        place = [row.hall, row.window]
        number = next(no for no, cell in enumerate(published) if place in [each[:2] for each in cell["places"]])
        counts = found.setdefault((row.opened_in, number), {"good": 0, "negative": 0})
        counts["good" if row.level in GOOD_LEVELS else "negative"] += 1
        salt = secrets.token_bytes(16)
        commitments.append(commitment(salt, bytes(row.leaf)).hex())
        connection.execute(insert(ledger_exclusions).values(leaf=row.leaf, salt=salt, month=month))
    told = [{"month": of_month, "cell": number, **counts} for (of_month, number), counts in sorted(found.items())]
    return {"exclusions": told, "exclusion_commitments": sorted(commitments)}


def commitment(salt: bytes, leaf: bytes) -> bytes:
    """What a statement holds of an excluded leaf: it shows nothing, and an auditor who is given the salt can find the leaf."""
    return hashlib.sha256(b"nightwindow/1/exclusion\0" + salt + leaf).digest()


def statement(connection: Connection, month: str) -> dict[str, Any]:
    """A month's statement. Raises KeyError when there is none."""
    body = connection.execute(select(ledger_statements.c.body).where(ledger_statements.c.month == month)).scalar()
    if body is None:
        raise KeyError(month)
    found: dict[str, Any] = json.loads(bytes(body))
    return found
