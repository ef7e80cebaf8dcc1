"""A 12-key pad that shows itself as a keyboard (USB or Bluetooth HID)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import msgspec

from hal.api import EventListener, HealthListener, Key, KeyPressed
from hal.drivers.evdev_input import Inputs, Keyboard, LinuxInputs, is_port_there, open_keyboard, wrong_port
from hal.drivers.key_strokes import Stroke
from hal.drivers.line import keep_open
from hal.drivers.own_thread import OwnThread
from hal.tools import Tools

LOOK_S = 0.2

# Linux key codes (input-event-codes.h): the row of digits, the number block, and the keys of telephones.
_DIGITS: tuple[tuple[Key, tuple[int, ...]], ...] = (
    ("1", (2, 79, 0x201)),
    ("2", (3, 80, 0x202)),
    ("3", (4, 81, 0x203)),
    ("4", (5, 75, 0x204)),
    ("5", (6, 76, 0x205)),
    ("6", (7, 77, 0x206)),
    ("7", (8, 71, 0x207)),
    ("8", (9, 72, 0x208)),
    ("9", (10, 73, 0x209)),
    ("0", (11, 82, 0x200)),
)
KEYS: dict[int, Key] = {code: key for key, codes in _DIGITS for code in codes}
# clear: *, backspace, escape, delete, cancel, telephone *. enter: enter, telephone #.
KEYS |= dict.fromkeys((55, 14, 1, 111, 223, 0x20A), "clear")
KEYS |= dict.fromkeys((28, 96, 0x20B), "enter")
SHIFTS = frozenset((42, 54))
# A pad that sends the characters of its caps types * as shift and 8, # as shift and 3.
SHIFTED: dict[int, Key] = {9: "clear", 4: "enter"}


class Config(msgspec.Struct, frozen=True):
    """Twelve keys on evdev. `port` `/dev/input/by-id/…-event-kbd`, or `name:` and what the pad calls itself.

    `expect` part of the pad's name, which pins the section to one model. `stuck_s` a key held longer is reported as stuck.
    """

    port: str = ""
    expect: str = ""
    stuck_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 20.0


def check(config: Config) -> list[str]:
    """See `hal.registry.DRIVERS`."""
    return wrong_port(config.port, "pad's own name")


def where(config: Config) -> str:
    """See `hal.registry.DRIVERS`."""
    return config.port


def is_there(config: Config) -> bool:
    """See `hal.registry.DRIVERS`; a name is looked for only when the device is opened."""
    return is_port_there(config.port)


def open_driver(name: str, config: Config, tools: Tools) -> EvdevKeypad:
    """See `hal.registry.DRIVERS`."""
    return EvdevKeypad(name, config, on_event=tools.on_event, on_health=tools.on_health)


class EvdevKeypad(OwnThread):
    """`hal.api.Keypad` on evdev; `inputs` are this computer's input devices."""

    def __init__(
        self,
        name: str,
        config: Config,
        *,
        on_event: EventListener,
        on_health: HealthListener,
        inputs: Inputs | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name, on_event=on_event, on_health=on_health)
        self._config = config
        self._inputs = inputs or LinuxInputs()
        self._clock = clock
        self._held: dict[int, tuple[Key, float]] = {}
        self._shifts: set[int] = set()

    def _run(self) -> None:
        keep_open(self._open, self._session, health=self._health, stop=self._stop)

    def _open(self) -> Keyboard:
        return open_keyboard(self._config.port, needs=frozenset(KEYS), expect=self._config.expect, inputs=self._inputs)

    def _session(self, keyboard: Keyboard) -> None:
        self._held.clear()
        self._shifts.clear()
        while not self._stop.is_set():
            self._look()
            for stroke in keyboard.read(LOOK_S):
                self._take(stroke)

    def _take(self, stroke: Stroke) -> None:
        if stroke.code in SHIFTS:
            (self._shifts.add if stroke.down else self._shifts.discard)(stroke.code)
            return
        if not stroke.down:
            self._held.pop(stroke.code, None)
            return
        key = SHIFTED.get(stroke.code) if self._shifts else KEYS.get(stroke.code)
        if key is None or self._stop.is_set():
            return
        self._held[stroke.code] = (key, stroke.at_s)
        self._emit(KeyPressed(key, stroke.at_s))

    def _look(self) -> None:
        now_s = self._clock()
        stuck = [key for key, since_s in self._held.values() if now_s - since_s > self._config.stuck_s]
        if stuck:
            self._health.set("buttons.stuck", button=stuck[0])
        else:
            self._health.set("hal.ok")
