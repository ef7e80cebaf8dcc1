"""A digital temperature sensor that has a kernel driver of its own (LM75, TMP102, SHT3x on I2C), through hwmon's files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from hal.drivers.temperature_text import SensorError, thousandths
from hal.drivers.thermometer import Limits, SensorThermometer
from hal.tools import Tools


class Config(msgspec.Struct, frozen=True):
    """A hwmon sensor. `chip` its name as `/sys/class/hwmon/hwmon*/name` has it, since the numbers change at each start.

    `root` where the kernel shows them. `high_c` and `low_c` the limits of health in °C.
    """

    chip: str = "lm75"
    root: str = "/sys/class/hwmon"
    poll_s: Annotated[float, msgspec.Meta(ge=0.05, le=600)] = 30.0
    high_c: Annotated[float, msgspec.Meta(ge=0, le=125)] = 65.0
    low_c: Annotated[float, msgspec.Meta(ge=-55, le=50)] = -5.0


def check(config: Config) -> list[str]:
    """See `hal.registry.DRIVERS`."""
    if config.low_c < config.high_c:
        return []
    return [f".low_c is {config.low_c} and .high_c {config.high_c}; low_c must be the smaller"]


def where(config: Config) -> str:
    """See `hal.registry.DRIVERS`."""
    return f"{config.root}/{config.chip}"


def is_there(config: Config) -> bool:
    """See `hal.registry.DRIVERS`."""
    return bool(_chips(config))


def open_driver(name: str, config: Config, tools: Tools) -> SensorThermometer:
    """See `hal.registry.DRIVERS`."""
    limits = Limits(low_c=config.low_c, high_c=config.high_c)
    return SensorThermometer(name, lambda: read(config), poll_s=config.poll_s, limits=limits, on_health=tools.on_health)


def read(config: Config) -> float:
    """°C.

    Raises:
        SensorError: no such chip, or several, or what it says cannot be.
        OSError: the file cannot be read.
    """
    found = _chips(config)
    if len(found) != 1:
        raise SensorError(f"{len(found)} chips called {config.chip} in {config.root}; it must be one")
    return thousandths((found[0] / "temp1_input").read_text(encoding="ascii", errors="replace")[:64])


def _chips(config: Config) -> list[Path]:
    return [folder for folder in sorted(Path(config.root).glob("hwmon*")) if _name(folder) == config.chip]


def _name(folder: Path) -> str:
    try:
        return (folder / "name").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
