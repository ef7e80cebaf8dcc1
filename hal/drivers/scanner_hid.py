"""QR and bar-code scanner that types like a keyboard (USB HID): grabbed, so that nothing it reads is typed into a console.

Such a scanner types with the US layout and ends with Enter. It cannot type Chinese: codes with other than ASCII characters
need a scanner on a serial port.
"""

from __future__ import annotations

import time
from typing import Annotated

import msgspec

from hal.api import EventListener, HealthListener
from hal.api.codes import Scanned, ScanRefused
from hal.codes import CodeRefused, RefusalReason, text_of
from hal.drivers.evdev_input import Inputs, Keyboard, LinuxInputs, is_port_there, open_keyboard, wrong_port
from hal.drivers.key_strokes import Stroke
from hal.drivers.line import keep_open
from hal.drivers.own_thread import OwnThread
from hal.drivers.scanner_frames import Code, LineParser, TooLong
from hal.tools import Tools

TURN_S = 0.2
SHIFTS, CONTROLS, ALTS = frozenset((42, 54)), frozenset((29, 97)), frozenset((56, 100))
ENTERS = frozenset((28, 96))
# Linux key codes (input-event-codes.h) in the order of the US keyboard's rows: plain, and with shift.
_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
    (71, "789-456+1230.", "789-456+1230."),
    (98, "/", "/"),
    (55, "*", "*"),
)
PLAIN = {start + index: char for start, plain, _ in _ROWS for index, char in enumerate(plain)}
SHIFTED = {start + index: char for start, _, shifted in _ROWS for index, char in enumerate(shifted)}


class Config(msgspec.Struct, frozen=True):
    """Scanner on evdev. `port` `/dev/input/by-id/…-event-kbd`, or `name:` and what the scanner calls itself.

    `expect` part of the scanner's name, which pins the section to one model. `idle_ms` silence after which a code without
    Enter is over.
    """

    port: str = ""
    expect: str = ""
    idle_ms: Annotated[int, msgspec.Meta(ge=20, le=2000)] = 300


def check(config: Config) -> list[str]:
    """See `hal.registry.DRIVERS`."""
    return wrong_port(config.port, "scanner's name")


def is_there(config: Config) -> bool:
    """See `hal.registry.DRIVERS`; a name is looked for only when the device is opened."""
    return is_port_there(config.port)


def open_driver(name: str, config: Config, tools: Tools) -> HidScanner:
    """See `hal.registry.DRIVERS`."""
    return HidScanner(name, config, on_event=tools.on_event, on_health=tools.on_health)


class HidScanner(OwnThread):
    """`hal.api.Scanner` on evdev; `inputs` are this computer's input devices."""

    def __init__(
        self,
        name: str,
        config: Config,
        *,
        on_event: EventListener,
        on_health: HealthListener,
        inputs: Inputs | None = None,
    ) -> None:
        super().__init__(name, on_event=on_event, on_health=on_health)
        self._config = config
        self._inputs = inputs or LinuxInputs()
        self._lines = LineParser()
        self._held: set[int] = set()
        # Why the code that is being typed cannot be used, whatever else it holds.
        self._spoilt: RefusalReason | None = None
        self._last_s = 0.0

    def trigger(self, on: bool) -> None:
        """See `Scanner.trigger`; a keyboard cannot be told anything, so these scanners are always on."""

    def _run(self) -> None:
        keep_open(self._open, self._session, health=self._health, stop=self._stop)

    def _open(self) -> Keyboard:
        return open_keyboard(self._config.port, needs=ENTERS, expect=self._config.expect, inputs=self._inputs)

    def _session(self, keyboard: Keyboard) -> None:
        self._held.clear()
        self._health.set("hal.ok")
        idle_s, losses = self._config.idle_ms / 1000, 0
        try:
            while not self._stop.is_set():
                strokes = keyboard.read(idle_s / 4 if self._lines.is_inside() else TURN_S)
                if keyboard.losses > losses:
                    losses, self._spoilt = keyboard.losses, "scan.damaged"
                for stroke in strokes:
                    self._last_s = time.monotonic()
                    self._take(stroke)
                if time.monotonic() - self._last_s >= idle_s:
                    self._tell(self._lines.idle())
        finally:
            self._lines.wipe()
            self._spoilt = None

    def _take(self, stroke: Stroke) -> None:
        if stroke.code in SHIFTS | CONTROLS | ALTS:
            (self._held.add if stroke.down else self._held.discard)(stroke.code)
        elif stroke.down and stroke.code in ENTERS:
            self._tell(self._lines.feed(b"\r"))
        elif stroke.down and (char := (SHIFTED if self._held & SHIFTS else PLAIN).get(stroke.code)):
            if self._held & ALTS:
                # Alt and digits type a character by its number in a code page of some Windows: not to be guessed.
                self._spoilt = "scan.not_text"
            # Ctrl and a key is a control character, which no text keeps.
            if not self._held & CONTROLS:
                self._tell(self._lines.feed(char.encode()))

    def _tell(self, found: list[Code | TooLong]) -> None:
        for one in found:
            spoilt, self._spoilt = self._spoilt, None
            if spoilt or isinstance(one, TooLong):
                self._emit(ScanRefused(spoilt or "scan.too_long"))
                continue
            try:
                text = text_of(one.data)
            except CodeRefused as refused:
                self._emit(ScanRefused(refused.reason))
                continue
            finally:
                one.data[:] = bytes(len(one.data))
            if text:
                self._emit(Scanned(text, self._last_s))
