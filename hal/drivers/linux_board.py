"""The computer's own health: supply voltage, throttling, storage, memory, clock, and how often its power was cut."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
import structlog

from hal.api import HealthListener
from hal.drivers import board_files
from hal.drivers.board_files import Storage, Throttling
from hal.drivers.own_thread import OwnThread
from hal.tools import Tools

FIRMWARE_DEADLINE_S = 2.0
CLOCK_NOT_BEFORE_S = 1_767_225_600
"""2026-01-01: no device of this product runs earlier, so a clock that says so was never set."""
RECENT_S = 86_400.0
"""How long after a start the power cut before it is told as health; the count stays."""
VOLTAGE_KEPT_S = 600.0
"""How long a supply that sagged is told: it sags for moments, and whoever looks next should see it."""

log = structlog.get_logger("hal")


class Config(msgspec.Struct, frozen=True):
    """The board.

    `every_s` how often it is looked at. `folder` a folder on the storage that matters; empty = that of the device's data.
    `worn_percent` and `memory_low_mb` are limits. `rtc` whether the board has a
    clock with a battery, which is then checked. `vcgencmd` the firmware's command; where it is missing the kernel is asked.
    `sysfs`, `procfs` are changed by tests only.
    """

    every_s: Annotated[float, msgspec.Meta(ge=0.05, le=3600)] = 10.0
    folder: str = ""
    worn_percent: Annotated[int, msgspec.Meta(ge=10, le=100)] = 80
    memory_low_mb: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 48
    rtc: Literal["expected", "none"] = "none"
    vcgencmd: tuple[str, ...] = ("vcgencmd",)
    sysfs: str = "/sys"
    procfs: str = "/proc"


def where(config: Config) -> str:
    """See `hal.registry.DRIVERS`."""
    return config.sysfs


def open_driver(name: str, config: Config, tools: Tools) -> LinuxBoard:
    """See `hal.registry.DRIVERS`."""
    return LinuxBoard(name, config, on_health=tools.on_health, state_dir=tools.state_dir)


class Seen(NamedTuple):
    """One look at the board; None where it tells nothing. `cuts` power cuts counted; `cut_before` one ended the last run."""

    throttling: Throttling | None = None
    storage: Storage | None = None
    memory_mb: tuple[float, float] | None = None
    temperature_c: float | None = None
    clock_s: int | None = None
    uptime_s: float | None = None
    cuts: int = 0
    cut_before: bool = False


def judge(seen: Seen, config: Config, *, sagged: bool) -> tuple[str, dict[str, str]]:
    """The most urgent reason, with its arguments. `sagged`: the supply was too low within the last minutes."""
    storage, memory, throttling = seen.storage, seen.memory_mb, seen.throttling
    heat = "?" if seen.temperature_c is None else f"{seen.temperature_c // 5 * 5:.0f}"
    if sagged:
        return "board.under_voltage", {}
    if storage is not None and storage.errors:
        return "board.storage_errors", {"device": storage.device}
    if storage is not None and storage.used_life is not None and storage.used_life >= config.worn_percent:
        return "board.storage_worn", {"device": storage.device, "used": str(storage.used_life)}
    if throttling is not None and throttling.throttled:
        return "board.throttled", {"temperature": heat}
    if memory is not None and memory[0] < config.memory_low_mb:
        return "board.memory_low", {}
    if config.rtc == "expected" and seen.clock_s is None:
        return "board.no_clock", {}
    if config.rtc == "expected" and seen.clock_s is not None and seen.clock_s < CLOCK_NOT_BEFORE_S:
        return "board.clock_unset", {}
    if throttling is not None and throttling.under_voltage_before:
        return "board.under_voltage_before", {}
    if seen.cut_before and (seen.uptime_s or 0) < RECENT_S:
        return "board.power_cut", {"count": str(seen.cuts)}
    return "hal.ok", {}


def gauges(seen: Seen) -> dict[str, float]:
    """See `hal.api.Board.readings`."""
    found: dict[str, float | None] = {
        "temperature_c": seen.temperature_c,
        "storage_free_mb": seen.storage and seen.storage.free_mb,
        "storage_used_life": seen.storage and seen.storage.used_life,
        "storage_errors": seen.storage and seen.storage.errors,
        "memory_free_mb": seen.memory_mb and round(seen.memory_mb[0]),
        "under_voltage": seen.throttling and float(seen.throttling.under_voltage),
        "throttled": seen.throttling and float(seen.throttling.throttled),
        "uptime_s": seen.uptime_s and round(seen.uptime_s),
        "unsafe_shutdowns": seen.cuts,
    }
    return {name: float(value) for name, value in found.items() if value is not None}


class PowerCuts:
    """Counts starts that followed no clean end, in a small file: it names the boot in which the program runs, until its end.

    A program that only crashed finds the present boot's own name and counts nothing.
    """

    def __init__(self, path: Path, boot: str) -> None:
        self._path, self._boot = path, boot
        self.count, self.cut_before = 0, False

    def begin(self) -> None:
        """Read what the last run left and mark this one. Raises OSError when the file cannot be written."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            running, self.count, told = str(kept["running"]), int(kept["count"]), str(kept.get("cut_before", ""))
        except (OSError, ValueError, KeyError, TypeError):
            # The first start ever, or a file that the cut itself damaged: nothing is known, so nothing is counted.
            running = told = ""
        if running and running != self._boot:
            self.count, told = self.count + 1, self._boot
        # A crash or restart within this boot does not make the cut before it forgotten.
        self.cut_before = told == self._boot and bool(told)
        self._write(self._boot)

    def end(self) -> None:
        """The program ends as it should. Raises OSError."""
        self._write("")

    def _write(self, running: str) -> None:
        kept = {"running": running, "count": self.count, "cut_before": self._boot if self.cut_before else ""}
        new = self._path.with_name(f"{self._path.name}.new")
        with new.open("w", encoding="utf-8") as file:
            file.write(json.dumps(kept))
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self._path)


