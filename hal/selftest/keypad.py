"""Self-test of the 12-key pad: each key once, in the order of a telephone's pad."""

from __future__ import annotations

from hal.api import KeyPressed
from hal.config import Section
from hal.selftest.bench import Bench, Step

CAPS = {"clear": "clear (←, or *)", "enter": "enter (○, or #)"}


def steps(bench: Bench, section: Section) -> list[Step]:
    """Asks for all twelve keys; a wrong one is named, so that crossed wires show. Stops when one stays silent."""
    found = []
    for key in [*"123456789", "clear", "0", "enter"]:
        bench.say(f"Press {CAPS.get(key, key)}.")
        event = bench.wait(KeyPressed)
        pressed = event.key if event else bench.nothing
        found.append(Step(f"press {key}", pressed == key, pressed))
        if event is None:
            break
    return found
