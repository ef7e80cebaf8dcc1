"""Self-test of the 12-key pad: each key once, in the order of a telephone's pad."""

from __future__ import annotations

from hal.api import KeyPressed
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Asks for all twelve keys; a wrong one is named, so that crossed wires show. Stops when one stays silent."""
    found: list[Step] = []
    for key in [*"123456789", "clear", "0", "enter"]:
        bench.say("do.key", key=key)
        event = bench.wait(KeyPressed)
        if event is None:
            return [*found, bench.silent("step.key", key=key)]
        found.append(Step("step.key", event.key == key, "seen.key", {"key": key, "pressed": event.key}))
    return found
