"""GPIO pins that another process presses and reads: a gpiozero factory that listens on a Unix socket.

The device's own process opens it (`gpio.driver = "socket"`); controllers connect and send JSON lines, see docs/hardware.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
import time
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPin

MAX_LINE = 4096
MAX_CONTROLLERS = 16
BOUNCE_STEP_S = 0.001


class CommandError(ValueError):
    """A controller's command that cannot be done; the message is its answer."""


class SocketPin(MockPin):  # type: ignore[misc]
    """A pin driven from outside, each edge with the time it was meant for.

    The planned time and not the measured one is passed on, so that a busy computer does not stretch a bounce.
    """

    def __init__(self, factory: Any, info: Any) -> None:
        self._planned_s: float | None = None
        self._outside: bool | None = None
        self._drive_lock = threading.RLock()
        super().__init__(factory, info)

    def drive(self, value: bool, at_s: float) -> None:
        """Set the level that the outside world puts on this input, as of `at_s` (monotonic seconds)."""
        with self._drive_lock:
            if self.function != "input":
                raise CommandError(f"pin {self.info.name} is an output; only inputs can be driven")
            self._planned_s, self._outside = at_s, value
            try:
                self.drive_high() if value else self.drive_low()
            finally:
                self._planned_s = None

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        # A pull resistor is weak: what the outside puts on the pin wins over it.
        if self._outside is not None:
            self.drive_high() if self._outside else self.drive_low()

    @property
    def bcm(self) -> int:
        """BCM number."""
        return int(self._number)

    def _call_when_changed(self) -> None:
        at_s = self._last_change if self._planned_s is None else self._planned_s
        super(MockPin, self)._call_when_changed(at_s, self._state)

    def _change_state(self, value: float) -> bool:
        changed = bool(super()._change_state(value))
        # The mock keeps every change for its own assertions; over weeks that would be a leak.
        del self.states[:-2]
        if changed:
            self.factory.announce(self)
        return changed


class SocketPinFactory(MockFactory):  # type: ignore[misc]
    """Pins of a Raspberry Pi 4 driven over the Unix socket at `path`; `names` maps pin names to BCM numbers."""

    def __init__(self, path: str, names: dict[str, int]) -> None:
        super().__init__(revision="c03114", pin_class=SocketPin)
        self._path = path
        self._numbers = dict(names)
        self._names = {number: name for name, number in names.items()}
        self._pin_lock = threading.Lock()
        self._lock = threading.Lock()
        self._subscribers: list[_Controller] = []
        self._controllers: list[_Controller] = []
        self._presses: dict[int, threading.Lock] = {}
        if "door" in names:
            # Nobody has opened the cabinet when a demonstration starts.
            self._pin(names["door"]).drive(False, time.monotonic())
        self._listener = _listen(path)
        threading.Thread(target=self._accept, name="hal-pins", daemon=True).start()

    def pin(self, name: Any, **options: Any) -> Any:
        """The pin; drivers and controllers ask for it on their own threads, and must get the same one."""
        with self._pin_lock:
            return super().pin(name, **options)

    def close(self) -> None:
        """Stop listening, hang up on every controller, release the pins."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        with self._lock:
            controllers = list(self._controllers)
        for controller in controllers:
            controller.hang_up()
        super().close()

    def announce(self, pin: SocketPin) -> None:
        """Tell every subscriber that `pin` changed."""
        with self._lock:
            subscribers = list(self._subscribers)
        if not subscribers:
            return
        number = pin.bcm
        name = self._names.get(number, str(number))
        for controller in subscribers:
            controller.tell({"changed": name, "pin": number, "value": int(pin.state), "at_s": time.monotonic()})

    def do(self, command: dict[str, Any], controller: _Controller) -> dict[str, Any]:
        """Carry out one command; returns what to answer besides `ok`.

        Raises:
            CommandError: the command or its pin is not known, or its values are out of range.
        """
        match command:
            case {"press": name, **options}:
                self._press(self._number(name), _ms(options, "ms", 120, 60_000), _ms(options, "bounce_ms", 0, 100))
                return {}
            case {"set": name, "value": 0 | 1 as value}:
                self._pin(self._number(name)).drive(bool(value), time.monotonic())
                return {}
            case {"get": "lamps"}:
                lamps = {name: n for name, n in self._numbers.items() if name.startswith("lamp.") or name == "buzzer"}
                return {"lamps": {name.removeprefix("lamp."): self._value(n) for name, n in lamps.items()}}
            case {"get": "pins"}:
                return {"pins": {name: self._value(number) for name, number in self._numbers.items()}}
            case {"subscribe": True}:
                with self._lock:
                    self._subscribers.append(controller)
                return {}
            case _:
                raise CommandError('use {"press"}, {"set", "value": 0|1}, {"get": "lamps"|"pins"} or {"subscribe": true}')

    def forget(self, controller: _Controller) -> None:
        """A controller hung up."""
        with self._lock:
            for group in (self._controllers, self._subscribers):
                if controller in group:
                    group.remove(controller)

    def _press(self, number: int, duration_ms: float, bounce_ms: float) -> None:
        pin = self._pin(number)
        with self._lock:
            press = self._presses.setdefault(number, threading.Lock())
        with press:
            start_s = time.monotonic()
            self._swing(pin, start_s, bounce_ms / 1000, closed=True)
            self._swing(pin, start_s + duration_ms / 1000, bounce_ms / 1000, closed=False)

    def _swing(self, pin: SocketPin, at_s: float, bounce_s: float, *, closed: bool) -> None:
        """Close or open the contact at `at_s`, bouncing for `bounce_s`; a closed contact pulls the pin low."""
        swings = 2 * int(bounce_s / BOUNCE_STEP_S / 2)
        for swing in range(swings + 1):
            edge_s = at_s + swing * BOUNCE_STEP_S
            time.sleep(max(0.0, edge_s - time.monotonic()))
            pin.drive((swing % 2 == 0) is not closed, edge_s)

    def _number(self, name: object) -> int:
        number = name if isinstance(name, int) else self._numbers.get(str(name))
        if number is None or not 0 <= number <= 27:
            raise CommandError(f"{name!r} is no pin here; use a BCM number or one of {', '.join(self._numbers)}")
        return number

    def _pin(self, number: int) -> SocketPin:
        pin: SocketPin = self.pin(number)
        return pin

    def _value(self, number: int) -> int:
        return int(self._pin(number).state)

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            controller = _Controller(self, link)
            with self._lock:
                full = len(self._controllers) >= MAX_CONTROLLERS
                if not full:
                    self._controllers.append(controller)
            if full:
                controller.tell({"ok": False, "error": f"{MAX_CONTROLLERS} controllers are connected; close one"})
                controller.hang_up()
            else:
                threading.Thread(target=controller.serve, name="hal-pins-controller", daemon=True).start()


class _Controller:
    """One connection to the pin factory."""

    def __init__(self, factory: SocketPinFactory, link: socket.socket) -> None:
        self._factory = factory
        self._link = link
        # A subscriber that does not read must not hold up the pins for longer than this.
        link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 1, 0))
        self._lock = threading.Lock()

    def serve(self) -> None:
        try:
            with self._link.makefile("rb") as lines:
                while line := lines.readline(MAX_LINE):
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


def _ms(options: dict[str, Any], key: str, default: float, most: float) -> float:
    value = options.get(key, default)
    if not isinstance(value, int | float) or not 0 <= value <= most:
        raise CommandError(f"{key} is {value!r}; use 0 to {most}")
    return float(value)


def _listen(path: str) -> socket.socket:
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
