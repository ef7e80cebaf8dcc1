"""The cabinet's door contact on a GPIO pin."""

from __future__ import annotations

import threading
from typing import Annotated

import msgspec
import structlog

from hal.api import DoorClosed, DoorOpened, EventListener, Health, HealthListener
from hal.config import BcmPin
from hal.drivers.gpio import GpioError, Input
from hal.health import HealthRecord
from hal.tools import OpensPins, Tools

RETRY_S = 2.0
CHECK_S = 1.0

log = structlog.get_logger("hal")


class Config(msgspec.Struct, frozen=True):
    """Cabinet door contact: a reed switch, closed while the door is closed, between the pin and ground."""

    pin: BcmPin = 16
    settle_ms: Annotated[float, msgspec.Meta(ge=1, le=2000)] = 100.0


def pins(config: Config) -> dict[str, int]:
    """See `hal.registry.DRIVERS`."""
    return {"": config.pin}


def open_driver(name: str, config: Config, tools: Tools) -> GpioDoor:
    """See `hal.registry.DRIVERS`."""
    return GpioDoor(name, config, tools.pins, on_event=tools.on_event, on_health=tools.on_health)


class GpioDoor:
    """`hal.api.Door`: a reed switch that is closed while the door is; a cut wire therefore reads as an open door.

    A change is told once it has lasted `settle_ms`, so that vibration is no burglary.
    """

    def __init__(self, name: str, config: Config, pins: OpensPins, *, on_event: EventListener, on_health: HealthListener) -> None:
        self.name = name
        self._config = config
        self._pins = pins
        self._on_event = on_event
        self._health = HealthRecord(self.name, on_health)
        self._open: bool | None = None
        self._edge_at_s = 0.0
        self._edges = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hal-door", daemon=True)

    def start(self) -> None:
        """See `Peripheral.start`."""
        self._thread.start()

    def health(self) -> Health:
        """See `Peripheral.health`."""
        return self._health.get()

    def is_open(self) -> bool | None:
        """See `Door.is_open`."""
        return self._open

    def close(self) -> None:
        """See `Peripheral.close`."""
        self._stop.set()
        self._edges.set()
        if self._thread.is_alive():
            self._thread.join(2)
        self._health.set("hal.stopped")

    def _edge(self, at_s: float, closed: bool) -> None:
        if not self._edges.is_set():
            self._edge_at_s = at_s
        self._edges.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                factory = self._pins.factory()
                contact = Input(factory, self._config.pin, self._edge)
            except GpioError as error:
                self._health.set("gpio.failed", error=str(error))
                self._stop.wait(RETRY_S)
                continue
            self._health.set("hal.ok")
            self._edge_at_s = factory.ticks()
            while not self._stop.is_set():
                self._settle(contact)
                # Woken by the next edge; looks now and then even without one, in case the library lost it.
                self._edges.wait(CHECK_S)
            contact.close()

    def _settle(self, contact: Input) -> None:
        """Wait until no edge has come for `settle_ms`, then tell what has changed."""
        while not self._stop.is_set():
            at_s = self._edge_at_s
            self._edges.clear()
            if not self._edges.wait(self._config.settle_ms / 1000):
                break
            self._edge_at_s = at_s
        is_open = not contact.closed
        if self._stop.is_set() or is_open == self._open:
            return
        first, self._open = self._open is None, is_open
        # A door that is closed when the program starts is no news; one that is open is.
        if is_open or not first:
            event = DoorOpened(at_s) if is_open else DoorClosed(at_s)
            try:
                self._on_event(self.name, event)
            except Exception:
                log.exception("event listener failed", peripheral=self.name)
