"""Tells systemd that this process is ready, alive, or ending (sd_notify). Without systemd nothing happens."""

import os
import socket
from collections.abc import Mapping

import structlog

log = structlog.get_logger("runtime.systemd")


class Notifier:
    """One datagram a message to the socket that systemd names in NOTIFY_SOCKET. Source: sd_notify(3), sd_watchdog_enabled(3)."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        # The watchdog may be meant for another process of the same unit.
        is_meant = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        wanted = environment.get("WATCHDOG_USEC", "") if is_meant else ""
        self.every_ms = int(wanted) // 2_000 if self._address and wanted.isdecimal() else None
        """How often systemd wants to hear `alive`: half of WatchdogSec, None when it watches nothing."""

    def tell(self, message: str) -> bool:
        """Send `READY=1`, `WATCHDOG=1`, `STOPPING=1` or `STATUS=…`; whether it could be sent. Never waits."""
        if not self._address:
            return False
        # A leading @ stands for the zero byte of an abstract address.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as link:
                link.sendto(message.encode(), address)
        except OSError as error:
            log.warning("systemd cannot be told", message=message, error=str(error))
            return False
        return True
