"""Rating buttons, call-staff button, lamps and buzzer on GPIO pins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from hal.api import BufferedPress, ButtonPressed, EventListener, HealthListener, Lamp
from hal.config import BcmPin
from hal.drivers.debounce import Debounce
from hal.drivers.gpio import Input, keep_pins, open_output
from hal.drivers.own_thread import OwnThread
from hal.tools import OpensPins, Tools

LEVELS = ("level_5", "level_4", "level_3", "level_2", "level_1")
CHATTER_S = 1.0
WATCH_S = 0.1


class ButtonPins(msgspec.Struct, frozen=True):
    """BCM number of each button's pin; the button connects it to ground. None = not wired."""

    level_5: BcmPin | None = 17
    level_4: BcmPin | None = 27
    level_3: BcmPin | None = 22
    level_2: BcmPin | None = 23
    level_1: BcmPin | None = 24
    call_staff: BcmPin | None = 25


class LampPins(msgspec.Struct, frozen=True):
    """BCM number of the pin that drives each button's lamp, high = on. None = not wired."""

    level_5: BcmPin | None = 5
    level_4: BcmPin | None = 6
    level_3: BcmPin | None = 13
    level_2: BcmPin | None = 19
    level_1: BcmPin | None = 26
    call_staff: BcmPin | None = 21


class Config(msgspec.Struct, frozen=True):
    """Rating buttons on GPIO.

    `settle_ms` how long a contact must be quiet before it counts as at rest: above the worst bounce of the switch,
    below half of the shortest press. `stuck_s` a button held longer is reported as stuck.
    """

    pins: ButtonPins = ButtonPins()
    lamps: LampPins = LampPins()
    buzzer: BcmPin | None = 12
    settle_ms: Annotated[float, msgspec.Meta(ge=1, le=200)] = 12.0
    stuck_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 20.0


def pins(config: Config) -> dict[str, int]:
    """See `hal.registry.DRIVERS`: buttons by name, lamps as `lamp.NAME`, `buzzer`."""
    named: dict[str, int | None] = msgspec.structs.asdict(config.pins)
    named |= {f"lamp.{name}": pin for name, pin in msgspec.structs.asdict(config.lamps).items()}
    named["buzzer"] = config.buzzer
    return {name: pin for name, pin in named.items() if pin is not None}


def open_driver(name: str, config: Config, tools: Tools) -> GpioButtons:
    """See `hal.registry.DRIVERS`."""
    return GpioButtons(name, config, tools.pins, on_event=tools.on_event, on_health=tools.on_health)


class _Button:
    """One button: its pin, its debouncing, and the press it reports."""

    def __init__(self, name: str, settle_s: float, on_press: Callable[[str, float], None]) -> None:
        self.name = name
        self._settle_s = settle_s
        self._on_press = on_press
        self._lock = threading.Lock()
        self._debounce = Debounce(settle_s)
        self._input: Input | None = None
        self._disagreed = False

    def open(self, factory: Any, pin: int) -> None:
        self._input = Input(factory, pin, self._edge)
        with self._lock:
            # A button that is down before the program starts is no press; it is a candidate for "stuck".
            self._debounce = Debounce(self._settle_s, pressed=self._input.closed, at_s=factory.ticks())

    def close(self) -> None:
        if self._input is not None:
            self._input.close()

    def _edge(self, at_s: float, closed: bool) -> None:
        with self._lock:
            pressed = self._debounce.feed(at_s, closed)
        if pressed:
            self._on_press(self.name, at_s)

    def watch(self, now_s: float, stuck_s: float) -> str | None:
        """Catch up with an edge that the library lost; returns what is wrong with the contact, or None."""
        assert self._input is not None
        closed = self._input.closed
        # Only a disagreement seen twice is a lost edge; once may be an edge on its way.
        disagrees = closed != self._debounce.level
        if disagrees and self._disagreed:
            self._edge(now_s, closed)
        self._disagreed = disagrees
        with self._lock:
            if self._debounce.held_s(now_s) > stuck_s:
                return "buttons.stuck"
            return "buttons.chattering" if self._debounce.chattering_s(now_s) > CHATTER_S else None


class GpioButtons(OwnThread):
    """`hal.api.Buttons` on GPIO pins."""

    def __init__(self, name: str, config: Config, pins: OpensPins, *, on_event: EventListener, on_health: HealthListener) -> None:
        super().__init__(name, on_event=on_event, on_health=on_health)
        self._config = config
        self._pins = pins
        self._buttons = [
            _Button(name, config.settle_ms / 1000, self._pressed)
            for name, pin in msgspec.structs.asdict(config.pins).items()
            if pin is not None
        ]
        self._lock = threading.Lock()
        self._outputs: dict[str, Any] = {}
        # What the lamps should show is kept, so that it holds even when asked for before the pins are open.
        self._wanted: dict[str, Lamp] = {}

    def names(self) -> tuple[str, ...]:
        """See `Buttons.names`."""
        return tuple(button.name for button in self._buttons)

    def lamp(self, name: str, state: Lamp) -> None:
        """See `Buttons.lamp`."""
        with self._lock:
            self._wanted[name] = state
            self._show(name, state)

    def lamps(self, state: Lamp) -> None:
        """See `Buttons.lamps`."""
        for name in LEVELS:
            self.lamp(name, state)

    def buzz(self, duration_ms: int = 80) -> None:
        """See `Buttons.buzz`."""
        if not 1 <= duration_ms <= 2000:
            raise ValueError(f"duration_ms is {duration_ms}; use 1 to 2000")
        with self._lock:
            if buzzer := self._outputs.get("buzzer"):
                buzzer.blink(on_time=duration_ms / 1000, off_time=0, n=1, background=True)

    def taken(self, press: BufferedPress) -> None:
        """See `Buttons.taken`: nothing is kept here."""

    def _show(self, name: str, state: Lamp) -> None:
        output = self._outputs.get(name)
        if output is None:
            return
        if state == "blink":
            output.blink(on_time=0.4, off_time=0.4, background=True)
        else:
            output.value = state == "on"

    def _pressed(self, name: str, at_s: float) -> None:
        level = int(name[-1]) if name in LEVELS else None
        self._emit(ButtonPressed(name, level, at_s))

    def _run(self) -> None:
        keep_pins(self._pins, self._session, health=self._health, stop=self._stop)

    def _session(self, factory: Any) -> None:
        try:
            self._open(factory)
            self._health.set("hal.ok")
            while not self._stop.wait(WATCH_S):
                self._watch(factory.ticks())
        finally:
            self._release()

    def _open(self, factory: Any) -> None:
        pins = msgspec.structs.asdict(self._config.pins)
        for button in self._buttons:
            button.open(factory, pins[button.name])
        outputs = msgspec.structs.asdict(self._config.lamps) | {"buzzer": self._config.buzzer}
        with self._lock:
            for name, pin in outputs.items():
                if pin is not None:
                    self._outputs[name] = open_output(factory, name, pin)
            for name, state in self._wanted.items():
                self._show(name, state)

    def _release(self) -> None:
        for button in self._buttons:
            button.close()
        with self._lock:
            for output in self._outputs.values():
                output.close()
            self._outputs.clear()

    def _watch(self, now_s: float) -> None:
        troubles = {button.name: button.watch(now_s, self._config.stuck_s) for button in self._buttons}
        for name, trouble in troubles.items():
            if trouble:
                self._health.set(trouble, button=name)
                return
        self._health.set("hal.ok")
