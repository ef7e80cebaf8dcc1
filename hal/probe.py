"""Finds out what this computer has by asking harmless questions: nothing is printed, no card is read, no picture is taken."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from hal import finds, registry
from hal.config import HalConfig, Section
from hal.drivers import line_usb
from hal.drivers.line import LineDown, LineSlow
from hal.drivers.line_any import is_printers_alone, open_line
from hal.drivers.line_usb import UsbRoots
from hal.ports import present_ports

AT_ONCE = 8
"""Ports that are asked at the same time; each is asked by one thread."""
SELECTING = ("sensor", "reader", "device", "queue", "chip", "ups")
"""Settings that say which device a section without a port means."""
NAMELESS = ("no name", "no number", "without a revision")
"""How drivers end the identity of a device that does not tell its name."""


class Found(msgspec.Struct, frozen=True):
    """What is at one place.

    `kind` and `driver` as in the configuration; `kind` is `nothing` where none answered, and `reason` with `args` is the message
    id that says why. `baud` is 0 for what has no speed. `detail` is what the device calls itself; `note`, `also`: see
    `finds.Find`. `name` is the section that already has it, or that `toml` would make; `toml` is empty when there is nothing
    to paste.
    """

    port: str
    kind: str
    driver: str = ""
    baud: int = 0
    detail: str = ""
    reason: str = ""
    args: dict[str, str] = {}
    note: str = ""
    also: str = ""
    name: str = ""
    configured: bool = False
    toml: str = ""


def ports(config: HalConfig | None, root: Path = Path("/")) -> list[str]:
    """Every serial port and USB printer of this computer by its most stable name, and the configured ones."""
    configured = [one.port for one in config.sections if hasattr(one.module, "probe")] if config else []
    serial = present_ports() if root == Path("/") else [str(link) for link in sorted((root / "dev/serial/by-id").glob("*"))]
    printers = [one.port for one in line_usb.present(UsbRoots(root / "sys", root / "dev"))]
    return list(dict.fromkeys(name for name in [*configured, *serial, *printers] if name and name != "auto"))


def look(config: HalConfig | None, names: list[str], *, root: Path = Path("/")) -> list[Found]:
    """What is at the ports `names`, or, when there are none, everywhere: ports first, then `finds.everything`."""
    usb = UsbRoots(root / "sys", root / "dev")
    asked = [stable(name) for name in names] or ports(config, root)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda port: probe(port, usb), dict.fromkeys(asked)))
    if not names:
        found += [_as_found(find) for find in finds.everything(finds.computer(config, root))]
    return list(_named(found, config))


def stable(port: str) -> str:
    """The name under /dev/serial/by-id of the same device, which stays when plugs are exchanged; else `port` itself."""
    if is_printers_alone(port) or not os.path.exists(port) or port.startswith("/dev/serial/"):
        return port
    same = (link for link in sorted(glob.glob("/dev/serial/by-id/*")) if os.path.realpath(link) == os.path.realpath(port))
    return next(same, port)


def probe(port: str, usb: UsbRoots) -> Found:
    """Ask whatever is on `port` who it is, at each driver's speeds; at most a second a driver and speed."""
    tried: list[int] = []
    drivers = list(registry.on_serial_ports())
    speeds = list(dict.fromkeys(speed for _, _, module in drivers for speed in module.SPEEDS))
    if is_printers_alone(port):
        drivers, speeds = [one for one in drivers if one[0] == "printer"], speeds[:1]
    for baud in speeds:
        tried.append(baud)
        try:
            line = open_line(port, baud, usb)
        except LineDown as down:
            return Found(port, "nothing", reason=down.reason, args=down.reason_args)
        try:
            for kind, driver, module in drivers:
                detail = module.probe(line) if baud in module.SPEEDS else None
                if detail is not None:
                    return Found(port, kind, driver, 0 if is_printers_alone(port) else baud, detail)
        except LineDown as down:
            return Found(port, "nothing", reason=down.reason, args=down.reason_args)
        except LineSlow:
            return Found(port, "nothing", reason="port.silent", args={"port": port})
        finally:
            line.close()
    return Found(port, "nothing", reason="probe.no_answer", args={"port": port, "speeds": "/".join(map(str, tried))})


def _as_found(find: finds.Find) -> Found:
    lines = _toml(find.driver, find.settings)
    return Found(find.place, find.kind, find.driver, detail=find.detail, note=find.note, also=find.also, toml=lines)


def _named(found: list[Found], config: HalConfig | None) -> Iterator[Found]:
    """Each with its section: the one that has it, or a new one of a name that is still free."""
    taken = {one.name for one in config.sections} if config else set()
    for one in found:
        if one.kind == "nothing" or one.driver not in registry.DRIVERS.get(one.kind, {}):
            yield one
            continue
        if holder := _holder(one, config):
            yield msgspec.structs.replace(one, name=holder, configured=True, toml="")
            continue
        name, number = one.kind, 2
        while name in taken:
            name, number = f"{one.kind}_{number}", number + 1
        taken.add(name)
        body = one.toml or _serial_toml(one)
        yield msgspec.structs.replace(one, name=name, toml=f"[hal.{name}]\n{body}")


def _holder(one: Found, config: HalConfig | None) -> str:
    """The section that names this very device; empty when none does."""
    for section in config.sections if config else ():
        port = section.port
        if port and os.path.realpath(port) == os.path.realpath(one.port):
            return section.name
        if section.kind != one.kind or section.driver != one.driver:
            continue
        if port.startswith("name:") and port.removeprefix("name:") in one.detail:
            return section.name
        if not port and _selects(section, one):
            return section.name
    return ""


def _selects(section: Section, one: Found) -> bool:
    """Whether a section without a port means this device; a setting that is left open takes the only one there is."""
    place = section.module.where(section.settings) if hasattr(section.module, "where") else ""
    if place == one.port or (place.startswith("/") and os.path.realpath(place) == os.path.realpath(one.port)):
        return True
    chosen = (str(getattr(section.settings, key, "")) for key in SELECTING)
    return all(value in ("", "auto", "default") or value in f"{one.port} {one.detail}" for value in chosen)


def _serial_toml(one: Found) -> str:
    """A section for what answered on a port: its speed where it has one, and the part of its identity that stays."""
    module = registry.module_of(one.kind, one.driver)
    fields = module.Config.__struct_fields__
    settings: dict[str, Any] = {"port": one.port}
    if "baud" in fields and not is_printers_alone(one.port):
        settings["baud"] = one.baud
    if "expect" in fields:
        settings["expect"] = identity(one.detail)
    if hasattr(module, "suggests"):
        settings |= module.suggests(one.detail)
    return _toml(one.driver, settings)


def identity(detail: str) -> str:
    """The lasting part of what a device told of itself, after whose last comma stands how it is now; empty for a nameless one."""
    lasting = detail.rpartition(", ")[0] or detail
    return "" if lasting.endswith(NAMELESS) else lasting


def _toml(driver: str, settings: dict[str, Any]) -> str:
    told = {"driver": driver, **settings}
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in told.items())
