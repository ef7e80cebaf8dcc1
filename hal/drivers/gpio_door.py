"""The cabinet's door contact on a GPIO pin."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hal.api import DoorClosed, DoorOpened, EventListener, HealthListener
from hal.config import BcmPin
from hal.drivers.gpio import keep_pins
from hal.drivers.gpio_contact import Contact
from hal.drivers.own_thread import OwnThread
from hal.tools import OpensPins, Tools


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


class GpioDoor(OwnThread):
    """`hal.api.Door`: a reed switch that is closed while the door is; a cut wire therefore reads as an open door.

    A change is told once it has lasted `settle_ms`, so that vibration is no burglary.
    """

    def __init__(self, name: str, config: Config, pins: OpensPins, *, on_event: EventListener, on_health: HealthListener) -> None:
        super().__init__(name, on_event=on_event, on_health=on_health)
        self._pins = pins
        self._open: bool | None = None
        self._contact = Contact(config.pin, config.settle_ms / 1000, stop=self._stop)

    def is_open(self) -> bool | None:
        """See `Door.is_open`."""
        return self._open

    def _interrupt(self) -> None:
        self._contact.wake()

    def _run(self) -> None:
        keep_pins(self._pins, lambda factory: self._contact.follow(factory, self._look), health=self._health, stop=self._stop)

    def _look(self, closed: bool, at_s: float) -> None:
        self._health.set("hal.ok" if closed else "door.open")
        was_open, self._open = self._open, not closed
        # A door that is closed when the program starts is no news; one that is open is.
        if self._open == bool(was_open):
            return
        self._emit(DoorOpened(at_s) if self._open else DoorClosed(at_s))
