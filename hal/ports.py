"""Serial ports of a device: by stable path, or found by asking what is on them; one section a port."""

from __future__ import annotations

import glob
import importlib
import threading
from collections.abc import Callable
from typing import Any

from serial.tools import list_ports

from hal import registry
from hal.config import HalConfig
from hal.drivers.line import Line, LineDown, LineSlow
from hal.drivers.line_any import is_printers_alone, open_line
from hal.drivers.line_usb import UsbRoots


class Ports:
    """Opens the ports of one device. Thread-safe: every driver asks from its own thread."""

    def __init__(self, config: HalConfig, *, present: Callable[[], list[str]] | None = None, usb: UsbRoots | None = None) -> None:
        """`present` gives the serial ports of this computer, `usb` where its USB printers are; by default the real ones."""
        self._named = {one.port for one in config.sections}
        self._present = present or present_ports
        self._usb = usb or UsbRoots()
        self._lock = threading.Lock()
        self._held: dict[str, Line] = {}

    def opener(self, port: str, baud: int, module: str, *, expect: str = "") -> Callable[[], Line]:
        """See `hal.tools.OpensPorts.opener`."""
        driver = importlib.import_module(module)

        def open_it() -> Line:
            if port == "auto":
                return self._find(driver, baud, expect)
            line = open_line(port, baud, self._usb)
            if not is_printers_alone(port):
                line.stranger = lambda line: (_title(driver), stranger(line, driver))
            if expect:
                try:
                    _check_identity(line, driver, expect, port)
                except BaseException:
                    line.close()
                    raise
            return line

        return open_it

    def _find(self, driver: Any, baud: int, expect: str) -> Line:
        """The first free port on which the driver's device answers. One search at a time, so that no two take one port."""
        with self._lock:
            self._held = {port: line for port, line in self._held.items() if not line.closed}
            free = [port for port in self._present() if port not in self._named and port not in self._held]
            for port in free:
                for speed in dict.fromkeys((baud, *driver.SPEEDS)):
                    line = _answering(port, speed, driver, expect)
                    if line is not None:
                        self._held[port] = line
                        return line
        raise LineDown("port.not_found", {"looked": ", ".join(free) or "-", "expected": expect or _title(driver)})


def present_ports() -> list[str]:
    """Every serial port of this computer by its most stable name."""
    stable = sorted(glob.glob("/dev/serial/by-id/*"))
    return stable or sorted(port.device for port in list_ports.comports())


def stranger(line: Line, driver: Any) -> str:
    """Which other kind of device answers on a line where `driver`'s stays silent, in words; empty when none does."""
    for kind, _, other in registry.on_serial_ports():
        if other is not driver:
            found = _ask(line, other)
            if found:
                return f"{kind}: {found}"
    return ""


def _answering(port: str, baud: int, driver: Any, expect: str) -> Line | None:
    try:
        line = Line(port, baud)
    except LineDown:
        return None
    try:
        found = driver.probe(line)
    except (LineDown, LineSlow):
        found = None
    if found is None or (expect and expect not in found):
        line.close()
        return None
    return line


def _check_identity(line: Line, driver: Any, expect: str, port: str) -> None:
    found = _ask(line, driver)
    if found is None or expect not in found:
        told = found or stranger(line, driver)
        if not told:
            raise LineDown("port.silent", {"port": port})
        raise LineDown("hal.wrong_device", {"port": port, "expected": expect, "found": told})


def _ask(line: Line, driver: Any) -> str | None:
    try:
        found: str | None = driver.probe(line)
    except LineSlow:
        return None
    return found


def _title(driver: Any) -> str:
    return next(f"{kind} ({name})" for kind, name, module in registry.on_serial_ports() if module is driver)
