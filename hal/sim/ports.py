"""The ports at which simulators are found: a serial one on a pseudo-terminal, a printer's USB device, a network address.

`LINK` of a simulator names which: a path; `usb:VID:PID:SERIAL@FOLDER` (a tree like /sys and /dev is made below the folder);
`tcp:127.0.0.1:PORT` (port 0 takes a free one, told by the control command `port`).
"""

from __future__ import annotations

import contextlib
import os
import pty
import shutil
import socket
import struct
import tty
from pathlib import Path
from typing import Protocol


class Port(Protocol):
    """One place where a host finds the device. `wire` is what bytes go through, -1 while nobody can be talked to."""

    wire: int
    door: int
    """File descriptor that becomes readable when a host comes, -1 where hosts are not noticed."""

    @property
    def name(self) -> str:
        """What a host's configuration calls it."""
        ...

    def plug(self) -> None:
        """Appear."""
        ...

    def unplug(self) -> None:
        """Disappear, as when the cable is pulled."""
        ...

    def enter(self) -> None:
        """Let in the host that waits at the door."""
        ...

    def hang_up(self) -> None:
        """The host is gone; wait for the next."""
        ...


class SerialPort:
    """A pseudo-terminal with a symbolic link as its stable name."""

    def __init__(self, link: str) -> None:
        self._link = link
        self.wire = self.door = self._host_end = -1

    @property
    def name(self) -> str:
        """See `Port`."""
        return self._link

    def plug(self) -> None:
        """See `Port`."""
        if self.wire >= 0:
            return
        self.wire, self._host_end = pty.openpty()
        tty.setraw(self._host_end)
        os.set_blocking(self.wire, False)
        # Renamed into place, so that nobody ever sees half a link.
        new = f"{self._link}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new)
        os.symlink(os.ttyname(self._host_end), new)
        os.replace(new, self._link)

    def unplug(self) -> None:
        """See `Port`."""
        if self.wire < 0:
            return
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._link)
        os.close(self._host_end)
        os.close(self.wire)
        self.wire = self._host_end = -1

    def enter(self) -> None:
        """Never called: a pseudo-terminal does not tell who opens it."""

    def hang_up(self) -> None:
        """Nothing to do: the host's end is held open here, so another host may come at any time."""


class UsbPort(SerialPort):
    """A printer-class USB device as the kernel shows it: `lp0` below class/usbmisc, its interface, its device, its node."""

    def __init__(self, link: str) -> None:
        device, _, folder = link.removeprefix("usb:").partition("@")
        self._device = device
        self._ids = (*device.split(":", 2), "", "")[:3]
        self._root = Path(folder)
        (self._root / "dev/usb").mkdir(parents=True, exist_ok=True)
        (self._root / "sys/class/usbmisc").mkdir(parents=True, exist_ok=True)
        super().__init__(str(self._root / "dev/usb/lp0"))

    @property
    def name(self) -> str:
        """See `Port`."""
        return f"usb:{self._device}"

    def plug(self) -> None:
        """See `Port`; the node is there before the kernel's tree tells of it, as udev does it the other way round only briefly."""
        super().plug()
        device = self._root / "sys/devices/usb1/1-1"
        interface = device / "1-1:1.0"
        (interface / "usbmisc/lp0").mkdir(parents=True, exist_ok=True)
        for file, text in zip(("idVendor", "idProduct", "serial"), self._ids, strict=True):
            if text:
                (device / file).write_text(f"{text}\n")
        with contextlib.suppress(FileExistsError):
            (interface / "usbmisc/lp0/device").symlink_to(interface)
            (self._root / "sys/class/usbmisc/lp0").symlink_to(interface / "usbmisc/lp0")

    def unplug(self) -> None:
        """See `Port`."""
        with contextlib.suppress(FileNotFoundError):
            (self._root / "sys/class/usbmisc/lp0").unlink()
        shutil.rmtree(self._root / "sys/devices", ignore_errors=True)
        super().unplug()


class NetworkPort:
    """A listening TCP socket, raw as on port 9100, that talks to one host at a time; the next waits until it has gone."""

    def __init__(self, link: str) -> None:
        host, _, port = link.removeprefix("tcp:").rpartition(":")
        self._host, self._number = host, int(port)
        self._listener: socket.socket | None = None
        self._link: socket.socket | None = None
        self._forgotten: list[socket.socket] = []
        self.wire = self.door = -1

    @property
    def name(self) -> str:
        """See `Port`."""
        return f"tcp:{self._host}:{self._number}"

    def plug(self) -> None:
        """See `Port`."""
        if self._listener is not None:
            return
        self._listener = socket.create_server((self._host, self._number), backlog=4)
        self._number = self._listener.getsockname()[1]
        # A printer's own buffer is small; the kernel's would take a whole ticket from the host at once.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listener.setblocking(False)
        self.door = self._listener.fileno()

    def unplug(self) -> None:
        """See `Port`; who is connected is reset, and who comes is refused."""
        for one in (self._link, *self._forgotten):
            if one is not None:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.close()
        if self._listener is not None:
            self._listener.close()
        self._listener = self._link = None
        self._forgotten.clear()
        self.wire = self.door = -1

    def forget(self) -> None:
        """Go on as after a power cycle that the host was not told of: its connection stays open and nobody reads it."""
        if self._link is not None:
            self._forgotten.append(self._link)
        self._link = None
        self.wire = -1

    def enter(self) -> None:
        """See `Port`."""
        if self._link is not None or self._listener is None:
            return
        with contextlib.suppress(OSError):
            self._link, _ = self._listener.accept()
            self._link.setblocking(False)
            self.wire = self._link.fileno()

    def hang_up(self) -> None:
        """See `Port`."""
        if self._link is not None:
            self._link.close()
        self._link = None
        self.wire = -1


def port_for(link: str) -> Port:
    """The port that `link` names, not yet plugged in."""
    if link.startswith("tcp:"):
        return NetworkPort(link)
    return UsbPort(link) if link.startswith("usb:") else SerialPort(link)
