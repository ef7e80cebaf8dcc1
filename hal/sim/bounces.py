"""How a contact that is pressed many times bounces: seeded, irregular, never longer than it should; the same for every test."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple


class Press(NamedTuple):
    """One press of a contact: offsets in milliseconds from its start at which the contact swings, closing first.

    The number of swings is even: the last one leaves it open.
    """

    swings_ms: tuple[float, ...]


def presses(count: int, seed: int, *, period_ms: float = 50.0, bounce_ms: float = 10.0, most_bounces: int = 8) -> Iterator[Press]:
    """`count` presses, each half a period closed, bouncing for up to `bounce_ms` at both ends.

    One in eight has a clean contact, one in eight uses up the whole `bounce_ms`.
    """
    chance = random.Random(seed)
    for _ in range(count):
        swings: list[float] = []
        for start_ms in (0.0, period_ms / 2):
            bounces = chance.choice((0, *[chance.randint(1, most_bounces)] * 7))
            times = [round(chance.uniform(0.01, bounce_ms), 2) for _ in range(2 * bounces)]
            if times and chance.random() < 1 / 8:
                times[0] = bounce_ms
            swings += [start_ms, *sorted(round(start_ms + at_ms, 2) for at_ms in times)]
        yield Press(tuple(swings))


def edges(count: int, seed: int, *, period_ms: float = 50.0, bounce_ms: float = 10.0) -> Iterator[tuple[float, bool]]:
    """The same presses one after the other on one contact, as (seconds, closed)."""
    for number, press in enumerate(presses(count, seed, period_ms=period_ms, bounce_ms=bounce_ms)):
        for swing, at_ms in enumerate(press.swings_ms):
            yield (number * period_ms + at_ms) / 1000, swing % 2 == 0
