"""Reading and writing a work order's log: one transaction appends a step and brings the order's row in line with it."""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update

from fleet.oversight.rules import SYSTEM, OrderRefused, Standing, Step, replay
from fleet.oversight.tables import work_order_steps, work_orders


def read_steps(connection: Connection, numbers: Iterable[int]) -> dict[int, list[Step]]:
    """The logs of some orders, each in order."""
    wanted = list(numbers)
    found: dict[int, list[Step]] = {number: [] for number in wanted}
    table = work_order_steps
    for start in range(0, len(wanted), 500):
        some = table.c.order_no.in_(wanted[start : start + 500])
        for row in connection.execute(select(table).where(some).order_by(table.c.order_no, table.c.place)).mappings():
            found[row["order_no"]].append(Step(**{name: row[name] for name in Step.__struct_fields__}))
    return found


def day_of(at_ms: int, zone: str) -> str:
    """The local date of a time."""
    return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).date().isoformat()


def day_begins_ms(at_ms: int, zone: str) -> int:
    """When the local day of a time began."""
    local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone))
    return int(datetime.combine(local.date(), time(), local.tzinfo).timestamp() * 1000)


def append_step(
    connection: Connection,
    order_no: int,
    steps: list[Step],
    deed: str,
    *,
    at_ms: int,
    zone: str,
    actor: str = SYSTEM,
    note: str = "",
    args: dict[str, str] | None = None,
) -> Standing:
    """Write one step after `steps` and bring the order's row in line; gives the new standing.

    Raises OrderRefused when the hall's clock was set back below the last step: a log goes forward.
    """
    # What the fleet does by itself follows the press within a second, so its time of day is not kept at all.
    moment = day_begins_ms(at_ms, zone) if actor == SYSTEM else at_ms
    day = day_of(moment, zone)
    if steps and day < steps[-1].day:
        raise OrderRefused(
            f"服务器日期 {day} 早于上一步 {steps[-1].day}，请先校准时钟",
            f"the server's date {day} is before the last step's {steps[-1].day}; set its clock",
        )
    step = Step(place=len(steps) + 1, deed=deed, at_ms=moment, day=day, actor=actor, note=note.strip(), args=args or {})
    values = {name: getattr(step, name) for name in Step.__struct_fields__}
    connection.execute(insert(work_order_steps).values(order_no=order_no, **values))
    standing = replay([*steps, step])
    row: dict[str, Any] = {"state": standing.state, "assigned_to": standing.assigned_to}
    row |= {"released_day": standing.released_day or None, "closed_day": standing.closed_day or None}
    connection.execute(update(work_orders).where(work_orders.c.no == order_no).values(**row))
    return standing
