"""A work order's states, which deed leads from which to which, and who may do it. Pure: an order is what its log says.

received → assigned → contacted → classified → rectifying → replied → revisited → closed; anonymous ones skip contact and
revisit. Beside it: appealed → upheld or back, reopened, and superseded when the rating turns out not to be a bad one that counts.
"""

from collections.abc import Iterable
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from fleet.access.errors import Explained

State = Literal[
    "received",
    "assigned",
    "contacted",
    "classified",
    "rectifying",
    "replied",
    "revisited",
    "closed",
    "appealed",
    "upheld",
    "reopened",
    "superseded",
]
STATES: tuple[State, ...] = get_args(State)
DONE: frozenset[str] = frozenset(("closed", "upheld", "superseded"))
IN_HAND: frozenset[str] = frozenset(("assigned", "contacted", "classified", "rectifying"))
"""States in which the person it is assigned to has the next step."""
CLASSES = ("valid", "mistaken", "malicious", "unfounded_in_law")
REACHED = ("reached", "unreachable", "refused")
RESULTS = ("resolved", "unresolved")
VERDICTS = ("upheld", "rejected")
SYSTEM = "nightwindow"
"""The actor of what the fleet does by itself."""

BY_SYSTEM = frozenset(("open", "amend", "supersede"))
BY_SUPERVISION = frozenset(("assign", "release", "take", "revisit", "close", "review", "reopen", "withdraw_card"))
BY_ASSIGNEE = frozenset(("contact", "classify", "rectify", "reply", "appeal"))
"""A note may be added by both."""

NEED_NOTE = frozenset(("release", "reply", "appeal", "review", "reopen", "withdraw_card", "classify"))
"""Deeds that say nothing without words."""
CHOICES: dict[str, tuple[str, tuple[str, ...]]] = {
    "classify": ("class", CLASSES),
    "contact": ("result", REACHED),
    "revisit": ("result", RESULTS),
    "review": ("verdict", VERDICTS),
}
_MOVES: dict[str, dict[str, State]] = {
    "rectify": {"classified": "rectifying"},
    "reply": {"rectifying": "replied", "classified": "replied"},
    "revisit": {"replied": "revisited"},
    "reopen": {"revisited": "reopened", "closed": "reopened"},
    "appeal": dict.fromkeys(("assigned", "contacted", "classified", "rectifying", "replied"), "appealed"),
}


class OrderRefused(Explained):
    """A step that cannot be taken; it says why."""


class Step(Struct, frozen=True, kw_only=True):
    """One row of the log. `day` is the hall's date of `at_ms`."""

    place: int
    deed: str
    at_ms: int
    day: str
    actor: str
    note: str = ""
    args: dict[str, str] = {}


class Standing(Struct, frozen=True, kw_only=True):
    """What a log amounts to. `since` is the step that led into the present state."""

    state: State = "received"
    since: int = 1
    since_day: str = ""
    opened_day: str = ""
    cycle_day: str = ""
    """When the work began: the opening, or the last time it was opened again."""
    assigned_to: str = ""
    taken_by: str = ""
    """Who makes the revisit call."""
    released_day: str = ""
    """From when the person it is assigned to sees it; empty while it is held back."""
    classification: str = ""
    resolved: bool | None = None
    replied_day: str = ""
    closed_day: str = ""
    before_appeal: State | None = None
    appealed_by: str = ""
    verdicts: tuple[tuple[str, str], ...] = ()
    handlers: tuple[str, ...] = ()
    """Everybody it was ever assigned to."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be done."""
        return self.state in DONE

    @property
    def in_hands_of(self) -> str:
        """Who handles it now and may therefore see how the rater can be reached; empty for nobody."""
        if self.state in IN_HAND:
            return self.assigned_to
        return self.taken_by if self.state == "replied" else ""


def replay(steps: Iterable[Step]) -> Standing:
    """What a log amounts to. It trusts the log: each step was checked when it was written."""
    standing = Standing()
    for step in steps:
        standing = after(standing, step)
    return standing


def after(standing: Standing, step: Step) -> Standing:
    """The standing after one more step."""
    changed = _effects(standing, step)
    state = changed.get("state", standing.state)
    if state != standing.state:
        changed |= {"since": step.place, "since_day": step.day}
        if state in DONE:
            changed["closed_day"] = step.day
        if state == "replied" and standing.state != "appealed":
            changed["replied_day"] = step.day
    return msgspec.structs.replace(standing, **changed)


def _effects(standing: Standing, step: Step) -> dict[str, Any]:
    deed, args = step.deed, step.args
    if deed == "open":
        return {"since": step.place, "since_day": step.day, "opened_day": step.day, "cycle_day": step.day}
    if deed == "supersede":
        return {"state": "superseded"}
    if deed == "amend":
        return _renewed("received", step) if standing.state == "superseded" else {}
    if deed == "assign":
        first = standing.state in ("received", "reopened")
        to = {"assigned_to": args["to"], "handlers": tuple(dict.fromkeys((*standing.handlers, args["to"])))}
        return to | ({"state": "assigned"} if first else {})
    if deed == "release":
        return {"released_day": step.day}
    if deed == "contact":
        # Who could not be reached is tried again; a second failure ends the trying.
        return {} if args["result"] == "unreachable" and args.get("again") else {"state": "contacted"}
    if deed == "classify":
        return {"state": "classified", "classification": args["class"]}
    if deed == "take":
        return {"taken_by": step.actor}
    if deed == "revisit":
        return {"state": "revisited", "resolved": args["result"] == "resolved"}
    if deed == "close":
        return {"state": "closed"}
    if deed == "appeal":
        return {"state": "appealed", "before_appeal": standing.state, "appealed_by": step.actor, "verdicts": ()}
    if deed == "review":
        return _reviewed(standing, step)
    if deed == "reopen":
        return _renewed("reopened", step)
    if deed in _MOVES:
        return {"state": _MOVES[deed].get(standing.state, standing.state)}
    return {}


