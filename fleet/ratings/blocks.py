"""What people outside supervision see of levels: whole blocks of five ratings, so that no two looks differ by one visitor."""

from datetime import date, timedelta

from sqlalchemy import Integer, Subquery, and_, case, func, select

from fleet.ratings.rules import LEVELS, SMALLEST_BLOCK
from fleet.ratings.tables import ratings

GUARDED: frozenset[str] = frozenset(("window", "clerk", "item", "hour", "stage", "channel"))
"""Dimensions small enough to tell who pressed what: each value has blocks of its own, and they are of finished days."""


def whole_blocks(dimension: str | None, first: date, last: date, *, hall: str, today: date) -> Subquery:
    """The ratings (value, level, reasons) of every whole block inside first–last, both included; `hall` empty is all halls.

    A hall's counted ratings (in a guarded dimension: those of each value) are cut into fives in the order they arrived,
    from the first one ever on. So blocks depend on no question, and two answers differ by whole ones. A block is shown when
    all its ratings lie inside the days (by day: on one day) and are closed: until then a visitor may still amend, and
    reasons come with the close.
    """
    own = [ratings.c.hall, *([ratings.c[dimension]] if dimension in GUARDED else [])]
    arrived = func.row_number(type_=Integer).over(partition_by=own, order_by=ratings.c.no)
    where = [ratings.c.standing_of == "counted", ratings.c.level.in_(LEVELS), *([ratings.c.hall == hall] if hall else [])]
    names = ["hall", "day", "level", "reasons", "outcome"]
    value = ratings.c[dimension] if dimension is not None else ratings.c.hall
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
    whole = select(*same).group_by(*same).having(and_(*shown)).subquery("whole")
    both = and_(*(column == whole.c[column.name] for column in same))
    return select(cut.c.value, cut.c.level, cut.c.reasons).join_from(cut, whole, both).subquery("shown")
