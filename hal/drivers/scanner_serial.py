"""QR and bar-code scanner on a serial port (also USB serial): plain lines, Honeywell, Zebra SSI or Newland."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
import structlog

from hal.api import EventListener, HealthListener
from hal.api.codes import Scanned, ScanRefused
from hal.codes import CodeRefused, text_of
from hal.config import Baud
from hal.drivers.line import Line, LineSlow, keep_open
from hal.drivers.own_thread import OwnThread
from hal.drivers.scanner_frames import Code, TooLong
from hal.drivers.scanner_talk import SILENT_S, TALKS, Talk, probe_model
from hal.tools import Tools

SPEEDS = (9600, 115200)
WRITE_S = 0.5
TURN_S = 0.1

log = structlog.get_logger("hal")


class Config(msgspec.Struct, frozen=True):
    """QR and bar-code scanner on a serial port.

    `profile` how it is switched on and how its codes are framed: `plain` lines from a scanner that is always on or has its
    own trigger, `honeywell` and `newland` lines with a trigger by command, `ssi` Zebra's packets with checksums. `trigger_s`
    how long a trigger stays on. `poll_s` how often a scanner that can be asked is asked whether it is there. `idle_ms`
    silence after which a line without an end is over. `expect` pins the section to one scanner: its identity as
    `nw-hal probe` tells it (`ssi` and `newland`; the others tell none).
    """

    port: str = ""
    baud: Baud = 9600
    expect: str = ""
    profile: Literal["plain", "honeywell", "ssi", "newland"] = "plain"
    trigger_s: Annotated[float, msgspec.Meta(ge=1, le=300)] = 30.0
    poll_s: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 5.0
    idle_ms: Annotated[int, msgspec.Meta(ge=20, le=2000)] = 300


def check(config: Config) -> list[str]:
    """See `hal.registry.DRIVERS`."""
    if config.profile in ("ssi", "newland") or (not config.expect and config.port != "auto"):
        return []
    wish = "port" if config.port == "auto" else "expect"
    return [
        f".{wish} is {getattr(config, wish)!r}, but models of profile {config.profile} tell nobody who they are; give a stable path"
    ]


def probe(line: Line) -> str | None:
    """See `hal.registry.DRIVERS`: asks an SSI decoder for its revision, and a Newland scanner to leave its light off."""
    return probe_model(line)


def suggests(detail: str) -> dict[str, str]:
    """See `hal.registry.DRIVERS`: the profile of a scanner that told `detail`."""
    return {"profile": "ssi" if detail.startswith("SSI") else "newland"}


def open_driver(name: str, config: Config, tools: Tools) -> SerialScanner:
    """See `hal.registry.DRIVERS`."""
    open_line = tools.ports.opener(config.port, config.baud, __name__, expect=config.expect)
    return SerialScanner(name, config, open_line, on_event=tools.on_event, on_health=tools.on_health)


class SerialScanner(OwnThread):
    """`hal.api.Scanner` for scanners on a serial port."""

    def __init__(
        self,
        name: str,
        config: Config,
        open_line: Callable[[], Line],
        *,
        on_event: EventListener,
        on_health: HealthListener,
    ) -> None:
        super().__init__(name, on_event=on_event, on_health=on_health)
        self._config = config
        self._open_line = open_line
        self._buffer = bytearray(2048)
        self._lock = threading.Lock()
        # The monotonic time until which the light shall be on; what the scanner was last told is the session's.
        self._wanted_until_s = 0.0
        self._is_silent = False

    def trigger(self, on: bool) -> None:
        """See `Scanner.trigger`."""
        with self._lock:
            self._wanted_until_s = time.monotonic() + self._config.trigger_s if on else 0.0

    def _run(self) -> None:
        keep_open(self._open_line, self._session, health=self._health, stop=self._stop)

    def _session(self, line: Line) -> None:
        talk = TALKS[self._config.profile](idle_s=self._config.idle_ms / 1000, ask_every_s=self._config.poll_s)
        self._is_silent = False
        try:
            while not self._stop.is_set():
                self._steer(line, talk)
                self._listen(line, talk)
                self._judge(line, talk)
            self._send(line, talk.switch(False))
        finally:
            talk.wipe()
            self._buffer[:] = bytes(len(self._buffer))

    def _steer(self, line: Line, talk: Talk) -> None:
        """Tell the scanner what is wanted of its light, when that changed."""
        with self._lock:
            wanted = time.monotonic() < self._wanted_until_s
        if wanted != talk.is_on:
            self._send(line, talk.switch(wanted))

    def _listen(self, line: Line, talk: Talk) -> None:
        """One short wait for bytes; tells what they hold, and sends the replies that the protocol wants."""
        count = line.read_into(self._buffer, TURN_S if not talk.waits() else 0.02)
        now_s = time.monotonic()
        for one in talk.heard(memoryview(self._buffer)[:count], now_s):
            talk.is_on = None
            self._tell(one, now_s)
        self._buffer[:count] = bytes(count)
        self._send(line, talk.replies())

    def _tell(self, one: Code | TooLong | Literal["damaged"], now_s: float) -> None:
        if isinstance(one, TooLong):
            self._emit(ScanRefused("scan.too_long"))
            return
        if not isinstance(one, Code):
            self._emit(ScanRefused("scan.damaged"))
            return
        try:
            text = text_of(one.data)
        except CodeRefused as refused:
            self._emit(ScanRefused(refused.reason))
            return
        finally:
            one.data[:] = bytes(len(one.data))
        if text:
            # One code ends the wish for one, as the trigger of a hand-held scanner does.
            self.trigger(False)
            self._emit(Scanned(text, now_s))

    def _send(self, line: Line, data: bytes) -> None:
        if not data:
            return
        try:
            line.write(data, WRITE_S)
        except LineSlow:
            log.warning("scanner takes no bytes", peripheral=self.name)

    def _judge(self, line: Line, talk: Talk) -> None:
        """Health as the scanner's answers show it; a model that never answers is well while its port is."""
        silent_s = talk.silent_s(time.monotonic())
        if silent_s is None or (talk.has_answered and silent_s < SILENT_S):
            self._is_silent = False
            self._health.set("scanner.refused" if talk.refused else "hal.ok")
        elif silent_s >= SILENT_S and not self._is_silent:
            self._is_silent = True
            line.explain_silence(self._health, "scanner.silent")
