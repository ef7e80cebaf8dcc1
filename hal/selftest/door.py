"""Self-test of the cabinet's door: opened and closed once."""

from __future__ import annotations

from hal.api import DoorClosed, DoorOpened
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Waits for each movement."""
    found = []
    for what, kind in (("open the door", DoorOpened), ("close the door", DoorClosed)):
        bench.say(f"Please {what}.")
        event = bench.wait(kind)
        found.append(Step(what, event is not None, "seen" if event else bench.nothing))
    return found
