"""What the kernel tells of the computer in sysfs and procfs, each as a plain value or None where it tells nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class Throttling(NamedTuple):
    """The firmware's word (`vcgencmd get_throttled`, or the file of the same name): what is, and what was since power on."""

    under_voltage: bool
    throttled: bool
    under_voltage_before: bool
    throttled_before: bool


def throttling(word: str) -> Throttling | None:
    """From `throttled=0x50005` or `50005` (hexadecimal). Source: the Raspberry Pi documentation of get_throttled.

    Bits 0 under-voltage, 1 frequency capped, 2 throttled, 3 soft temperature limit; 16–19 the same, at any time since power on.
    """
    try:
        bits = int(word.strip().rpartition("=")[2], 16)
    except ValueError:
        return None
    return Throttling(bool(bits & 0x1), bool(bits & 0xE), bool(bits & 0x1_0000), bool(bits & 0xE_0000))


def text(path: Path) -> str | None:
    """A small file's content without surrounding space."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def whole(path: Path) -> int | None:
    """A small file's content as a whole number."""
    try:
        return int(text(path) or "")
    except ValueError:
        return None


def temperature_c(sysfs: Path) -> float | None:
    """Of the processor, in °C."""
    milli = whole(sysfs / "class/thermal/thermal_zone0/temp")
    return None if milli is None else round(milli / 1000, 1)


def voltage_alarm(sysfs: Path) -> bool | None:
    """Whether the Raspberry Pi's voltage monitor (hwmon `rpi_volt`) has found the supply too low."""
    for sensor in sorted((sysfs / "class/hwmon").glob("*")):
        if text(sensor / "name") == "rpi_volt":
            alarm = whole(sensor / "in0_lcrit_alarm")
            return None if alarm is None else alarm != 0
    return None


def memory_mb(procfs: Path) -> tuple[float, float] | None:
    """Memory that programs can still get, and all of it, in MiB."""
    rows = dict(line.partition(":")[::2] for line in (text(procfs / "meminfo") or "").splitlines())
    try:
        return int(rows["MemAvailable"].split()[0]) / 1024, int(rows["MemTotal"].split()[0]) / 1024
    except (KeyError, ValueError, IndexError):
        return None


def uptime_s(procfs: Path) -> float | None:
    """Seconds since the kernel started."""
    try:
        return float((text(procfs / "uptime") or "").split()[0])
    except (ValueError, IndexError):
        return None


def boot_id(procfs: Path) -> str:
    """The kernel's name for this start of the computer; empty when it tells none."""
    return text(procfs / "sys/kernel/random/boot_id") or ""


def clock_epoch_s(sysfs: Path) -> int | None:
    """What the battery-backed clock says, in seconds since 1970; None without one."""
    for clock in sorted((sysfs / "class/rtc").glob("rtc*")):
        if (seconds := whole(clock / "since_epoch")) is not None:
            return seconds
    return None


class Storage(NamedTuple):
    """The storage a folder lies on. `used_life` is percent of its rated life, in the steps of ten in which eMMC tells it."""

    device: str
    free_mb: float
    used_life: int | None
    errors: int | None


def storage(sysfs: Path, folder: Path) -> Storage | None:
    """The storage of `folder`. SD cards tell no wear, and NVMe tells it only to root (docs/hardware.md)."""
    try:
        space, number = os.statvfs(folder), os.stat(folder).st_dev
    except OSError:
        return None
    free_mb = round(space.f_bavail * space.f_frsize / 1_048_576)
    partition = (sysfs / f"dev/block/{os.major(number)}:{os.minor(number)}").resolve()
    if not partition.is_dir():
        return Storage("", free_mb, None, None)
    disk = partition.parent if (partition / "partition").exists() else partition
    errors = whole(sysfs / "fs/ext4" / partition.name / "errors_count")
    return Storage(disk.name, free_mb, _used_life(disk / "device"), errors)


def _used_life(device: Path) -> int | None:
    """eMMC's two estimates (JEDEC JESD84-B51, EXT_CSD 268 and 269): 1 = up to 10 % used, 11 = beyond its rated life."""
    steps = []
    for word in (text(device / "life_time") or "").split():
        try:
            steps.append(int(word, 16))
        except ValueError:
            return None
    worst = max(steps, default=0)
    # 2 of 3 means that 80 % of the spare blocks are used up, 3 that hardly any are left, whatever the estimates say.
    spare = {2: 80, 3: 100}.get(int(text(device / "pre_eol_info") or "0", 16), 0) if steps else 0
    return max(min(worst, 11) * 10, spare) or None
