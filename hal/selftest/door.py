"""Self-test of the cabinet's door: opened and closed once."""

from __future__ import annotations

from hal.api import DoorClosed, DoorOpened
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Waits for each movement."""
    found = []
    for what, kind in (("open_door", DoorOpened), ("close_door", DoorClosed)):
        bench.say(f"do.{what}")
        found.append(Step(f"step.{what}", True) if bench.wait(kind) else bench.silent(f"step.{what}"))
    return found
