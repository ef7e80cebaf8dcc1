"""What every serial simulator needs: a pseudo-terminal with a stable name, a control socket, timers, one thread."""

from __future__ import annotations

import contextlib
import errno
import heapq
import itertools
import json
import os
import pty
import selectors
import signal
import socket
import time
import tty
from collections.abc import Callable
from typing import Any, Protocol

MAX_LINE = 65536


class CommandError(ValueError):
    """A control command that cannot be done; the message is its answer."""


class Device(Protocol):
    """A simulated device on a `Station`."""

    def received(self, data: bytes) -> None:
        """Bytes arrived from the host."""
        ...

    def command(self, do: str, options: dict[str, Any]) -> dict[str, Any]:
        """Carry out one control command and return its answer; raises `CommandError`."""
        ...


class Station:
    """Runs one `Device` until SIGTERM or SIGINT. Everything happens on the thread that calls `run`."""

    def __init__(self, link: str, control: str) -> None:
        self._link = link
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._master = self._slave = -1
        self._out = bytearray()
        self._reading = True
        self._stopped = False

    def run(self, make: Callable[[], Device]) -> None:
        """Open the port and the control socket, print `ready`, serve until stopped, then remove both.

        `make` builds the device, once now and again at each command `reset`.
        """
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._control)
        listener.bind(self._control)
        listener.listen(8)
        self._selector.register(listener, selectors.EVENT_READ, lambda: self._accept(listener))
        self._make = make
        self._device = make()
        self.plug()
        # A signal alone does not end a wait for input; a byte on this pair does.
        waker, wakes = socket.socketpair()
        for end in (waker, wakes):
            end.setblocking(False)
        self._selector.register(waker, selectors.EVENT_READ, lambda: waker.recv(64))
        signal.set_wakeup_fd(wakes.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        print("ready", flush=True)
        try:
            while not self._stopped:
                self._turn()
        finally:
            signal.set_wakeup_fd(-1)
            self.unplug()
            for end in (listener, waker, wakes):
                end.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._control)

    def stop(self) -> None:
        """End `run` soon."""
        self._stopped = True

    def send(self, data: bytes) -> None:
        """Send bytes to the host; lost while the port is unplugged."""
        if self._master >= 0:
            self._out += data
            self._flush()

    def later(self, delay_s: float, do: Callable[[], None]) -> None:
        """Call `do` after `delay_s` seconds."""
        heapq.heappush(self._timers, (time.monotonic() + delay_s, next(self._order), do))

    def read_more(self, wanted: bool) -> None:
        """Whether to take bytes from the host; while not, they pile up in the port, as with flow control."""
        if wanted != self._reading and self._master >= 0:
            self._reading = wanted
            self._watch_port()

    def plug(self) -> None:
        """Make the port appear at the link."""
        if self._master >= 0:
            return
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._reading = True
        self._selector.register(self._master, selectors.EVENT_READ, self._port_ready)
        # Renamed into place, so that nobody ever sees half a link.
        new = f"{self._link}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new)
        os.symlink(os.ttyname(self._slave), new)
        os.replace(new, self._link)

    def unplug(self) -> None:
        """Make the port disappear, as when its cable is pulled."""
        if self._master < 0:
            return
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._link)
        with contextlib.suppress(KeyError):
            self._selector.unregister(self._master)
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1
        self._out.clear()

    def _reset(self) -> None:
        """A new device on a new port, as after switching it off and on with a fresh roll and no card."""
        self._timers.clear()
        self.unplug()
        self._device = self._make()
        self.plug()

    def _turn(self) -> None:
        wait_s = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else 0.5
        for key, _ in self._selector.select(min(wait_s, 0.5)):
            key.data()
        while self._timers and self._timers[0][0] <= time.monotonic():
            heapq.heappop(self._timers)[2]()

    def _watch_port(self) -> None:
        events = (selectors.EVENT_READ if self._reading else 0) | (selectors.EVENT_WRITE if self._out else 0)
        known = self._master in self._selector.get_map()
        if not events:
            if known:
                self._selector.unregister(self._master)
        elif known:
            self._selector.modify(self._master, events, self._port_ready)
        else:
            self._selector.register(self._master, events, self._port_ready)

    def _port_ready(self) -> None:
        self._flush()
        if self._master < 0 or not self._reading:
            return
        try:
            data = os.read(self._master, 4096)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EIO):
                return
            raise
        if data:
            self._device.received(data)

    def _flush(self) -> None:
        try:
            while self._out:
                del self._out[: os.write(self._master, self._out)]
        except BlockingIOError:
            pass
        self._watch_port()

    def _accept(self, listener: socket.socket) -> None:
        link, _ = listener.accept()
        link.settimeout(2)
        pending = bytearray()
        self._selector.register(link, selectors.EVENT_READ, lambda: self._serve(link, pending))

    def _serve(self, link: socket.socket, pending: bytearray) -> None:
        try:
            part = link.recv(65536)
            pending += part
            while b"\n" in pending:
                line, _, rest = bytes(pending).partition(b"\n")
                pending[:] = rest
                link.sendall(json.dumps(self._answer(line), ensure_ascii=False).encode() + b"\n")
        except OSError:
            part = b""
        if not part or len(pending) > MAX_LINE:
            self._selector.unregister(link)
            link.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            command = json.loads(line)
            if not isinstance(command, dict) or not isinstance(command.get("do"), str):
                raise CommandError('send one JSON object a line, with "do"')
            do = command.pop("do")
            own = {"unplug": self.unplug, "plug": self.plug, "reset": self._reset}
            if do in own:
                own[do]()
                return {"ok": True}
            return {"ok": True, **self._device.command(do, command)}
        except ValueError as error:
            return {"ok": False, "error": str(error)}


def flag(options: dict[str, Any], key: str = "on") -> bool:
    """A true/false option, true when left out; raises `CommandError` for anything else."""
    value = options.get(key, True)
    if not isinstance(value, bool):
        raise CommandError(f"{key} is {value!r}; use true or false")
    return value


def number(options: dict[str, Any], key: str, default: float, most: float) -> float:
    """A number option from 0 to `most`; raises `CommandError` for anything else."""
    value = options.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise CommandError(f"{key} is {value!r}; use 0 to {most}")
    return value


def hex_bytes(options: dict[str, Any], key: str) -> bytes:
    """Bytes written as hexadecimal; raises `CommandError` for anything else."""
    try:
        return bytes.fromhex(options.get(key, ""))
    except (TypeError, ValueError):
        raise CommandError(f"{key} is {options.get(key)!r}; write bytes in hexadecimal, for example 00ff37") from None
