"""What the ratings service gives back: single ratings for supervision, and groups with their figures."""

from typing import Literal

from msgspec import Struct

from fleet.ratings.rules import Tally

Dimension = Literal["window", "clerk", "item", "hour", "day", "stage", "channel"]


class RatingRow(Struct, frozen=True, kw_only=True):
    """One rating as supervision sees it. `level` is None when nothing was pressed or it cannot be opened."""

    no: int
    device: str
    hall: str
    window: str
    clerk: str
    item: str
    stage: str
    channel: str
    at_ms: int
    clock_trust: int
    level: int | None
    presses: int
    receipt: str | None
    via: str
    standing_of: str
    outcome: str
    how: str
    reasons: list[str]
    language: str
    profile: str
    duration_ms: int


class Group(Struct, frozen=True, kw_only=True):
    """One group's figures. `first` and `last` are the days asked for, None when none of them may be told."""

    value: str
    tally: Tally
    first: str | None
    last: str | None
    hall: str = ""
    """The hall of a window, clerk or item: figures of these are never of several halls together."""
