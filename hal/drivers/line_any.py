"""Opens a port by what its name says it is: a serial one, a printer on USB, or one on the network."""

from __future__ import annotations

from pathlib import Path

from hal.drivers import line_tcp, line_usb
from hal.drivers.line import Line, LineDown
from hal.drivers.line_usb import UsbRoots


def is_printers_alone(port: str) -> bool:
    """Whether nothing but a printer can be at `port`, so that no other device's questions are put to it: it would print them."""
    return port.startswith(("tcp:", "usb:"))


def open_line(port: str, baud: int, roots: UsbRoots) -> Line:
    """`port` opened; `baud` concerns serial ports alone.

    Raises:
        LineDown: it cannot be opened; its reason says why.
    """
    if port.startswith("tcp:"):
        return line_tcp.TcpLine(port)
    if port.startswith("usb:"):
        return line_usb.UsbLine(port, roots)
    return Line(port, baud)


def mistake(port: str) -> str:
    """What is wrong with the way `port` is written; empty when nothing is."""
    if port.startswith("usb:") and line_usb.PORT.fullmatch(port) is None:
        return f"{port!r} names no USB printer; write usb:VID:PID or usb:VID:PID:SERIAL as nw-hal probe shows it"
    if port.startswith("tcp:") and line_tcp.address_of(port) is None:
        return f"{port!r} names no network printer; write tcp:ADDRESS:9100 with its IP address, not a name"
    return ""


def is_there(port: str, roots: UsbRoots) -> bool:
    """Whether the port is there, without opening a device; a network address is dialled, and hung up at once."""
    if is_printers_alone(port):
        try:
            if port.startswith("usb:"):
                return line_usb.find(port, roots).exists()
            line_tcp.TcpLine(port).close()
        except LineDown:
            return False
        return True
    return port == "auto" or Path(port).exists()
