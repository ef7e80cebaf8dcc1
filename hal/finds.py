"""What is plugged in apart from serial ports, found without touching it: the kernel's files, and services that keep a list."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from hal.config import HalConfig
from hal.drivers.cups_calls import Cups, CupsDown
from hal.drivers.nut_lines import NutDown, NutLink, NutRefused

DEADLINE_S = 2.0
UPSD = ("127.0.0.1", 3493)
SENSOR_CHIPS = ("lm75", "tmp102", "tmp108", "sht3x", "sht4x", "sht21", "mcp9808", "ds1621", "adt7410", "hdc3020")
"""hwmon names of sensors that can hang in a cabinet; others are of the processor, disks and supplies."""
KEY_Q, KEY_1, KEY_KP1 = 16, 2, 79
CCID = "0b"
"""USB interface class of smart-card readers."""


class Find(msgspec.Struct, frozen=True):
    """One thing that is there: `kind` and `driver` as in the configuration, `place` as `nw-hal list` shows it.

    `detail` is what it calls itself; `settings` select it in a section. `note` is a message id of `hal.words` where more is to
    be said, `also` another kind that looks the same.
    """

    kind: str
    driver: str
    place: str
    detail: str
    settings: dict[str, Any] = {}
    note: str = ""
    also: str = ""


class Computer(msgspec.Struct, frozen=True):
    """Where to look: the kernel's folders, and services: upsd's address, CUPS' server (empty: this computer's own), pcscd.

    None or false: that service is not asked.
    """

    sys: Path = Path("/sys")
    dev: Path = Path("/dev")
    proc: Path = Path("/proc")
    upsd: tuple[str, int] | None = UPSD
    cups: str | None = ""
    pcscd: bool = True


def computer(config: HalConfig | None, root: Path = Path("/")) -> Computer:
    """This computer, with the servers of UPS and print queues that `config` names.

    `root` another folder than `/` is another computer's files: only the services that `config` names are asked then.
    """
    settings = {one.kind: one.settings for one in config.sections} if config else {}
    is_this = root == Path("/")
    ups, sheets = settings.get("ups"), settings.get("a4_printer")
    upsd = (ups.host, ups.tcp_port) if ups else UPSD if is_this else None
    cups = sheets.server if sheets else "" if is_this else None
    return Computer(root / "sys", root / "dev", root / "proc", upsd, cups, is_this)


def everything(where: Computer) -> list[Find]:
    """All of it, kind after kind; a service that does not answer is silence here. At most a few seconds."""
    looks: tuple[Callable[[Computer], Iterator[Find]], ...] = (
        _typing, _smart_cards, _cameras, _sheets, _one_wire, _chips, _sound, _panels, _supplies,
    )  # fmt: skip
    return [find for look in looks for find in look(where)]


def _typing(where: Computer) -> Iterator[Find]:
    """Keypads and scanners that show themselves as keyboards, by their stable path."""
    for link in sorted((where.dev / "input/by-id").glob("*-event-kbd")):
        event = Path(os.readlink(link)).name if link.is_symlink() else link.name
        device = where.sys / "class/input" / event / "device"
        name = _text(device / "name") or link.name
        keys = _bits(_text(device / "capabilities/key"))
        settings = {"port": str(link)}
        if KEY_Q not in keys and (KEY_1 in keys or KEY_KP1 in keys):
            yield Find("keypad", "evdev", str(link), name, settings, also="scanner")
        elif KEY_Q in keys:
            yield Find("scanner", "evdev", str(link), name, settings, note="probe.keyboard")


def _smart_cards(where: Computer) -> Iterator[Find]:
    """Readers that pcscd knows; without pcscd, those that USB shows."""
    from hal.drivers.pcsc_calls import Pcsc, PcscError, load_scard

    if where.pcscd:
        try:
            with Pcsc(load_scard()) as pcsc:
                for name in pcsc.readers():
                    yield Find("smart_card", "pcsc", name, name, {"reader": name})
            return
        except (PcscError, ImportError):
            pass
    for interface in sorted((where.sys / "bus/usb/devices").glob("*:*")):
        if _text(interface / "bInterfaceClass") == CCID:
            device = interface.resolve().parent
            name = f"{_text(device / 'manufacturer')} {_text(device / 'product')}".strip() or interface.name
            yield Find("smart_card", "pcsc", interface.name, name, note="probe.no_pcscd")


def _cameras(where: Computer) -> Iterator[Find]:
    """Cameras by their stable path; index 0 is the one with pictures, the others carry its metadata."""
    for link in sorted((where.dev / "v4l/by-id").glob("*-video-index0")):
        node = Path(os.readlink(link)).name if link.is_symlink() else link.name
        name = _text(where.sys / "class/video4linux" / node / "name") or link.name
        yield Find("camera", "v4l2", str(link), name, {"device": str(link)})


def _sheets(where: Computer) -> Iterator[Find]:
    """Print queues of CUPS."""
    if where.cups is None:
        return
    try:
        queues = Cups(where.cups, "", deadline_s=DEADLINE_S).queues()
    except CupsDown:
        return
    for name, about in sorted(queues.items()):
        yield Find("a4_printer", "cups", name, about, {"queue": name} | ({"server": where.cups} if where.cups else {}))


def _one_wire(where: Computer) -> Iterator[Find]:
    for folder in sorted((where.sys / "bus/w1/devices").glob("28-*")):
        yield Find("temperature", "w1", str(folder), f"DS18B20 {folder.name}", {"sensor": folder.name})


def _chips(where: Computer) -> Iterator[Find]:
    for folder in sorted((where.sys / "class/hwmon").glob("hwmon*")):
        if (name := _text(folder / "name")) in SENSOR_CHIPS:
            yield Find("temperature", "hwmon", str(folder), name, {"chip": name})


def _sound(where: Computer) -> Iterator[Find]:
    """Sound cards; a line of /proc/asound/cards that begins with a number names one."""
    for line in _text(where.proc / "asound/cards").splitlines():
        number, _, rest = line.strip().partition(" ")
        if number.isdecimal():
            name = rest.rpartition(" - ")[2].strip()
            yield Find("speaker", "alsa", f"hw:{number}", name, {"device": f"hw:{number}"})


def _panels(where: Computer) -> Iterator[Find]:
    for folder in sorted((where.sys / "class/backlight").glob("*")):
        yield Find("backlight", "sysfs", str(folder), folder.name, {"device": folder.name})


def _supplies(where: Computer) -> Iterator[Find]:
    """UPSes of which upsd tells."""
    if where.upsd is None:
        return
    host, port = where.upsd
    try:
        link = NutLink(host, port, deadline_s=DEADLINE_S)
    except NutDown:
        return
    try:
        names = link.names()
    except (NutDown, NutRefused):
        return
    finally:
        link.close()
    own = {} if where.upsd == UPSD else {"host": host, "tcp_port": port}
    for name in names:
        yield Find("ups", "nut", f"{name}@{host}:{port}", name, {"ups": name, **own})


def _bits(words: str) -> set[int]:
    """The numbers in a bitmap of sysfs: words of 64 bits in hex, the highest first."""
    found = set()
    for at, word in enumerate(reversed(words.split())):
        try:
            value = int(word, 16)
        except ValueError:
            return set()
        found |= {at * 64 + bit for bit in range(64) if value >> bit & 1}
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
