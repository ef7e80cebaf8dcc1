"""What every simulator on a port needs: the port (see `hal.sim.ports`), a control socket, timers, bad lines, one thread."""

from __future__ import annotations

import contextlib
import errno
import heapq
import itertools
import json
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from typing import Any, Protocol

from hal.sim.bad_line import BadLine
from hal.sim.options import CommandError, flag, hex_bytes, number
from hal.sim.ports import NetworkPort, port_for

__all__ = ["LINE", "OWN", "Command", "CommandError", "Device", "Station", "flag", "hex_bytes", "number"]

Command = Callable[[dict[str, Any]], dict[str, Any]]
"""Carries a control command out with these options and returns its answer; raises `CommandError`."""

MAX_LINE = 65536
OWN = ("plug", "unplug", "reset", "forget", "port")
"""Commands that every simulator knows."""
LINE = ("noise", "delay", "split", "merge")
"""Commands about the line towards the host; see `Station.line`."""


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
        self._port = port_for(link)
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._out = bytearray()
        self._reading = True
        self._stopped = False
        self._bad = BadLine(self._put, self.later)

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
        for ends in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ends, lambda *_: self.stop())
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

    def carry_out(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carry out one control command, the station's own or the device's, and return its answer; raises `CommandError`."""
        do = command.pop("do")
        own = dict(zip(OWN, (self.plug, self.unplug, self._reset, self._forget), strict=False))
        if do in own:
            own[do]()
            return {}
        if do == "port":
            return {"port": self._port.name}
        return self._device.command(do, command)

    def obey(self, do: str, options: dict[str, Any], commands: dict[str, Command]) -> dict[str, Any]:
        """Carry out one of the device's `commands`, or one about its line; raises `CommandError` that names them all."""
        if do in commands:
            return commands[do](options)
        if do in LINE:
            return self.line(do, options)
        known = dict.fromkeys([*commands, *LINE, *OWN])
        raise CommandError(f"{do!r} is not known; use one of {', '.join(known)}")

    def soon(self, command: dict[str, Any]) -> None:
        """Carry `command` out after what is being done now; a wrong one does nothing."""

        def do() -> None:
            with contextlib.suppress(CommandError):
                self.carry_out(dict(command))

        self.later(0.0, do)

    def stop(self) -> None:
        """End `run` soon."""
        self._stopped = True

    def send(self, data: bytes) -> None:
        """Send bytes to the host, as the line lets them through; lost while nobody is connected."""
        if self._port.wire < 0 or not data:
            return
        self._bad.say(data)

    def _put(self, data: bytes) -> None:
        if self._port.wire >= 0:
            self._out += data
            self._flush()

    def later(self, delay_s: float, do: Callable[[], None]) -> None:
        """Call `do` after `delay_s` seconds."""
        heapq.heappush(self._timers, (time.monotonic() + delay_s, next(self._order), do))

    def watch(self, file: int, do: Callable[[], None]) -> None:
        """Call `do` whenever another file of the device has something to read, until `unwatch`."""
        self._selector.register(file, selectors.EVENT_READ, do)

    def unwatch(self, file: int) -> None:
        """Let that file alone."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(file)

    def read_more(self, wanted: bool) -> None:
        """Whether to take bytes from the host; while not, they pile up in the port, as with flow control."""
        if wanted != self._reading and self._port.wire >= 0:
            self._reading = wanted
            self._watch_port()

    def plug(self) -> None:
        """Make the port appear."""
        if self._port.wire >= 0:
            return
        self._port.plug()
        self._reading = True
        self._watch_door()
        self._watch_port()

    def unplug(self) -> None:
        """Make the port disappear, as when its cable is pulled."""
        self._stop_watching()
        self._port.unplug()
        self._out.clear()
        self._bad.cut()

    def _forget(self) -> None:
        """See `NetworkPort.forget`."""
        if not isinstance(self._port, NetworkPort):
            raise CommandError("only a network port can forget its host; use unplug")
        self._stop_watching()
        self._port.forget()
        self._out.clear()
        self._bad.cut()
        self._watch_door()

    def _stop_watching(self) -> None:
        for file in (self._port.wire, self._port.door):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(file)

    def _watch_door(self) -> None:
        """Hosts are let in one at a time."""
        if self._port.door >= 0 and self._port.wire < 0:
            self._selector.register(self._port.door, selectors.EVENT_READ, self._enter)

    def _enter(self) -> None:
        self._port.enter()
        if self._port.wire >= 0:
            self._selector.unregister(self._port.door)
            self._reading = True
            self._watch_port()

    def _host_gone(self) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(self._port.wire)
        self._port.hang_up()
        self._out.clear()
        self._bad.cut()
        self._watch_door()

    def line(self, do: str, options: dict[str, Any]) -> dict[str, Any]:
        """Commands about the line towards the host: `noise` now; `delay`, `split`, `merge` until they are set to 0."""
        if do == "noise":
            self._put(hex_bytes(options, "bytes"))
        else:
            self._bad.set(do, options)
        return {}

    def _reset(self) -> None:
        """A new device on a new port, as after switching it off and on with a fresh roll and no card."""
        self._timers.clear()
        self.unplug()
        self._bad = BadLine(self._put, self.later)
        self._device = self._make()
        self.plug()

    def _turn(self) -> None:
        wait_s = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else 0.5
        for key, _ in self._selector.select(min(wait_s, 0.5)):
            key.data()
        while self._timers and self._timers[0][0] <= time.monotonic():
            heapq.heappop(self._timers)[2]()

    def _watch_port(self) -> None:
        wire = self._port.wire
        if wire < 0:
            return
        events = (selectors.EVENT_READ if self._reading else 0) | (selectors.EVENT_WRITE if self._out else 0)
        known = wire in self._selector.get_map()
        if not events:
            if known:
                self._selector.unregister(wire)
        elif known:
            self._selector.modify(wire, events, self._port_ready)
        else:
            self._selector.register(wire, events, self._port_ready)

    def _port_ready(self) -> None:
        self._flush()
        if self._port.wire < 0 or not self._reading:
            return
        try:
            data = os.read(self._port.wire, 4096)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno == errno.EIO:
                return
            data = b""
        if data:
            self._device.received(data)
        else:
            self._host_gone()

    def _flush(self) -> None:
        try:
            while self._out and self._port.wire >= 0:
                del self._out[: os.write(self._port.wire, self._out)]
        except BlockingIOError:
            pass
        except OSError:
            self._host_gone()
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
            return {"ok": True, **self.carry_out(command)}
        except ValueError as error:
            return {"ok": False, "error": str(error)}
