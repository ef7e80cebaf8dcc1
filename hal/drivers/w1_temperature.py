"""DS18B20 on the 1-wire bus, through the kernel's files (`dtoverlay=w1-gpio`)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import msgspec

from hal.drivers.temperature_text import SensorError, w1_slave
from hal.drivers.thermometer import Limits, SensorThermometer
from hal.tools import Tools

POWER_ON_C = 85.0
"""What the sensor says when it was asked before it had measured (data sheet of the DS18B20)."""
PLAUSIBLE_STEP_C = 10.0


class Config(msgspec.Struct, frozen=True):
    """A DS18B20. `sensor` its id, such as 28-0316a2795a2b; empty when it is the only one on the bus. `root` where the kernel
    shows the bus. `high_c` and `low_c` the limits of health in °C.
    """

    sensor: str = ""
    root: str = "/sys/bus/w1/devices"
    poll_s: Annotated[float, msgspec.Meta(ge=0.05, le=600)] = 30.0
    high_c: Annotated[float, msgspec.Meta(ge=0, le=125)] = 65.0
    low_c: Annotated[float, msgspec.Meta(ge=-55, le=50)] = -5.0


def check(config: Config) -> list[str]:
    """See `hal.registry.DRIVERS`."""
    found = []
    if config.low_c >= config.high_c:
        found.append(f".low_c is {config.low_c} and .high_c {config.high_c}; low_c must be the smaller")
    if config.sensor and not re.fullmatch(r"[0-9a-f]{2}-[0-9a-f]{12}", config.sensor):
        found.append(f".sensor is {config.sensor}; give an id such as 28-0316a2795a2b, or leave it empty")
    return found


def where(config: Config) -> str:
    """See `hal.registry.DRIVERS`."""
    return f"{config.root}/{config.sensor or '28-*'}"


def is_there(config: Config) -> bool:
    """See `hal.registry.DRIVERS`."""
    return bool(_sensors(config))


def open_driver(name: str, config: Config, tools: Tools) -> SensorThermometer:
    """See `hal.registry.DRIVERS`."""
    limits = Limits(low_c=config.low_c, high_c=config.high_c)
    return SensorThermometer(name, Reading(config), poll_s=config.poll_s, limits=limits, on_health=tools.on_health)


class Reading:
    """Reads the sensor; remembers the last value, to tell a real 85 °C from a sensor that has just been switched on."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._last_c: float | None = None

    def __call__(self) -> float:
        """°C; the kernel takes 0.75 s to measure.

        Raises:
            SensorError: no sensor, several where one is meant, a checksum that is wrong, a value that cannot be.
            OSError: the files cannot be read.
        """
        found = _sensors(self._config)
        if len(found) != 1:
            several = ", ".join(path.name for path in found)
            said = f"{len(found)} sensors ({several}); set sensor to one" if found else f"no sensor at {where(self._config)}"
            raise SensorError(said)
        celsius = w1_slave((found[0] / "w1_slave").read_text(encoding="ascii", errors="replace")[:512])
        if celsius == POWER_ON_C and (self._last_c is None or abs(self._last_c - celsius) > PLAUSIBLE_STEP_C):
            # Believed when it comes twice: then the cabinet really is that hot.
            self._last_c = celsius
            raise SensorError("the sensor says 85 °C, as it does before it has measured")
        self._last_c = celsius
        return celsius


def _sensors(config: Config) -> list[Path]:
    return sorted(Path(config.root).glob(config.sensor or "28-*"))
