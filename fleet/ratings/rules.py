"""The formulas of ratings: satisfaction, participation, intervals, and what may be shown to whom. Pure functions.

Definitions follow the national rating standard: levels 5, 4 and 3 are good, 2 and 1 negative. S is services given (not
invitations), A is ratings that count. A rate without a denominator is None and never 0 or 100 %.
"""

import math
from collections.abc import Iterable, Mapping

from msgspec import Struct

GOOD_LEVELS = (5, 4, 3)
NEGATIVE_LEVELS = (2, 1)
LEVELS = (5, 4, 3, 2, 1)
Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""
SMALLEST_BLOCK = 5
"""How many more ratings must exist before what depends on levels changes for people outside supervision."""


class Tally(Struct, frozen=True, kw_only=True):
    """Counts of one group of ratings. `levels` has a count a level, `services` is S, `uninvited` presses are in no rate.

    `held_back` ratings count, but their levels are not told to who asks: rates of levels are over the others, `shown`.
    """

    levels: Mapping[int, int]
    held_back: int = 0
    services: int = 0
    not_rated: int = 0
    uninvited: int = 0
    repeated: int = 0
    """Further ratings of an occasion that had one: kept, and in no rate (one service, one rating)."""

    excluded: int = 0
    """Of the negative ratings shown, those that an upheld appeal excludes: they stay in all counts, and a second rate is
    without them."""

    @property
    def rated(self) -> int:
        """A: the ratings that count."""
        return self.shown + self.held_back

    @property
    def shown(self) -> int:
        """The ratings that count and whose levels are told: the n of satisfaction, negative rate and interval."""
        return sum(self.levels.get(level, 0) for level in LEVELS)

    @property
    def good(self) -> int:
        """Ratings of the levels 5, 4 and 3."""
        return sum(self.levels.get(level, 0) for level in GOOD_LEVELS)

    @property
    def negative(self) -> int:
        """Ratings of the levels 2 and 1."""
        return sum(self.levels.get(level, 0) for level in NEGATIVE_LEVELS)

    @property
    def satisfaction(self) -> float | None:
        """好评率 = good / shown, or None while nothing is."""
        return share(self.good, self.shown)

    @property
    def satisfaction_without(self) -> float | None:
        """The satisfaction without the ratings that upheld appeals exclude, or None when nothing is left."""
        return share(self.good, max(0, self.shown - self.excluded))

    @property
    def negative_rate(self) -> float | None:
        """差评率 = negative / shown, or None while nothing is."""
        return share(self.negative, self.shown)

    @property
    def participation(self) -> float | None:
        """参评率 = A / S, or None while no service is known. Above 1 means that services were not reported: shown as it is."""
        return share(self.rated, self.services)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % Wilson interval of the satisfaction, or None while no level is shown."""
        return wilson(self.good, self.shown)


def share(part: int, whole: int) -> float | None:
    """`part / whole`, or None for an empty whole. Raises ValueError for negative counts."""
    if part < 0 or whole < 0:
        raise ValueError(f"counts are {part} of {whole}; they start at 0")
    return part / whole if whole else None


def wilson(successes: int, n: int, *, z: float = Z_95) -> tuple[float, float] | None:
    """The Wilson score interval of a proportion (E. B. Wilson, 1927); None for n = 0.

    Unlike the plain interval it stays inside 0–1 and is honest for few ratings and for 100 %.
    Raises ValueError when `successes` is outside 0–n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} cannot be; give 0 to n")
    if n == 0:
        return None
    p = successes / n
    middle = p + z * z / (2 * n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if successes == 0 else max(0.0, (middle - spread) / scale)
    high = 1.0 if successes == n else min(1.0, (middle + spread) / scale)
    return low, high


def tally(levels: Iterable[int], *, services: int = 0) -> Tally:
    """Count levels. Raises ValueError for a level outside 1–5."""
    counts = dict.fromkeys(LEVELS, 0)
    for level in levels:
        if level not in counts:
            raise ValueError(f"level is {level}; a rating has levels 1 to 5")
        counts[level] += 1
    return Tally(levels=counts, services=services)
