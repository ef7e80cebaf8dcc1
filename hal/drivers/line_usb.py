"""A printer-class USB device (kernel driver usblp), found by what it says it is and not by the number it happened to get."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import select
import time
from pathlib import Path

import msgspec

from hal.drivers.line import Line, LineDown

PORT = re.compile(r"usb:([0-9a-fA-F]{4}):([0-9a-fA-F]{4})(?::([^:/\s]{1,64}))?")
NAP_S = 0.01


class UsbRoots(msgspec.Struct, frozen=True):
    """Where the kernel shows its devices; another pair of folders in tests."""

    sys: Path = Path("/sys")
    dev: Path = Path("/dev")


class UsbPrinter(msgspec.Struct, frozen=True):
    """One that is plugged in; `port` is what a configuration calls it."""

    port: str
    node: Path


def present(roots: UsbRoots) -> list[UsbPrinter]:
    """Every USB printer that the kernel's usblp driver holds, by its number there."""
    found = []
    for entry in sorted((roots.sys / "class/usbmisc").glob("lp*")):
        # The entry's `device` is the interface; what it is part of tells who it is.
        device = (entry / "device").resolve().parent
        vendor, product, serial = (_text(device / name) for name in ("idVendor", "idProduct", "serial"))
        if vendor and product:
            port = ":".join(part for part in ("usb", vendor, product, serial) if part)
            found.append(UsbPrinter(port, roots.dev / "usb" / entry.name))
    return found


def find(port: str, roots: UsbRoots) -> Path:
    """The device node of `usb:VID:PID[:SERIAL]`; two alike need the serial number to be told apart.

    Raises:
        LineDown: none is plugged in, or several fit.
    """
    match = PORT.fullmatch(port)
    if match is None:
        raise LineDown("port.failed", {"port": port, "error": "not usb:VID:PID or usb:VID:PID:SERIAL"})
    vendor, product, serial = match.groups()
    wanted = f"usb:{vendor}:{product}:{serial or ''}".casefold()
    fitting = [one for one in present(roots) if f"{one.port}:".casefold().startswith(wanted if serial is None else f"{wanted}:")]
    if not fitting:
        raise LineDown("port.missing", {"port": port})
    if len(fitting) > 1:
        alike = ", ".join(one.port for one in fitting)
        raise LineDown("port.failed", {"port": port, "error": f"{len(fitting)} fit, name the serial number: {alike}"})
    return fitting[0].node


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


class UsbLine(Line):
    """`Line` over /dev/usb/lpN. A printer that takes no bytes leaves a transfer hanging in the kernel; opening anew drops it."""

    def __init__(self, port: str, roots: UsbRoots) -> None:
        """Open the printer that `port` names; raises `LineDown`."""
        self._port = port
        self._roots = roots
        self._fd = self._open()

    def _open(self) -> int:
        node = find(self._port, self._roots)
        try:
            file = os.open(node, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            reasons = {errno.ENOENT: "missing", errno.EACCES: "denied", errno.EPERM: "denied", errno.EBUSY: "busy"}
            reason = reasons.get(error.errno or 0)
            if reason is None:
                raise LineDown("port.failed", {"port": self._port, "error": str(error)}) from error
            raise LineDown(f"port.{reason}", {"port": self._port}) from error
        try:
            # The kernel lets one program in; the lock holds wherever it does not.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            raise LineDown("port.busy", {"port": self._port}) from error
        return file

    @property
    def closed(self) -> bool:
        """See `Line`."""
        return self._fd < 0

    def close(self) -> None:
        """See `Line`."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._fd)
        self._fd = -1

    def read_into(self, buffer: bytearray, timeout_s: float) -> int:
        """See `Line`; some printers complete reads with no bytes in them, which is silence and not the end."""
        end_s = time.monotonic() + timeout_s
        while True:
            left_s = max(0.0, end_s - time.monotonic())
            try:
                if not select.select([self._fd], [], [], left_s)[0]:
                    return 0
                count = os.readv(self._fd, [buffer])
            except BlockingIOError:
                count = 0
            except (OSError, ValueError) as error:
                raise LineDown("port.failed", {"port": self._port, "error": str(error)}) from error
            if count or not left_s:
                return count
            time.sleep(min(NAP_S, left_s))

    def drop_unsent(self) -> None:
        """See `Line`."""
        if not select.select([], [self._fd], [], 0)[1]:
            self.redial()

    def redial(self) -> None:
        """See `Line`."""
        self.close()
        self._fd = self._open()