def _renewed(state: State, step: Step) -> dict[str, Any]:
    cleared = {"taken_by": "", "classification": "", "resolved": None, "replied_day": "", "closed_day": ""}
    return {"state": state, "cycle_day": step.day, **cleared}


def _reviewed(standing: Standing, step: Step) -> dict[str, Any]:
    verdicts = (*standing.verdicts, (step.actor, step.args["verdict"]))
    said = decided(verdicts)
    if said is None:
        return {"verdicts": verdicts}
    return {"verdicts": verdicts, "state": "upheld" if said == "upheld" else standing.before_appeal or "assigned"}


def decided(verdicts: Iterable[tuple[str, str]]) -> str | None:
    """What two different people agree on; None before that. When the first two differ, a third decides."""
    said = [verdict for _, verdict in verdicts]
    return next((verdict for verdict in VERDICTS if said.count(verdict) >= 2), None)


def check(standing: Standing, deed: str, *, actor: str, supervises: bool, named: bool, note: str, args: dict[str, str]) -> None:
    """Refuse a person's step that does not fit. `named` tells whether the rater left a way to be reached.

    Raises OrderRefused with the reason.
    """
    _check_who(standing, deed, actor=actor, supervises=supervises)
    _check_state(standing, deed, named=named, actor=actor)
    if deed in NEED_NOTE and not note.strip():
        raise OrderRefused("请写明情况说明", "say why, in a few words")
    if deed in CHOICES:
        name, choices = CHOICES[deed]
        if args.get(name) not in choices:
            raise OrderRefused(f"请选择：{'、'.join(choices)}", f"{name} is {args.get(name)!r}; choose one of {', '.join(choices)}")


def _check_who(standing: Standing, deed: str, *, actor: str, supervises: bool) -> None:
    if deed in BY_SUPERVISION and not supervises:
        raise OrderRefused("只有监督人员可以这样做", "only supervision may do this")
    if deed in BY_ASSIGNEE and actor != standing.assigned_to:
        raise OrderRefused("只有承办人可以这样做", "only the person it is assigned to may do this")
    if deed == "note" and not supervises and actor != standing.assigned_to:
        raise OrderRefused("只有监督人员和承办人可以补充说明", "only supervision and the person it is assigned to may add a note")
    if deed not in BY_SUPERVISION | BY_ASSIGNEE | {"note"}:
        raise OrderRefused(f"没有这种操作：{deed[:40]}", f"there is no step {deed[:40]!r}")


def _check_state(standing: Standing, deed: str, *, named: bool, actor: str) -> None:
    state = standing.state
    if deed == "review":
        _check_review(standing, actor)
    elif deed == "revisit" and actor != standing.taken_by:
        raise OrderRefused("请先领取回访任务", "take the revisit on first")
    elif deed == "take" and actor in standing.handlers:
        raise OrderRefused("承办人不能回访自己办的工单", "who handled an order cannot make its revisit")
    elif deed == "close" and state == "revisited" and not standing.resolved:
        raise OrderRefused("回访未解决的工单要重新办理，不能办结", "its revisit says unresolved: open it again")
    elif deed == "rectify" and standing.classification not in ("", "valid"):
        raise OrderRefused("只有属实的差评需要整改，请直接答复", "only a valid one is rectified; reply with the explanation")
    elif deed == "reply" and state == "classified" and standing.classification == "valid":
        raise OrderRefused("属实的差评先整改再答复", "a valid one is rectified before the reply")
    if state not in fits(deed, named=named):
        raise OrderRefused("工单现在的状态不能这样做，请刷新页面", f"a {state} order does not take the step {deed}; reload")


def _check_review(standing: Standing, actor: str) -> None:
    if actor == standing.appealed_by or actor in standing.handlers:
        raise OrderRefused("承办人和申诉人不能复核", "who handled or appealed cannot review")
    if actor in {who for who, _ in standing.verdicts}:
        raise OrderRefused("您已经复核过，要由另一人复核", "you have reviewed it; another person has to")


def fits(deed: str, *, named: bool) -> frozenset[str]:
    """The states in which a deed may be done."""
    if deed == "contact":
        return frozenset(("assigned",)) if named else frozenset()
    if deed == "classify":
        return frozenset(("contacted",)) if named else frozenset(("assigned", "contacted"))
    if deed in ("take", "revisit"):
        return frozenset(("replied",)) if named else frozenset()
    if deed == "close":
        return frozenset(("revisited",)) if named else frozenset(("replied", "revisited"))
    if deed == "assign":
        return frozenset(STATES) - DONE - {"appealed", "replied", "revisited"}
    if deed == "review":
        return frozenset(("appealed",))
    if deed in ("note", "withdraw_card"):
        return frozenset(STATES)
    if deed == "release":
        return frozenset(STATES) - DONE
    return frozenset(_MOVES[deed])
