"""GPIO pins that another process presses and reads: a gpiozero factory that listens on a Unix socket.

The device's own process opens it (`gpio.driver = "socket"`); controllers connect and send JSON lines, see docs/drivers.md.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPin, MockPWMPin

from hal.sim.pin_controllers import MAX_CONTROLLERS, CommandError, Controller, listen
from hal.sim.wires import Wires

BOUNCE_STEP_S = 0.001
MAX_SWINGS = 500
KEYS = {key: (place // 3 + 1, place % 3 + 1) for place, key in enumerate([*"123456789", "clear", "0", "enter"])}
"""Row and column of each key of a 12-key pad that is wired as a matrix."""


class SocketPin(MockPWMPin):  # type: ignore[misc]
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

    def release(self, at_s: float) -> None:
        """Let the outside go of this pin as of `at_s`: an input goes back to what its pull resistor says."""
        with self._drive_lock:
            self._planned_s, self._outside = at_s, None
            try:
                if self.function == "input":
                    self._set_pull(self._pull)
            finally:
                self._planned_s = None

    def _set_function(self, value: str) -> None:
        super()._set_function(value)
        self.factory.rewire(self)

    def _set_state(self, value: float) -> None:
        super()._set_state(value)
        self.factory.rewire(self)

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
        self._subscribers: list[Controller] = []
        self._controllers: list[Controller] = []
        self._presses: dict[object, threading.Lock] = {}
        self._wires = Wires()
        self._wire_lock = threading.RLock()
        for name, number in names.items():
            if name.split("_")[0] in ("door", "tamper"):
                # Nobody has opened the cabinet when a demonstration starts.
                self._pin(number).drive(False, time.monotonic())
        self._listener = listen(path)
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
        number = pin.bcm
        # A scanned matrix changes hundreds of times a second, which says nothing to anybody.
        if not subscribers or number in self._wires.touched:
            return
        name = self._names.get(number, str(number))
        for controller in subscribers:
            controller.tell({"changed": name, "pin": number, "value": _plain(pin.state), "at_s": time.monotonic()})

    def rewire(self, pin: SocketPin) -> None:
        """`pin` became an input or output, or drives another level: the pins that contacts join to it follow."""
        if pin.bcm in self._wires.touched:
            with self._wire_lock:
                self._follow({pin.bcm}, time.monotonic())

    def _join(self, one: int, other: int, at_s: float, *, closed: bool) -> None:
        with self._wire_lock:
            self._follow(self._wires.join(one, other, closed), at_s)

    def _follow(self, pins: set[int], at_s: float) -> None:
        for number in pins:
            net = self._wires.net(number)
            level = self._wires.level(net, self._pin)
            for member in map(self._pin, net):
                if member.function == "input":
                    member.release(at_s) if level is None else member.drive(level, at_s)

    def do(self, command: dict[str, Any], controller: Controller) -> dict[str, Any]:
        """Carry out one command; returns what to answer besides `ok`.

        Raises:
            CommandError: the command or its pin is not known, or its values are out of range.
        """
        match command:
            case {"press": name, **options}:
                pin = self._pin(self._number(name))
                self._press(pin.bcm, lambda closed, at_s: pin.drive(not closed, at_s), options)
                return {}
            case {"swing": name, "at_ms": list(times)}:
                pin = self._pin(self._number(name))
                self._swings(pin, times)
                return {}
            case {"key": str(key), **options} if key in KEYS:
                row, column = self._key(key, options)
                self._press((row, column), lambda closed, at_s: self._join(row, column, at_s, closed=closed), options)
                return {}
            case {"hold": str(key), "on": bool(on), **options} if key in KEYS:
                row, column = self._key(key, options)
                self._join(row, column, time.monotonic(), closed=on)
                return {}
            case {"get": "shorts"}:
                return {"shorts": self._wires.shorts}
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
                known = '{"press"}, {"swing"}, {"key"}, {"hold", "on"}, {"set", "value": 0|1}, {"get": "lamps"|"pins"|"shorts"}'
                raise CommandError(f'use {known} or {{"subscribe": true}}')

    def forget(self, controller: Controller) -> None:
        """A controller hung up."""
        with self._lock:
            for group in (self._controllers, self._subscribers):
                if controller in group:
                    group.remove(controller)

    def _press(self, contact: object, swing: Callable[[bool, float], None], options: dict[str, Any]) -> None:
        """Close a contact and open it again, one press at a time on each."""
        duration_s, bounce_s = _ms(options, "ms", 120, 60_000) / 1000, _ms(options, "bounce_ms", 0, 100) / 1000
        with self._one_at_a_time(contact):
            start_s = time.monotonic()
            _bounce(swing, start_s, bounce_s, closed=True)
            _bounce(swing, start_s + duration_s, bounce_s, closed=False)

    def _swings(self, pin: SocketPin, times: list[Any]) -> None:
        """Let a contact to ground swing at these times after now, closing first."""
        rising = all(isinstance(at_ms, int | float) and 0 <= at_ms <= 60_000 for at_ms in times) and times == sorted(times)
        if not rising or len(times) % 2 or len(times) > MAX_SWINGS:
            raise CommandError(f"at_ms must be an even number of rising milliseconds from 0 to 60000, {MAX_SWINGS} at most")
        with self._one_at_a_time(pin.bcm):
            start_s = time.monotonic()
            for number, at_ms in enumerate(times):
                edge_s = start_s + at_ms / 1000
                time.sleep(max(0.0, edge_s - time.monotonic()))
                pin.drive(number % 2 == 1, edge_s)

    def _one_at_a_time(self, contact: object) -> threading.Lock:
        """The lock of one contact: two controllers that press it wait for each other."""
        with self._lock:
            return self._presses.setdefault(contact, threading.Lock())

    def _key(self, key: str, options: dict[str, Any]) -> tuple[int, int]:
        """The two pins that a key of the pad joins; `keypad` names a pad's section unless it is the only one."""
        row, column = KEYS[key]
        section = f"{options['keypad']}." if "keypad" in options else ""
        return self._number(f"{section}row_{row}"), self._number(f"{section}column_{column}")

    def _number(self, name: object) -> int:
        number = name if isinstance(name, int) else self._numbers.get(str(name))
        if number is None or not 0 <= number <= 27:
            raise CommandError(f"{name!r} is no pin here; use a BCM number or one of {', '.join(self._numbers)}")
        return number

    def _pin(self, number: int) -> SocketPin:
        pin: SocketPin = self.pin(number)
        return pin

    def _value(self, number: int) -> float:
        return _plain(self._pin(number).state)

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            controller = Controller(self, link)
            with self._lock:
                full = len(self._controllers) >= MAX_CONTROLLERS
                if not full:
                    self._controllers.append(controller)
            if full:
                controller.tell({"ok": False, "error": f"{MAX_CONTROLLERS} controllers are connected; close one"})
                controller.hang_up()
            else:
                threading.Thread(target=controller.serve, name="hal-pins-controller", daemon=True).start()


def _bounce(swing: Callable[[bool, float], None], at_s: float, bounce_s: float, *, closed: bool) -> None:
    """Close or open a contact at `at_s` by `swing(closed, at_s)`, bouncing for `bounce_s`."""
    swings = 2 * int(bounce_s / BOUNCE_STEP_S / 2)
    for number in range(swings + 1):
        edge_s = at_s + number * BOUNCE_STEP_S
        time.sleep(max(0.0, edge_s - time.monotonic()))
        swing((number % 2 == 0) is closed, edge_s)


def _plain(state: float) -> float:
    """0 and 1 as whole numbers, what is dimmed in hundredths."""
    return int(state) if state in (0, 1) else round(float(state), 2)


def _ms(options: dict[str, Any], key: str, default: float, most: float) -> float:
    value = options.get(key, default)
    if not isinstance(value, int | float) or not 0 <= value <= most:
        raise CommandError(f"{key} is {value!r}; use 0 to {most}")
    return float(value)
