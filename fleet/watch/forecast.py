"""When a consumable runs out: a level that falls, its rate, a time. Pure functions; a forecast is None rather than guessed."""

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

DAY_MS = 86_400_000
SHORTEST_SPAN_MS = 3_600_000
"""Levels over less than an hour say nothing of a day."""


class Forecast(Struct, frozen=True, kw_only=True):
    """`left` in the level's unit, `per_day` its mean use, `empty_ms` when it ends at that use (UTC since 1970)."""

    left: float
    per_day: float
    empty_ms: int


def forecast(samples: Sequence[tuple[int, float]]) -> Forecast | None:
    """The forecast from (time in ms, level) in ascending order; None without use, or with less than an hour of history.

    Only falls count as use, so a refill in between does no harm.
    """
    if len(samples) < 2:
        return None
    used = sum(max(0.0, before - after) for (_, before), (_, after) in pairwise(samples))
    span = samples[-1][0] - samples[0][0]
    if span < SHORTEST_SPAN_MS or used <= 0:
        return None
    per_day = used * DAY_MS / span
    left = samples[-1][1]
    return Forecast(left=left, per_day=per_day, empty_ms=samples[-1][0] + int(left / per_day * DAY_MS))
