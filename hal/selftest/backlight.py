"""Self-test of the screen's backlight: dim, and bright again. Only the technician sees whether it does."""

from __future__ import annotations

import time

from hal.api import Backlight
from hal.config import Section
from hal.selftest.bench import Bench, Step

SHOWN_S = 3.0


def steps(bench: Bench, section: Section) -> list[Step]:
    """Shows the brightness of the night and of the day; fails also when the panel refuses it."""
    panel: Backlight = bench.peripheral(section)
    found: list[Step] = []
    for what, night in (("dim", True), ("bright", False)):
        bench.say(f"do.{what}")
        panel.dim(night)
        time.sleep(min(SHOWN_S, bench.wait_s))
        health = panel.health()
        if health.state == "down":
            return [*found, Step(f"step.{what}", False, health.reason, health.args, health.next_step)]
        found.append(bench.judged(f"step.{what}", "seen.look"))
    return found
