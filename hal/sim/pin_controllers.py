"""Connections to the socket-backed pins: JSON lines in, JSON lines out, none of them able to hold the pins up."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
from typing import Any, Protocol

MAX_LINE = 16384
MAX_CONTROLLERS = 16


class CommandError(ValueError):
    """A controller's command that cannot be done; the message is its answer."""


class Obeys(Protocol):
    """What a controller commands."""

    def do(self, command: dict[str, Any], controller: Controller) -> dict[str, Any]:
        """Carry out one command; returns what to answer besides `ok`. Raises `CommandError`."""
        ...

    def forget(self, controller: Controller) -> None:
        """The controller hung up."""
        ...


class Controller:
    """One connection to the pin factory."""

    def __init__(self, factory: Obeys, link: socket.socket) -> None:
        self._factory = factory
        self._link = link
        # A subscriber that does not read must not hold up the pins for longer than this.
        link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 1, 0))
        self._lock = threading.Lock()

    def serve(self) -> None:
        try:
            with self._link.makefile("rb") as lines:
                while line := lines.readline(MAX_LINE):
                    if len(line) == MAX_LINE:
                        self.tell({"ok": False, "error": f"a command has at most {MAX_LINE} bytes"})
                        break
                    self.tell(self._answer(line))
        except OSError:
            pass
        finally:
            self.hang_up()
            self._factory.forget(self)

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            command = json.loads(line)
            if not isinstance(command, dict):
                raise CommandError("send one JSON object a line")
            return {"ok": True, **self._factory.do(command, self)}
        except ValueError as error:
            return {"ok": False, "error": str(error)}

    def tell(self, message: dict[str, Any]) -> None:
        try:
            with self._lock:
                self._link.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self.hang_up()

    def hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)
        self._link.close()


def listen(path: str) -> socket.socket:
    """Listen at `path`, over a socket file that a dead process left, but never over a living one.

    Raises:
        OSError: somebody listens there, or the folder is missing or not writable.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if os.path.exists(path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
            if trial.connect_ex(path) == 0:
                raise OSError(f"{path} is in use by another process; give each device its own socket")
        os.unlink(path)
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen(MAX_CONTROLLERS)
    return listener
