"""Which ratings need a work order, and which no longer do: what oversight asks of the ratings' read model."""

from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, and_, func, select

from fleet.oversight.rules import DONE
from fleet.oversight.tables import work_orders
from fleet.ratings.rules import NEGATIVE_LEVELS
from fleet.ratings.tables import projection_marks, ratings
from fleet.store.tables import journals

LAG_MS = 60_000
"""Entries older than this that are not read yet mean that the read model lags or is being made again: nothing is concluded."""
ABANDONED_MS = 15 * 60_000
"""A pressed rating that nobody closed stands after this; before, the visitor may still correct it."""
RECENT_ROWS = 2_000


class Changed(Struct, frozen=True, kw_only=True):
    """A rating that has an order and is not what the order says."""

    order_no: int
    level: int | None
    reasons: list[str]
    counts: bool


def lags(connection: Connection, now_ms: int) -> bool:
    """Whether entries that came over a minute ago are not in the read model."""
    mark = projection_marks.c.seq
    joined = journals.outerjoin(projection_marks, projection_marks.c.journal_no == journals.c.no)
    behind = and_(journals.c.last_ms < now_ms - LAG_MS, func.coalesce(mark, 0) < journals.c.seq)
    return connection.execute(select(journals.c.no).select_from(joined).where(behind).limit(1)).first() is not None


def newest_row(connection: Connection) -> int:
    """The highest row number of the read model."""
    return connection.execute(select(func.max(ratings.c.no))).scalar() or 0


def without_order(connection: Connection, *, after_row: int, now_ms: int) -> list[Any]:
    """Negative ratings that count, are closed and have no order yet, among the rows after `after_row`, oldest first."""
    has = and_(work_orders.c.journal_no == ratings.c.journal_no, work_orders.c.rating == ratings.c.rating)
    joined = ratings.outerjoin(work_orders, has)
    stands = (ratings.c.outcome != "open") | (ratings.c.at_ms < now_ms - ABANDONED_MS)
    # `level <= 2` names the partial index; a level is 1 or 2 then.
    where = (ratings.c.no > after_row, ratings.c.level <= max(NEGATIVE_LEVELS), ratings.c.standing_of == "counted", stands)
    query = select(ratings).select_from(joined).where(*where, work_orders.c.no.is_(None))
    return list(connection.execute(query.order_by(ratings.c.no).limit(500)))


def changed(connection: Connection) -> list[Changed]:
    """Orders whose rating was amended, repeated another or became readable otherwise since. One that is not there (while the
    read model is made again) has not changed."""
    same = and_(work_orders.c.journal_no == ratings.c.journal_no, work_orders.c.rating == ratings.c.rating)
    columns = (work_orders.c.no, work_orders.c.state, work_orders.c.level.label("was"), work_orders.c.reasons.label("had"))
    query = select(*columns, ratings.c.level, ratings.c.reasons, ratings.c.standing_of).join_from(work_orders, ratings, same)
    live = work_orders.c.state.not_in(DONE - {"superseded"})
    found = []
    for row in connection.execute(query.where(live)):
        counts = row.standing_of == "counted" and row.level in NEGATIVE_LEVELS
        differs = row.level != row.was or row.reasons != row.had
        if counts == (row.state == "superseded") or (counts and differs):
            found.append(Changed(order_no=row.no, level=row.level, reasons=row.reasons, counts=counts))
    return found
