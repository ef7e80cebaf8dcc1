"""Deadlines and cards of a work order, computed from its log and a calendar each time. Pure: nothing of it is stored.

So a year's calendar that arrives later, or a changed setting, corrects everything by itself. Cards after the usual electronic
supervision: yellow one working day before the promise ends or when a step is late, red past the promise, red-2 past the limit.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from fleet.oversight.calendar import Calendar, Due
from fleet.oversight.limits import Limits
from fleet.oversight.rules import DONE, IN_HAND, Standing, Step, after

Colour = Literal["yellow", "red", "red2"]
Light = Literal["green", "notice", "yellow", "red", "red2"]
LIGHTS: tuple[Light, ...] = ("green", "notice", "yellow", "red", "red2")
NOTICE_DAYS = 2
"""Working days left to the promise at which the list says so, before any card."""
_NEXT_DAY = timedelta(days=1)


class Card(Struct, frozen=True, kw_only=True):
    """One card. `key` stays the same as long as its cause does; `staff` had the step when it was issued.

    `cleared` is the day the cause ended. A withdrawn card stays, with who withdrew it and why.
    """

    key: str
    colour: Colour
    rule: str
    staff: str
    issued: date
    cleared: date | None
    provisional: bool
    withdrawn_by: str = ""
    why: str = ""

    @property
    def is_active(self) -> bool:
        """Whether its cause lasts and nobody has withdrawn it."""
        return self.cleared is None and not self.withdrawn_by


class Deadline(Struct, frozen=True):
    """What has to be done next, by when."""

    step: str
    due: Due


class _Span(Struct, frozen=True):
    """A time in one state: from the day it was entered to the day it was left (None: still). `held` ended on `released`."""

    before: Standing
    start: date
    end: date | None


def next_step(standing: Standing, *, named: bool) -> str:
    """The name of the limit that runs now (without `_days`), or empty when nothing does."""
    state = standing.state
    if state in DONE:
        return ""
    if state in IN_HAND and not standing.released_day:
        return "release"
    if state == "assigned":
        return "contact" if named else "classify"
    if state == "classified":
        return "rectify" if standing.classification == "valid" else "reply"
    if state == "replied":
        return "revisit" if named else "close"
    usual = {"received": "assign", "reopened": "assign", "contacted": "classify", "rectifying": "reply", "appealed": "review"}
    return usual.get(state, "close")


def deadline(standing: Standing, *, named: bool, limits: Limits, calendar: Calendar) -> Deadline | None:
    """What has to be done next and by when; None when the order is done. A step does not run while its doer cannot see it."""
    step = next_step(standing, named=named)
    if not step:
        return None
    start = standing.since_day
    if standing.state in IN_HAND and standing.released_day:
        start = max(start, standing.released_day)
    return Deadline(step, calendar.due(date.fromisoformat(start), getattr(limits, f"{step}_days")))


def total(steps: Sequence[Step], *, days: int, calendar: Calendar) -> tuple[Due, date | None]:
    """When the order's work of `days` working days is over, and the day it was (a reply, an end) or None.

    What an appeal took, and the time an order was held back, is added: nobody could work on it then.
    """
    standing, waited = Standing(), 0
    for step in steps:
        before, standing = standing, after(standing, step)
        began = date.fromisoformat(step.day)
        if standing.cycle_day != before.cycle_day:
            waited = 0
        if before.state == "appealed" != standing.state:
            waited += calendar.working_days(date.fromisoformat(before.since_day), began)
        if standing.released_day and not before.released_day:
            waited += calendar.working_days(date.fromisoformat(before.cycle_day), began)
    due = calendar.due(date.fromisoformat(standing.cycle_day), days + waited)
    ended = standing.replied_day or standing.closed_day
    return due, date.fromisoformat(ended) if ended else None


def cards(steps: Sequence[Step], *, named: bool, limits: Limits, calendar: Calendar, today: date) -> list[Card]:
    """Every card of an order up to `today`, in the order they were issued, withdrawn ones too."""
    found = [*_late_steps(steps, named=named, limits=limits, calendar=calendar, today=today)]
    found += _totals(steps, limits=limits, calendar=calendar, today=today)
    withdrawn = {step.args["card"]: step for step in steps if step.deed == "withdraw_card"}
    return sorted((_with(card, withdrawn.get(card.key)) for card in found), key=lambda card: (card.issued, card.key))


def _with(card: Card, step: Step | None) -> Card:
    if step is None:
        return card
    fields = {name: getattr(card, name) for name in Card.__struct_fields__}
    return Card(**(fields | {"withdrawn_by": step.actor, "why": step.note}))


def _spans(steps: Sequence[Step]) -> Iterator[tuple[Standing, date, date | None]]:
    """Each standing that had a deadline of its own, the day it began and the day it ended."""
    standing, began = Standing(), None
    for step in steps:
        before, standing = standing, after(standing, step)
        day = date.fromisoformat(step.day)
        runs_anew = (standing.state, standing.since) != (before.state, before.since) or (
            standing.released_day != before.released_day and standing.state in IN_HAND
        )
        if began is not None and runs_anew:
            yield before, began, day
        if began is None or runs_anew:
            began = day
    if began is not None:
        yield standing, began, None


def _late_steps(steps: Sequence[Step], *, named: bool, limits: Limits, calendar: Calendar, today: date) -> Iterator[Card]:
    for standing, _, ended in _spans(steps):
        line = deadline(standing, named=named, limits=limits, calendar=calendar)
        if line is None or (ended or today) <= line.due.day:
            continue
        yield Card(
            key=f"late.{line.step}.{standing.since}",
            colour="yellow",
            rule=f"late.{line.step}",
            staff=standing.assigned_to if standing.state in IN_HAND and line.step != "release" else "",
            issued=line.due.day + _NEXT_DAY,
            cleared=ended,
            provisional=line.due.provisional,
        )


def _totals(steps: Sequence[Step], *, limits: Limits, calendar: Calendar, today: date) -> Iterator[Card]:
    """The cards of each round of work: an order that was opened again has a promise of its own."""
    standing = Standing()
    rounds: list[list[Step]] = []
    for step in steps:
        before, standing = standing, after(standing, step)
        if standing.cycle_day and (not rounds or (step.deed in ("reopen", "amend") and before.since != standing.since)):
            rounds.append(list(rounds[-1]) if rounds else [])
        if rounds:
            rounds[-1].append(step)
    for number, each in enumerate(rounds, 1):
        yield from _of_round(number, each, limits=limits, calendar=calendar, today=today)


def _of_round(number: int, steps: Sequence[Step], *, limits: Limits, calendar: Calendar, today: date) -> Iterator[Card]:
    staff = next((step.args["to"] for step in reversed(steps) if step.deed == "assign"), "")
    promise, ended = total(steps, days=limits.promise_days, calendar=calendar)
    limit, _ = total(steps, days=limits.limit_days, calendar=calendar)
    near = promise.day
    while calendar.working_days(near - _NEXT_DAY, promise.day) <= 1:
        near -= _NEXT_DAY
    rules: tuple[tuple[Colour, str, date, Due], ...] = (
        ("yellow", "near", near, promise),
        ("red", "promise", promise.day + _NEXT_DAY, promise),
        ("red2", "limit", limit.day + _NEXT_DAY, limit),
    )
    for colour, rule, issued, due in rules:
        if issued <= (ended or today):
            fields = {"staff": staff, "issued": issued, "cleared": ended, "provisional": due.provisional}
            yield Card(key=f"{rule}.{number}", colour=colour, rule=rule, **fields)  # type: ignore[arg-type]


def light(found: Sequence[Card], steps: Sequence[Step], *, limits: Limits, calendar: Calendar, today: date) -> Light:
    """The colour an order has now: its worst active card, or a notice when two working days or fewer are left."""
    active = [card.colour for card in found if card.is_active]
    if active:
        return max(active, key=LIGHTS.index)
    promise, ended = total(steps, days=limits.promise_days, calendar=calendar)
    return "notice" if ended is None and calendar.working_days(today, promise.day) <= NOTICE_DAYS else "green"
