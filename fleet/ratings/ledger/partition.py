"""Which cells a month is published in: a window alone while it is large enough, else its hall's small ones, else the county's.

Pure, and written out a second time in `ledger_verify.py`, which must agree with it without importing anything of ours.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

STEP = 5
"""A window's ratings are opened in whole fives, as figures are (docs/decisions/0012): the two never differ by fewer."""
SMALLEST = 10
"""No sum of fewer ratings is ever opened."""
Place = tuple[str, str]
"""Hall and window."""


class Part(Struct, frozen=True):
    """One cell: the windows whose ratings it adds up, and how many of each."""

    kind: Literal["window", "hall", "county"]
    places: tuple[tuple[str, str, int], ...]

    @property
    def size(self) -> int:
        """Ratings in it."""
        return sum(count for _, _, count in self.places)


def partition(waiting: Mapping[Place, int]) -> list[Part]:
    """The cells that open, from the ratings that wait at each window; what is in none is carried to the next month.

    Every window is in one cell at most, and is opened in whole STEPs; every cell has SMALLEST ratings or more.
    """
    whole = {place: count - count % STEP for place, count in sorted(waiting.items()) if count >= STEP}
    parts = [Part("window", ((*place, count),)) for place, count in whole.items() if count >= SMALLEST]
    rest: list[tuple[str, str, int]] = []
    for hall in sorted({hall for hall, _ in whole}):
        small = [(*place, count) for place, count in whole.items() if place[0] == hall and count < SMALLEST]
        if _total(small) >= SMALLEST:
            parts.append(Part("hall", tuple(small)))
        else:
            rest += small
    if _total(rest) >= SMALLEST:
        parts.append(Part("county", tuple(rest)))
    return parts


def _total(places: Iterable[tuple[str, str, int]]) -> int:
    return sum(count for _, _, count in places)
