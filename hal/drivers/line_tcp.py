"""A printer on the network: raw bytes to its port 9100, on a connection that may be dead without anyone being told."""

from __future__ import annotations

import array
import contextlib
import errno
import fcntl
import ipaddress
import re
import socket
import struct
import termios

from hal.drivers.line import Line, LineDown

PORT = re.compile(r"tcp:(\[[0-9a-fA-F:.]+\]|[0-9.]+):(\d{1,5})")
CONNECT_S = 1.5
"""On a hall's own network a printer answers in milliseconds; one lost packet costs a second."""
UNHEARD_MS = 5000
"""After so long without an acknowledgement of what was sent the kernel ends the connection."""
SEND_BUFFER = 4096
"""Small, so that little is on its way when the printer stops: what was sent cannot be called back."""


def address_of(port: str) -> tuple[str, int] | None:
    """Address and number of `tcp:ADDRESS:NUMBER`, None for anything else.

    Names are not taken: looking one up may hang for longer than anything here may wait.
    """
    match = PORT.fullmatch(port)
    if match is None or not 1 <= int(match[2]) <= 65535:
        return None
    try:
        return str(ipaddress.ip_address(match[1].strip("[]"))), int(match[2])
    except ValueError:
        return None


class TcpLine(Line):
    """`Line` over a TCP connection."""

    def __init__(self, port: str) -> None:
        """Connect to the printer that `port` names.

        Raises:
            LineDown: it refuses (`port.refused`: switched on, but busy or not a printer) or is not there
                (`port.unreachable`).
        """
        self._port = port
        self._link = self._connect()
        self._fd = self._link.fileno()

    def _connect(self) -> socket.socket:
        address = address_of(self._port)
        if address is None:
            raise LineDown("port.failed", {"port": self._port, "error": "not tcp:ADDRESS:NUMBER with an IP address"})
        try:
            link = socket.create_connection(address, timeout=CONNECT_S)
        except ConnectionRefusedError as error:
            raise LineDown("port.refused", {"port": self._port}) from error
        except OSError as error:
            away = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.ETIMEDOUT)
            if isinstance(error, TimeoutError) or error.errno in away:
                raise LineDown("port.unreachable", {"port": self._port}) from error
            raise LineDown("port.failed", {"port": self._port, "error": str(error)}) from error
        link.setblocking(False)
        for level, option, value in (
            (socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER),
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2),
            (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
            (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
            (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_MS),
        ):
            link.setsockopt(level, option, value)
        return link

    @property
    def closed(self) -> bool:
        """See `Line`."""
        return self._fd < 0

    def close(self) -> None:
        """See `Line`."""
        with contextlib.suppress(OSError):
            self._link.close()
        self._fd = -1

    def drop_unsent(self) -> None:
        """See `Line`; the connection is given up with what is still in it, and the printer is dialled again."""
        if self._unsent():
            self.redial()

    def _unsent(self) -> int:
        count = array.array("i", [0])
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._fd, termios.TIOCOUTQ, count)
        return count[0]

    def redial(self) -> None:
        """See `Line`."""
        with contextlib.suppress(OSError):
            # Reset instead of closed: what the printer has not taken yet is gone.
            self._link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()
        self._link = self._connect()
        self._fd = self._link.fileno()
