"""Self-test of the rating buttons: each one pressed in turn, told by its lamp."""

from __future__ import annotations

from hal.api import ButtonPressed
from hal.config import Section
from hal.selftest.bench import Bench, Step

FRESH_S = 30.0
"""A buffered press older than this was not made for the test."""


def steps(bench: Bench, section: Section) -> list[Step]:
    """A tone, then every wired button."""
    buttons = bench.peripheral(section)
    found = []
    buttons.buzz(100)
    for name in buttons.names():
        buttons.lamp(name, "blink")
        bench.say("do.press", button=name)
        event = bench.wait(ButtonPressed)
        buttons.lamp(name, "off")
        if event is None:
            found.append(bench.silent("step.press", button=name))
            continue
        if event.buffered:
            if event.buffered.age_s is None or event.buffered.age_s > FRESH_S:
                # A citizen's press, made while the evaluator was away: a test must not eat it.
                found.append(Step("step.press", False, "seen.box_holds", {"button": name}))
                break
            buttons.taken(event.buffered)
        found.append(Step("step.press", event.button == name, "seen.pressed", {"button": name, "pressed": event.button}))
    return found
