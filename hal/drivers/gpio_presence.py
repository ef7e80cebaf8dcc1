"""Presence sensor on a GPIO pin: a PIR or radar module that drives its output high while something moves."""

from __future__ import annotations

import threading
from typing import Annotated, Any

import msgspec

from hal.api import EventListener, HealthListener, PresenceChanged
from hal.config import BcmPin
from hal.drivers.gpio import Input, keep_pins
from hal.drivers.own_thread import OwnThread
from hal.tools import OpensPins, Tools

LOOK_S = 0.2


class Config(msgspec.Struct, frozen=True):
    """PIR or radar module with a 3.3 V output.

    `hold_s` somebody counts as there for this long after the last movement; a person who reads hardly moves.
    `warm_up_s` what the sensor says in this time after the program started is not believed: a PIR that was just switched on
    sees ghosts for up to a minute.
    """

    pin: BcmPin = 14
    hold_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 20.0
    warm_up_s: Annotated[float, msgspec.Meta(ge=0, le=120)] = 0.0


def pins(config: Config) -> dict[str, int]:
    """See `hal.registry.DRIVERS`."""
    return {"": config.pin}


def open_driver(name: str, config: Config, tools: Tools) -> GpioPresence:
    """See `hal.registry.DRIVERS`."""
    return GpioPresence(name, config, tools.pins, on_event=tools.on_event, on_health=tools.on_health)


class GpioPresence(OwnThread):
    """`hal.api.Presence` on a GPIO pin."""

    def __init__(self, name: str, config: Config, pins: OpensPins, *, on_event: EventListener, on_health: HealthListener) -> None:
        super().__init__(name, on_event=on_event, on_health=on_health)
        self._config = config
        self._pins = pins
        self._lock = threading.Lock()
        self._present: bool | None = None
        self._moved_s = float("-inf")
        self._moving = False
        self._edges = threading.Event()

    def is_present(self) -> bool | None:
        """See `Presence.is_present`."""
        return self._present

    def _interrupt(self) -> None:
        self._edges.set()

    def _run(self) -> None:
        keep_pins(self._pins, self._session, health=self._health, stop=self._stop)

    def _session(self, factory: Any) -> None:
        sensor = Input(factory, self._config.pin, self._edge, active_high=True)
        try:
            self._health.set("hal.ok")
            if self._stop.wait(self._config.warm_up_s):
                return
            with self._lock:
                self._moved_s = float("-inf")
            while not self._stop.is_set():
                self._edges.clear()
                self._look(factory.ticks(), sensor.closed)
                self._edges.wait(LOOK_S)
        finally:
            sensor.close()

    def _edge(self, at_s: float, moves: bool) -> None:
        with self._lock:
            self._moved_s = max(self._moved_s, at_s)
        self._edges.set()

    def _look(self, now_s: float, moves: bool) -> None:
        with self._lock:
            if moves:
                self._moved_s = max(self._moved_s, now_s)
            moved_s = self._moved_s
        present = moves or now_s - moved_s < self._config.hold_s
        was, self._present = self._present, present
        if present == bool(was):
            return
        self._emit(PresenceChanged(present, moved_s if present else now_s))
