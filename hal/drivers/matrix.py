"""Which keys of a scanned matrix were pressed: pure, over what each scan saw closed, so it is tested without time or pins."""

from __future__ import annotations

from collections.abc import Iterable, Set
from itertools import combinations
from math import inf

from hal.api import Key
from hal.drivers.debounce import Debounce

Place = tuple[int, int]
"""Row and column, from 0."""

LAYOUT: tuple[tuple[Key, ...], ...] = (("1", "2", "3"), ("4", "5", "6"), ("7", "8", "9"), ("clear", "0", "enter"))
"""Keys of a telephone's pad, row by row."""


class Matrix:
    """Debounces every key of the matrix, and refuses keys that may be ghosts.

    A matrix without diodes shows a fourth key closed when three at the corners of a rectangle are. While four corners are
    seen closed, none of them counts as a new press, and those that did not count before count only after they were let go.

    Scans are samples: what a contact did between two of them nobody saw. So only time that was scanned counts as rest, and a
    scan that comes late on a busy computer doubles nothing.
    """

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._keys = {(row, column): Debounce(settle_s) for row, keys in enumerate(LAYOUT) for column, _ in enumerate(keys)}
        self._doubtful: dict[Place, float] = {}
        self._closed_since_s: dict[Place, float] = {}
        self._last_s = -inf
        self._seen_s = 0.0
        """Time that was scanned: the debouncers' clock."""

    def feed(self, at_s: float, closed: Set[Place], *, most_s: float = inf) -> list[Key]:
        """Take one scan at `at_s` (monotonic seconds) that saw the keys at `closed` closed; returns those newly pressed.

        At most `most_s` of the time since the scan before counts as seen.
        """
        self._seen_s += min(max(0.0, at_s - self._last_s), most_s) if self._last_s > -inf else 0.0
        self._last_s = at_s
        self._closed_since_s = {place: self._closed_since_s.get(place, at_s) for place in closed}
        at_s = self._seen_s
        for place in _corners(closed):
            if not self._keys[place].level:
                self._doubtful[place] = at_s
        for place in list(self._doubtful):
            if place in closed:
                self._doubtful[place] = at_s
            elif at_s - self._doubtful[place] >= self._settle_s:
                del self._doubtful[place]
        pressed = []
        for place, key in self._keys.items():
            is_closed = place in closed and place not in self._doubtful
            # The debouncer takes edges, not samples.
            if is_closed != key.level and key.feed(at_s, is_closed):
                pressed.append(LAYOUT[place[0]][place[1]])
        return pressed

    def start(self, at_s: float, closed: Set[Place]) -> None:
        """What is closed at the beginning was not pressed now; it is a candidate for "stuck"."""
        for place in self._keys:
            self._keys[place] = Debounce(self._settle_s, pressed=place in closed)
        self._closed_since_s = dict.fromkeys(closed, at_s)
        self._last_s = at_s

    def at_rest(self) -> bool:
        """Whether every key has been seen open for the settling time."""
        return not self._doubtful and all(not key.level and key.rested(self._seen_s) for key in self._keys.values())

    def trouble(self, now_s: float, *, stuck_s: float, chatter_s: float) -> tuple[str, Key] | None:
        """The first key that is held for longer than `stuck_s`, or chatters for longer than `chatter_s`, with its reason."""
        for (row, column), key in self._keys.items():
            if now_s - self._closed_since_s.get((row, column), now_s) > stuck_s:
                return "buttons.stuck", LAYOUT[row][column]
            if key.chattering_s(self._seen_s) > chatter_s:
                return "buttons.chattering", LAYOUT[row][column]
        return None


def _corners(closed: Iterable[Place]) -> set[Place]:
    """The places that are corners of a rectangle whose four corners are all closed."""
    columns: dict[int, set[int]] = {}
    for row, column in closed:
        columns.setdefault(row, set()).add(column)
    found: set[Place] = set()
    for upper, lower in combinations(columns, 2):
        both = columns[upper] & columns[lower]
        if len(both) >= 2:
            found |= {(row, column) for row in (upper, lower) for column in both}
    return found
