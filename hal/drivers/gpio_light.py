"""A light strip on a GPIO pin, through a transistor (dimmed) or a relay (on and off)."""

from __future__ import annotations

import math
import threading
from typing import Annotated, Any

import msgspec

from hal.api import Glow, HealthListener
from hal.config import BcmPin
from hal.drivers.gpio import keep_pins, open_output
from hal.drivers.own_thread import OwnThread
from hal.tools import OpensPins, Tools

FRAME_S = 0.04


class Config(msgspec.Struct, frozen=True):
    """A strip of light behind a transistor.

    `dimmable` false for a relay: then it is on or off, and "breathe" is a slow blink. `brightness` of full light, 0-1.
    `breathe_s` the time of one swelling: 1 s at least, far below the three flashes a second that may harm.
    """

    pin: BcmPin = 15
    dimmable: bool = True
    brightness: Annotated[float, msgspec.Meta(ge=0.05, le=1)] = 0.8
    breathe_s: Annotated[float, msgspec.Meta(ge=1, le=20)] = 3.0


def pins(config: Config) -> dict[str, int]:
    """See `hal.registry.DRIVERS`."""
    return {"": config.pin}


def open_driver(name: str, config: Config, tools: Tools) -> GpioLight:
    """See `hal.registry.DRIVERS`."""
    return GpioLight(name, config, tools.pins, on_health=tools.on_health)


class GpioLight(OwnThread):
    """`hal.api.Light` on a GPIO pin."""

    def __init__(self, name: str, config: Config, pins: OpensPins, *, on_health: HealthListener) -> None:
        super().__init__(name, on_health=on_health)
        self._config = config
        self._pins = pins
        self._wanted: Glow = "off"
        self._news = threading.Event()

    def show(self, glow: Glow) -> None:
        """See `Light.show`."""
        self._wanted = glow
        self._news.set()

    def _interrupt(self) -> None:
        self._news.set()

    def _run(self) -> None:
        keep_pins(self._pins, self._session, health=self._health, stop=self._stop)

    def _session(self, factory: Any) -> None:
        strip = open_output(factory, self.name, self._config.pin, dimmable=self._config.dimmable)
        try:
            self._health.set("hal.ok")
            glow, since_s, shown = self._wanted, factory.ticks(), 0.0
            while not self._stop.is_set():
                self._news.clear()
                if self._wanted != glow:
                    glow, since_s = self._wanted, factory.ticks()
                level = brightness(glow, factory.ticks() - since_s, self._config)
                if level != shown:
                    strip.value = shown = level
                self._news.wait(FRAME_S if glow == "breathe" else None)
        finally:
            # A light that stays on after the program would invite somebody to nothing.
            strip.off()
            strip.close()


def brightness(glow: Glow, since_s: float, config: Config) -> float:
    """How bright the strip is `since_s` after it began to show `glow`: 0 to 1; 0 or 1 where it cannot be dimmed."""
    level = {"off": 0.0, "on": 1.0, "breathe": (1 - math.cos(2 * math.pi * since_s / config.breathe_s)) / 2}[glow]
    return level * config.brightness if config.dimmable else float(level > 0.5)
