"""Tamper contact on a GPIO pin: a loop that is cut, or a sensor that is shaken."""

from __future__ import annotations

import threading
from collections import deque
from typing import Annotated, Any, Literal

import msgspec

from hal.api import EventListener, HealthListener, Tampered, TamperEnded
from hal.config import BcmPin
from hal.drivers.gpio import Input, keep_pins
from hal.drivers.gpio_contact import Contact
from hal.drivers.own_thread import OwnThread
from hal.tools import OpensPins, Tools

LOOK_S = 0.2


class Config(msgspec.Struct, frozen=True):
    """Normally-closed contact between the pin and ground; a cut wire therefore reads as tampering.

    `sensor`: `loop` a wire loop, tilt switch or second reed switch, told when it stays open for `settle_ms`; `vibration` a
    sensor that opens for moments, told when it opened `pulses` times within `window_s`. Tampering is over once the loop is
    closed again, or the sensor has been quiet for `quiet_s`.
    """

    pin: BcmPin = 2
    sensor: Literal["loop", "vibration"] = "loop"
    settle_ms: Annotated[float, msgspec.Meta(ge=1, le=2000)] = 100.0
    pulses: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    window_s: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 2.0
    quiet_s: Annotated[float, msgspec.Meta(ge=0.1, le=600)] = 30.0


def pins(config: Config) -> dict[str, int]:
    """See `hal.registry.DRIVERS`."""
    return {"": config.pin}


def open_driver(name: str, config: Config, tools: Tools) -> GpioTamper:
    """See `hal.registry.DRIVERS`."""
    return GpioTamper(name, config, tools.pins, on_event=tools.on_event, on_health=tools.on_health)


class Shaking:
    """Whether openings of a vibration sensor are frequent enough to be tampering; pure."""

    def __init__(self, *, pulses: int, window_s: float, quiet_s: float) -> None:
        self._openings: deque[float] = deque(maxlen=pulses)
        self._window_s = window_s
        self._quiet_s = quiet_s
        self._last_s = float("-inf")
        self.since_s: float | None = None
        """First opening of the tampering that lasts; None while there is none."""

    def opened(self, at_s: float) -> None:
        """The sensor opened."""
        self._last_s = at_s
        self._openings.append(at_s)
        enough = len(self._openings) == self._openings.maxlen
        if self.since_s is None and enough and at_s - self._openings[0] <= self._window_s:
            self.since_s = self._openings[0]

    def pass_time(self, now_s: float, *, is_open: bool) -> None:
        """Let time act: a sensor that stays open for the quiet time is cut off, one that stays closed for it is quiet."""
        if now_s - self._last_s < self._quiet_s:
            return
        if is_open:
            self.since_s = self.since_s if self.since_s is not None else now_s
        else:
            self.since_s = None
            self._openings.clear()


class GpioTamper(OwnThread):
    """`hal.api.Tamper` on a GPIO pin."""

    def __init__(self, name: str, config: Config, pins: OpensPins, *, on_event: EventListener, on_health: HealthListener) -> None:
        super().__init__(name, on_event=on_event, on_health=on_health)
        self._config = config
        self._pins = pins
        self._tampered: bool | None = None
        self._contact = Contact(config.pin, config.settle_ms / 1000, stop=self._stop)
        self._lock = threading.Lock()
        self._shaking = Shaking(pulses=config.pulses, window_s=config.window_s, quiet_s=config.quiet_s)

    def is_tampered(self) -> bool | None:
        """See `Tamper.is_tampered`."""
        return self._tampered

    def _interrupt(self) -> None:
        self._contact.wake()

    def _run(self) -> None:
        follow = self._follow_loop if self._config.sensor == "loop" else self._follow_shaking
        keep_pins(self._pins, follow, health=self._health, stop=self._stop)

    def _follow_loop(self, factory: Any) -> None:
        self._contact.follow(factory, lambda closed, at_s: self._tell(not closed, at_s))

    def _follow_shaking(self, factory: Any) -> None:
        sensor = Input(factory, self._config.pin, self._edge)
        try:
            while True:
                now_s = factory.ticks()
                with self._lock:
                    self._shaking.pass_time(now_s, is_open=not sensor.closed)
                    since_s = self._shaking.since_s
                self._tell(since_s is not None, now_s if since_s is None else since_s)
                if self._stop.wait(LOOK_S):
                    return
        finally:
            sensor.close()

    def _edge(self, at_s: float, closed: bool) -> None:
        if not closed:
            with self._lock:
                self._shaking.opened(at_s)

    def _tell(self, tampered: bool, at_s: float) -> None:
        self._health.set("tamper.told" if tampered else "hal.ok")
        was, self._tampered = self._tampered, tampered
        # A cabinet in peace when the program starts is no news; one that is being opened is.
        if tampered == bool(was):
            return
        self._emit(Tampered(at_s) if tampered else TamperEnded(at_s))
