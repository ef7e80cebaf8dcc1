"""What every guided self-test stands on: the hardware opened for it, events to wait for, and the steps it tells."""

from __future__ import annotations

import importlib
import queue
import time
from collections.abc import Callable
from typing import Any

import msgspec

from hal.api import Event
from hal.config import HalConfig, Section
from hal.factory import Hal, open_hal

OPENS_S = 5.0


class Said(msgspec.Struct, frozen=True):
    """A message id of `hal.words` with its arguments."""

    message: str
    args: dict[str, str] = {}


class Step(msgspec.Struct, frozen=True):
    """One step of a test: what was tried, whether it worked, what was seen.

    `what`, `seen` and `next_step` are message ids of `hal.words` that share `args`; `next_step` is empty where there is none.
    """

    what: str
    ok: bool
    seen: str = "seen.seen"
    args: dict[str, str] = {}
    next_step: str = ""


Say = Callable[[Said], None]
Confirm = Callable[[], bool | None]
"""Asks the technician whether what was told is so; None when nobody can answer."""


class Bench:
    """The device's hardware opened for a test; `say` tells the technician what to do, `wait_s` is the time for each step."""

    def __init__(self, config: HalConfig, *, say: Say, wait_s: float, confirm: Confirm = lambda: None) -> None:
        self.config = config
        self.wait_s = wait_s
        self._say = say
        self._confirm = confirm
        self._tested = ""
        self._events: queue.Queue[Event] = queue.Queue()
        self.hal: Hal = open_hal(config, on_event=self._heard, on_health=lambda name, health: None)

    def run(self, name: str) -> list[Step]:
        """Test the peripheral `name`: every step that was tried. One that does not open is tested no further."""
        section = self.config.section(name)
        if section is None:
            there = ", ".join(one.name for one in self.config.sections) or "nothing"
            return [Step("step.open", False, "seen.unconfigured", {"name": name, "there": there})]
        self._tested = name
        self.hal.start()
        try:
            steps = [self._comes_up(name)]
            if steps[0].ok:
                # Each kind's steps are loaded when they are wanted: a registry of functions would load every test.
                steps += importlib.import_module(f"hal.selftest.{section.kind}").steps(self, section)
            return steps
        finally:
            self.hal.close()

    def say(self, message: str, **args: str) -> None:
        """Tell the technician what to do next."""
        self._say(Said(message, args))

    def peripheral(self, section: Section) -> Any:
        """The peripheral under test; its module knows the Protocol."""
        return self.hal.named(section.name)

    def wait(self, *kinds: type[Event]) -> Any:
        """The next event of one of `kinds` from the peripheral under test, or None when the time is over."""
        end_s = time.monotonic() + self.wait_s
        while (left_s := end_s - time.monotonic()) > 0:
            try:
                event = self._events.get(timeout=left_s)
            except queue.Empty:
                break
            if isinstance(event, kinds):
                return event
        return None

    def judged(self, what: str, otherwise: str, **args: str) -> Step:
        """A step that only the technician's eyes or ears can judge; `otherwise` is seen when nobody answers."""
        right = self._confirm()
        seen = otherwise if right is None else "seen.yes" if right else "seen.no"
        return Step(what, right is not False, seen, args)

    def silent(self, what: str, **args: str) -> Step:
        """A step that failed because nothing came in time."""
        return Step(what, False, "seen.nothing", args | {"wait_s": f"{self.wait_s:.0f}"})

    def _heard(self, name: str, event: Event) -> None:
        if name == self._tested:
            self._events.put(event)

    def _comes_up(self, name: str) -> Step:
        peripheral = self.hal.named(name)
        assert peripheral is not None
        end_s = time.monotonic() + OPENS_S
        while (health := peripheral.health()).state == "unknown" and time.monotonic() < end_s:
            time.sleep(0.02)
        works = health.state in ("ok", "degraded")
        return Step("step.open", works, health.reason, health.args, "" if health.reason == "hal.ok" else health.next_step)
