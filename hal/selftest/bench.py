"""What every guided self-test stands on: the hardware opened for it, events to wait for, and the steps it tells."""

from __future__ import annotations

import importlib
import queue
import time
from collections.abc import Callable
from typing import Any

import msgspec

from hal.api import Event, Health
from hal.config import HalConfig, Section
from hal.factory import Hal, open_hal

Say = Callable[[str], None]


class Step(msgspec.Struct, frozen=True):
    """One step of a test: what was tried, whether it worked, and what was seen."""

    what: str
    ok: bool
    seen: str = ""


class Bench:
    """The device's hardware opened for a test; `say` tells the technician what to do, `wait_s` is the time for each step."""

    def __init__(self, config: HalConfig, *, say: Say, wait_s: float) -> None:
        self.config = config
        self.say = say
        self.wait_s = wait_s
        self._tested = ""
        self._events: queue.Queue[Event] = queue.Queue()
        self.hal: Hal = open_hal(config, on_event=self._heard, on_health=lambda name, health: None)

    def run(self, name: str) -> list[Step]:
        """Test the peripheral `name`; every step that was tried, the first failed one is the last."""
        section = self.config.section(name)
        if section is None:
            there = ", ".join(one.name for one in self.config.sections) or "nothing"
            return [Step("open", False, f"{name} is not configured; there is {there}")]
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

    @property
    def nothing(self) -> str:
        """What to say when nothing came."""
        return f"nothing within {self.wait_s:.0f} s"

    def _heard(self, name: str, event: Event) -> None:
        if name == self._tested:
            self._events.put(event)

    def _comes_up(self, name: str) -> Step:
        peripheral = self.hal.named(name)
        assert peripheral is not None
        end_s = time.monotonic() + 5
        while (health := peripheral.health()).state == "unknown" and time.monotonic() < end_s:
            time.sleep(0.02)
        return Step("open", health.state in ("ok", "degraded"), told(health))


def told(health: Health) -> str:
    """A health in one line: the reason and what it names."""
    return f"{health.reason} {' '.join(health.args.values())}".strip()
