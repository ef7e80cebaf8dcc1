"""Guided self-tests of each peripheral for a technician at the machine: what to do next, and whether it worked."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import Any

import msgspec

from hal.api import ButtonPressed, CardError, CardPresent, CardRemoved, DoorClosed, DoorOpened, Event, Health, Job
from hal.config import HalConfig, Section
from hal.factory import Hal, open_hal
from hal.paper import Columns, Cut, Feed, Qr, Rule, Text

Say = Callable[[str], None]


class Step(msgspec.Struct, frozen=True):
    """One step of a test: what was tried, whether it worked, and what was seen."""

    what: str
    ok: bool
    seen: str = ""


class Bench:
    """The device's hardware opened for a test; `say` tells the technician what to do, `wait_s` is the time for each."""

    def __init__(self, config: HalConfig, *, say: Say, wait_s: float) -> None:
        self._config = config
        self._say = say
        self._wait_s = wait_s
        self._events: queue.Queue[Event] = queue.Queue()
        self._hal: Hal = open_hal(config, on_event=lambda name, event: self._events.put(event), on_health=_ignore)

    def run(self, name: str) -> list[Step]:
        """Test the peripheral `name`; every step that was tried, the first failed one is the last."""
        section = self._config.section(name)
        if section is None:
            there = ", ".join(one.name for one in self._config.sections) or "nothing"
            return [Step("open", False, f"{name} is not configured; there is {there}")]
        self._hal.start()
        try:
            steps = [self._comes_up(name)]
            if steps[0].ok:
                steps += getattr(self, f"_test_{section.kind}")(section)
            return steps
        finally:
            self._hal.close()

    def _comes_up(self, name: str) -> Step:
        peripheral = self._hal.named(name)
        assert peripheral is not None
        end_s = time.monotonic() + 5
        while (health := peripheral.health()).state == "unknown" and time.monotonic() < end_s:
            time.sleep(0.02)
        return Step("open", health.state in ("ok", "degraded"), f"{health.reason} {' '.join(health.args.values())}".strip())

    def _wait(self, wanted: Callable[[Event], bool]) -> Event | None:
        """The next event that is wanted, or None when the time is over."""
        end_s = time.monotonic() + self._wait_s
        while (left_s := end_s - time.monotonic()) > 0:
            try:
                event = self._events.get(timeout=left_s)
            except queue.Empty:
                break
            if wanted(event):
                return event
        return None

    def _test_buttons(self, section: Section) -> list[Step]:
        assert self._hal.buttons is not None
        steps = []
        self._hal.buttons.buzz(100)
        for name, pin in msgspec.structs.asdict(section.settings.pins).items():
            if pin is None:
                continue
            self._hal.buttons.lamp(name, "blink")
            self._say(f"Press {name} (BCM pin {pin}); its lamp blinks.")
            event = self._wait(lambda event: isinstance(event, ButtonPressed))
            self._hal.buttons.lamp(name, "off")
            pressed = event.button if isinstance(event, ButtonPressed) else f"nothing within {self._wait_s:.0f} s"
            steps.append(Step(f"press {name}", pressed == name, pressed))
        return steps

    def _test_printer(self, section: Section) -> list[Step]:
        assert self._hal.printer is not None
        outcomes: queue.Queue[Any] = queue.Queue()
        self._say("A test page is being printed.")
        deadline_s = max(5.0, self._wait_s)
        job = Job(f"self-test-{time.time_ns()}", page(section.settings.profile), deadline_s)
        self._hal.printer.submit(job, outcomes.put)
        try:
            outcome = outcomes.get(timeout=deadline_s + 6)
        except queue.Empty:
            return [Step("print a page", False, "no outcome; this is a mistake in the driver, please report it")]
        return [Step("print a page", outcome.result == "printed", f"{outcome.result}, {outcome.reason} {outcome.detail}".strip())]

    def _test_id_card(self, _: Section) -> list[Step]:
        self._say("Lay an identity card on the reader.")
        event = self._wait(lambda event: isinstance(event, CardPresent | CardError))
        if not isinstance(event, CardPresent):
            seen = event.reason if isinstance(event, CardError) else f"no card within {self._wait_s:.0f} s"
            return [Step("read a card", False, seen)]
        card = event.card
        read = Step("read a card", True, f"{card.kind} {card.name} {card.number} valid to {card.valid_to}")
        self._say("Take the card away.")
        gone = self._wait(lambda event: isinstance(event, CardRemoved))
        seen = gone.evidence if isinstance(gone, CardRemoved) else f"not noticed within {self._wait_s:.0f} s"
        return [read, Step("take it away", gone is not None, seen)]

    def _test_door(self, _: Section) -> list[Step]:
        steps = []
        for what, kind in (("open the door", DoorOpened), ("close the door", DoorClosed)):
            self._say(f"Please {what}.")
            event = self._wait(lambda event, kind=kind: isinstance(event, kind))  # type: ignore[misc]
            steps.append(Step(what, event is not None, "seen" if event else f"nothing within {self._wait_s:.0f} s"))
        return steps


def page(profile: str) -> tuple[Any, ...]:
    """The test page: Chinese, Latin, sizes, columns, a QR code, a cut."""
    return (
        Text("打印测试", bold=True, size=2, align="centre"),
        Text("Nightwindow printer test", align="centre"),
        Rule(),
        Columns(("型号", profile), (12, 0)),
        Columns(("左", "中", "右"), (0, 0, 0), ("left", "centre", "right")),
        Text("大字", size=3),
        Text("0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz"),
        Qr("NIGHTWINDOW PRINTER TEST"),
        Feed(1),
        Cut(),
    )


def _ignore(name: str, health: Health) -> None:
    """The test asks for health itself."""
