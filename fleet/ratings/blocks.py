"""What people outside supervision see of levels: whole blocks of five ratings, so that no two looks differ by one visitor."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Subquery, and_, case, func, select

from fleet.ratings.rules import LEVELS, NEGATIVE_LEVELS, SMALLEST_BLOCK
from fleet.ratings.tables import rating_exclusions, ratings

GUARDED: frozenset[str] = frozenset(("window", "clerk", "item", "hour", "stage", "channel"))
"""Dimensions small enough to tell who pressed what: each value has blocks of its own, and they are of finished days."""


def _blocks(dimension: str | None, first: date, last: date, *, hall: str, today: date) -> tuple[Subquery, Subquery, list[str]]:
    """All ratings with their blocks, the whole blocks inside first–last (both included), and the columns that name a block.

    `hall` empty is all halls. A hall's counted ratings (in a guarded dimension: those of each value) are cut into fives in the
    order they arrived, from the first one ever on. So blocks depend on no question, and two answers differ by whole ones. A
    block is shown when all its ratings lie inside the days (by day: on one day) and are closed: until then a visitor may still
    amend, and reasons come with the close.
    """
    own = [ratings.c.hall, *([ratings.c[dimension]] if dimension in GUARDED else [])]
    arrived = func.row_number(type_=Integer).over(partition_by=own, order_by=ratings.c.no)
    where = [ratings.c.standing_of == "counted", ratings.c.level.in_(LEVELS), *([ratings.c.hall == hall] if hall else [])]
    value = ratings.c[dimension] if dimension is not None else ratings.c.hall
    names = ["journal_no", "rating", "hall", "day", "level", "reasons", "outcome"]
    query = select(*(ratings.c[name] for name in names), value.label("value"), ((arrived - 1) // SMALLEST_BLOCK).label("block"))
    cut = query.where(*where).subquery("cut")
    same = [cut.c.hall, cut.c.block, *([cut.c.value] if dimension in GUARDED else [])]
    end = min(last, today - timedelta(days=1)) if dimension in GUARDED else last
    shown = [
        func.count() == SMALLEST_BLOCK,
        func.min(cut.c.day) >= first.isoformat(),
        func.max(cut.c.day) <= end.isoformat(),
        func.sum(case((cut.c.outcome == "open", 1), else_=0)) == 0,
        *([func.min(cut.c.day) == func.max(cut.c.day)] if dimension == "day" else []),
    ]
    counts = [func.sum(case((cut.c.level == level, 1), else_=0)).label(f"n{level}") for level in LEVELS]
    counts += [func.min(cut.c.day).label("first_day"), func.max(cut.c.day).label("last_day")]
    whole = select(*same, *([] if dimension in GUARDED else [func.min(cut.c.value).label("value")]), *counts)
    return cut, whole.group_by(*same).having(and_(*shown)).subquery("whole"), [column.name for column in same]


def shown_levels(dimension: str | None, first: date, last: date, *, hall: str, today: date) -> Select[Any]:
    """The query for (value, count of level 5, 4, 3, 2, 1) over all whole blocks; the arguments are those of `_blocks`."""
    _, whole, _ = _blocks(dimension, first, last, hall=hall, today=today)
    return select(whole.c.value, *(func.sum(whole.c[f"n{level}"]) for level in LEVELS)).group_by(whole.c.value)


def shown_ratings(dimension: str | None, first: date, last: date, *, hall: str, today: date) -> Select[Any]:
    """The query for (reasons, value, level) of each rating in a whole block; slow for guarded dimensions of large halls."""
    cut, whole, same = _blocks(dimension, first, last, hall=hall, today=today)
    both = and_(*(cut.c[name] == whole.c[name] for name in same))
    return select(cut.c.reasons, cut.c.value, cut.c.level).join_from(cut, whole, both)


def shown_keys(dimension: str | None, first: date, last: date, *, hall: str, today: date) -> Select[Any]:
    """The query for (journal_no, rating, first_day, last_day) of each rating in a whole block, with the days of its block."""
    cut, whole, same = _blocks(dimension, first, last, hall=hall, today=today)
    both = and_(*(cut.c[name] == whole.c[name] for name in same))
    return select(cut.c.journal_no, cut.c.rating, whole.c.first_day, whole.c.last_day).join_from(cut, whole, both)


def shown_exclusions(dimension: str | None, first: date, last: date, *, hall: str, today: date) -> Select[Any]:
    """The query for (value, how many of the ratings in whole blocks an upheld appeal excludes)."""
    cut, whole, same = _blocks(dimension, first, last, hall=hall, today=today)
    both = and_(*(cut.c[name] == whole.c[name] for name in same))
    excluded = and_(*(rating_exclusions.c[name] == cut.c[name] for name in ("journal_no", "rating")))
    joined = cut.join(whole, both).join(rating_exclusions, excluded)
    return select(whole.c.value, func.count()).select_from(joined).group_by(whole.c.value)


def live_exclusions(dimension: str | None, scope: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """The query for (value, how many counted negative ratings an upheld appeal excludes), as supervision sees it."""
    value = ratings.c[dimension] if dimension is not None else ratings.c.hall
    same = and_(*(rating_exclusions.c[name] == ratings.c[name] for name in ("journal_no", "rating")))
    where = (ratings.c.standing_of == "counted", ratings.c.level.in_(NEGATIVE_LEVELS), *scope)
    return select(value, func.count()).join_from(ratings, rating_exclusions, same).where(*where).group_by(value)
