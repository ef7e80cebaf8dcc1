"""A work order as pages and API show it, with deadline, cards and light; and as somebody outside supervision may see it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
from msgspec import Struct

from fleet.oversight.calendar import Calendar, Due
from fleet.oversight.cards import Card, Deadline, Light, cards, deadline, light, total
from fleet.oversight.files import Kept
from fleet.oversight.limits import Limits
from fleet.oversight.rules import Standing, Step, replay


class Order(Struct, frozen=True, kw_only=True):
    """One order. `day` is empty for who may know only the days of its block, `days`; so are `item` and `clerk` then."""

    no: int
    hall: str
    window: str
    department: str
    clerk: str
    item: str
    day: str
    days: tuple[str, str]
    level: int
    reasons: list[str]
    named: bool
    standing: Standing
    steps: list[Step]
    cards: list[Card]
    deadline: Deadline | None
    promise: Due
    light: Light
    files: list[Kept] = []
    journal_no: int = 0
    rating: bytes = b""


def make_order(
    row: Any, steps: Sequence[Step], *, named: bool, limits: Limits, calendar: Calendar, today: date, files: Sequence[Kept]
) -> Order:
    """An order from its row and log."""
    standing = replay(steps)
    how = {"limits": limits, "calendar": calendar}
    found = cards(steps, named=named, today=today, **how)  # type: ignore[arg-type]
    span = next((step.args for step in reversed(steps) if step.deed == "release" and step.args.get("how") == "block"), {})
    fields = {name: getattr(row, name) for name in ("no", "hall", "window", "department", "clerk", "item", "day", "level")}
    return Order(
        **fields,
        reasons=list(row.reasons),
        days=(span.get("first", row.day), span.get("last", row.day)),
        named=named,
        standing=standing,
        steps=list(steps),
        cards=found,
        deadline=deadline(standing, named=named, **how),  # type: ignore[arg-type]
        promise=total(steps, days=limits.promise_days, calendar=calendar)[0],
        light=light(found, steps, today=today, **how),  # type: ignore[arg-type]
        files=list(files),
        journal_no=row.journal_no,
        rating=bytes(row.rating),
    )


def masked(order: Order) -> Order:
    """The order as the person it is assigned to sees it.

    One that was handed over with its block tells the block's days and neither day, item nor clerk. One that supervision handed
    over by itself, or whose rater wants to be called, is shown in full but for the times of day.
    """
    by_supervision = any(step.deed == "release" and step.args.get("how") == "supervision" for step in order.steps)
    steps = [msgspec.structs.replace(step, at_ms=0) for step in order.steps]
    if by_supervision or order.named:
        return msgspec.structs.replace(order, steps=steps)
    since = order.standing.released_day
    # What was done before the order was handed over says on which day the rating came.
    steps = [msgspec.structs.replace(step, day=max(step.day, since)) for step in steps]
    found = [card for card in order.cards if card.issued.isoformat() >= since]
    days = {name: max(getattr(order.standing, name), since) for name in ("opened_day", "cycle_day", "since_day")}
    standing = msgspec.structs.replace(order.standing, **days)
    return msgspec.structs.replace(order, clerk="", item="", day="", steps=steps, cards=found, standing=standing)
