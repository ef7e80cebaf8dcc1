"""The clerk's desk: what a clerk's PC may ask of an evaluator, and the little that it is told. Nothing here can hold a level."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import msgspec

from hal.api.core import Peripheral

Stage = Literal["consult", "accept", "finish"]
WindowState = Literal["serving", "paused", "closed"]


class SignIn(msgspec.Struct, frozen=True, tag="sign_in"):
    """A clerk sits down; `number` is 1–16 of A–Z, a–z, 0–9 and `-`."""

    number: str


class SignOut(msgspec.Struct, frozen=True, tag="sign_out"):
    """The clerk leaves."""


class SetWindow(msgspec.Struct, frozen=True, tag="set_window"):
    """服务中, 暂停服务 or 已关闭."""

    state: WindowState


class Invite(msgspec.Struct, frozen=True, tag="invite"):
    """A service is over and shall be rated.

    `occasion` (16 bytes) is the same whenever the same service is announced. `stage`: 咨询, 受理, 办结. `case_tail` is at most
    8 characters: the end of the case number. `valid_s` 5–600: how long the announcement is worth anything.
    """

    occasion: bytes
    stage: Stage
    valid_s: int
    item_code: str = ""
    item_name: str = ""
    case_tail: str = ""
    ticket: str = ""


class TakeBack(msgspec.Struct, frozen=True, tag="take_back"):
    """The present question shall go; what was pressed already stays."""


Wish = SignIn | SignOut | SetWindow | Invite | TakeBack


class DeskAsked(msgspec.Struct, frozen=True, tag="desk_asked"):
    """The clerk's PC wants something; `command` names it when it is answered."""

    command: int
    wish: Wish


DeskAnswer = Literal[
    "accepted",
    "busy",
    "not_paired",
    "no_room",
    "already_asked",
    "expired",
    "not_recorded",
    "nobody_signed_in",
    "unreadable",
    "later",
    "on_battery",
]
"""`busy` the time for the last question is not over, `no_room` the record is nearly full, `unreadable` the command breaks a
limit of the protocol, `later` the evaluator is starting or was asked too much at once, `on_battery` mains power is out."""


class DeskView(msgspec.Struct, frozen=True):
    """All that a desk may know.

    An occasion is open for it until the monotonic time `open_until_s`, which is fixed when the question begins and does not
    depend on what the citizen does; the driver tells the end of it by its own clock.
    """

    open_until_s: float = 0.0
    window: WindowState = "closed"
    signed_in: bool = False
    trouble: Literal["none", "starting", "not_paired", "no_room", "on_battery"] = "starting"


@runtime_checkable
class ClerkDesk(Peripheral, Protocol):
    """The line to a clerk's PC. Emits `DeskAsked`; each is to be answered once, soon."""

    def answer(self, command: int, answer: DeskAnswer) -> None:
        """Answer a command; told to the PC on a fixed beat, so that the time it took says nothing."""
        ...

    def show(self, view: DeskView) -> None:
        """Tell the PC how things stand."""
        ...