class LinuxBoard(OwnThread):
    """`hal.api.Board`."""

    def __init__(self, name: str, config: Config, *, on_health: HealthListener, state_dir: Path | None = None) -> None:
        """`state_dir` is where power cuts are counted; without it they are not."""
        super().__init__(name, on_health=on_health)
        self._config, self._state_dir = config, state_dir
        self._folder = Path(config.folder) if config.folder else state_dir or Path("/")
        self._sysfs, self._procfs = Path(config.sysfs), Path(config.procfs)
        self._cuts: PowerCuts | None = None
        self._sagged_until_s = 0.0
        self._firmware = bool(config.vcgencmd)
        self._readings: dict[str, float] = {}

    def readings(self) -> dict[str, float]:
        """See `Board.readings`."""
        return dict(self._readings)

    def _run(self) -> None:
        self._begin_counting()
        while not self._stop.is_set():
            try:
                self._look()
            except Exception as error:
                log.exception("driver failed", peripheral=self.name)
                self._health.set("hal.driver_failed", error=f"{type(error).__name__}: {error}"[:200])
            self._stop.wait(self._config.every_s)
        if self._cuts is not None:
            try:
                self._cuts.end()
            except OSError as error:
                log.error("a clean end could not be noted", error=str(error))

    def _begin_counting(self) -> None:
        boot = board_files.boot_id(self._procfs)
        if self._state_dir is None or not boot:
            return
        cuts = PowerCuts(self._state_dir / f"{self.name}.json", boot)
        try:
            cuts.begin()
        except OSError as error:
            log.error("power cuts cannot be counted", folder=str(self._state_dir), error=str(error))
            return
        self._cuts = cuts

    def _look(self) -> None:
        seen = Seen(
            throttling=self._throttling(),
            storage=board_files.storage(self._sysfs, self._folder),
            memory_mb=board_files.memory_mb(self._procfs),
            temperature_c=board_files.temperature_c(self._sysfs),
            clock_s=board_files.clock_epoch_s(self._sysfs),
            uptime_s=board_files.uptime_s(self._procfs),
            cuts=self._cuts.count if self._cuts else 0,
            cut_before=self._cuts is not None and self._cuts.cut_before,
        )
        now_s = time.monotonic()
        if seen.throttling is not None and seen.throttling.under_voltage:
            self._sagged_until_s = now_s + VOLTAGE_KEPT_S
        self._readings = gauges(seen)
        reason, args = judge(seen, self._config, sagged=now_s < self._sagged_until_s)
        self._health.set(reason, **args)

    def _throttling(self) -> Throttling | None:
        """The firmware's word where it can be had, else the kernel's voltage monitor."""
        path = self._sysfs / "devices/platform/soc/soc:firmware/get_throttled"
        word = board_files.text(path) or self._ask_firmware()
        told = board_files.throttling(word) if word else None
        alarm = board_files.voltage_alarm(self._sysfs)
        if told is None and alarm is None:
            return None
        told = told or Throttling(False, False, False, False)
        return told._replace(under_voltage=told.under_voltage or bool(alarm))

    def _ask_firmware(self) -> str:
        if not self._firmware:
            return ""
        try:
            done = subprocess.run(
                [*self._config.vcgencmd, "get_throttled"],
                capture_output=True, stdin=subprocess.DEVNULL, timeout=FIRMWARE_DEADLINE_S, check=False,
            )  # fmt: skip
        except FileNotFoundError:
            # This is no Raspberry Pi; it will not become one.
            self._firmware = False
            return ""
        except (OSError, subprocess.SubprocessError):
            return ""
        return done.stdout.decode("ascii", "replace") if done.returncode == 0 else ""
