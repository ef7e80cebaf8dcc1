"""Self-test of the loudspeaker: each step of its volume, and headphones where the board feels them."""

from __future__ import annotations

import time

from hal.api import HeadphonesChanged, Speaker
from hal.config import Section
from hal.selftest.bench import Bench, Step

SET_S = 1.0


def steps(bench: Bench, section: Section) -> list[Step]:
    """Sets every step and the normal volume again, which the mixer must take; `nw-hal test speech` is what can be heard."""
    speaker: Speaker = bench.peripheral(section)
    found = []
    for step in (*range(1, speaker.steps + 1), 0):
        speaker.volume(step)
        time.sleep(min(SET_S, bench.wait_s))
        health = speaker.health()
        ok = health.state == "ok"
        args = {"step": str(step), **health.args}
        found.append(Step("step.volume", ok, health.reason, args, "" if ok else health.next_step))
        if not ok:
            return found
    return found + (_headphones(bench) if speaker.headphones() is not None else [])


def _headphones(bench: Bench) -> list[Step]:
    found = []
    for what, plugged in (("headphones_in", True), ("headphones_out", False)):
        bench.say(f"do.{what}")
        event = bench.wait(HeadphonesChanged)
        found.append(Step(f"step.{what}", event.plugged == plugged) if event else bench.silent(f"step.{what}"))
    return found
