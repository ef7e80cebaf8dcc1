"""Self-test of the rating buttons: each one pressed in turn, told by its lamp."""

from __future__ import annotations

from hal.api import ButtonPressed
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """A tone, then every wired button."""
    buttons = bench.peripheral(section)
    found = []
    buttons.buzz(100)
    for name in buttons.names():
        buttons.lamp(name, "blink")
        bench.say(f"Press {name}; its lamp blinks.")
        event = bench.wait(ButtonPressed)
        buttons.lamp(name, "off")
        pressed = event.button if event else bench.nothing
        found.append(Step(f"press {name}", pressed == name, pressed))
    return found
