"""Finds out what is on serial ports by asking harmless questions; nothing is printed and no card is read."""

from __future__ import annotations

import msgspec

from hal import registry
from hal.config import HalConfig
from hal.drivers import line_usb
from hal.drivers.line import LineDown, LineSlow
from hal.drivers.line_any import is_printers_alone, open_line
from hal.drivers.line_usb import UsbRoots
from hal.ports import present_ports


class Found(msgspec.Struct, frozen=True):
    """What one port said: `kind` and `driver` as in the configuration, `nothing` when none answered; `detail` in words."""

    port: str
    kind: str
    driver: str
    baud: int
    detail: str


def ports(config: HalConfig | None) -> list[str]:
    """Every serial port and USB printer of this computer by its most stable name, and the configured ones."""
    configured = [one.port for one in config.sections if hasattr(one.module, "probe")] if config else []
    printers = [one.port for one in line_usb.present(UsbRoots())]
    return list(dict.fromkeys(name for name in [*configured, *present_ports(), *printers] if name and name != "auto"))


def probe(port: str) -> Found:
    """Ask whatever is on `port` who it is, at each driver's speeds; at most a second a driver and speed."""
    tried: list[int] = []
    drivers = list(registry.on_serial_ports())
    speeds = list(dict.fromkeys(speed for _, _, module in drivers for speed in module.SPEEDS))
    if is_printers_alone(port):
        drivers, speeds = [one for one in drivers if one[0] == "printer"], speeds[:1]
    for baud in speeds:
        tried.append(baud)
        try:
            line = open_line(port, baud, UsbRoots())
        except LineDown as down:
            return Found(port, "nothing", "", 0, str(down))
        try:
            for kind, driver, module in drivers:
                detail = module.probe(line) if baud in module.SPEEDS else None
                if detail is not None:
                    return Found(port, kind, driver, baud, detail)
        except (LineDown, LineSlow) as error:
            return Found(port, "nothing", "", 0, str(error))
        finally:
            line.close()
    return Found(port, "nothing", "", 0, f"no answer at {' or '.join(map(str, tried))} baud")
