"""The panel's brightness through sysfs, by day and by night; a panel that comes back gets it again."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import msgspec

from hal.api import HealthListener
from hal.drivers.own_thread import OwnThread
from hal.tools import Tools

Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]


class Config(msgspec.Struct, frozen=True):
    """The screen's backlight.

    `device` its name below /sys/class/backlight, or `auto`: the first one. `day` and `night` brightness in percent.
    `check_s` how often it is made sure that the panel still has it. `sysfs` where sysfs is; only tests have another.
    """

    device: str = "auto"
    day: Percent = 100.0
    night: Percent = 40.0
    check_s: Annotated[float, msgspec.Meta(ge=0.05, le=600)] = 5.0
    sysfs: str = "/sys"


def where(config: Config) -> str:
    """See `hal.registry.DRIVERS`."""
    return str(Path(config.sysfs) / "class/backlight" / ("*" if config.device == "auto" else config.device))


def is_there(config: Config) -> bool:
    """See `hal.registry.DRIVERS`."""
    return _find(config) is not None


def open_driver(name: str, config: Config, tools: Tools) -> SysfsBacklight:
    """See `hal.registry.DRIVERS`."""
    return SysfsBacklight(name, config, on_health=tools.on_health)


def _find(config: Config) -> Path | None:
    folder = Path(config.sysfs) / "class/backlight"
    if config.device != "auto":
        return folder / config.device if (folder / config.device).is_dir() else None
    return next(iter(sorted(folder.glob("*"))), None)


class SysfsBacklight(OwnThread):
    """`hal.api.Backlight`. Writes on a thread of its own: some panels' buses take tens of milliseconds."""

    def __init__(self, name: str, config: Config, *, on_health: HealthListener) -> None:
        super().__init__(name, on_health=on_health)
        self._config = config
        self._percent = config.day
        self._wake = threading.Event()

    def set(self, percent: float) -> None:
        """See `Backlight.set`."""
        if not 0 <= percent <= 100:
            raise ValueError(f"brightness is {percent}; use 0-100 percent")
        self._percent = percent
        self._wake.set()

    def dim(self, night: bool) -> None:
        """See `Backlight.dim`."""
        self.set(self._config.night if night else self._config.day)

    def _interrupt(self) -> None:
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            self._write()
            self._wake.wait(self._config.check_s)

    def _write(self) -> None:
        panel = _find(self._config)
        if panel is None:
            self._health.set("backlight.missing", place=where(self._config))
            return
        try:
            most = int((panel / "max_brightness").read_text(encoding="ascii"))
            wanted = round(most * self._percent / 100)
            if int((panel / "brightness").read_text(encoding="ascii")) != wanted:
                (panel / "brightness").write_text(str(wanted), encoding="ascii")
        except (OSError, ValueError) as error:
            self._health.set("backlight.denied", place=str(panel), error=str(error)[:200])
        else:
            self._health.set("hal.ok")
