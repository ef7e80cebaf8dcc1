"""Button box on a serial port: presses that the box keeps until they are recorded (docs/evaluator-protocol.md, link 1)."""

from __future__ import annotations

import struct
import time
import traceback
from collections.abc import Callable
from typing import Annotated

import msgspec
import structlog

from hal.api import BufferedPress, ButtonPressed, EventListener, Health, HealthListener, Lamp
from hal.config import Baud
from hal.drivers.evaluator_frames import BOX, EVALUATOR, HELLO, HELLO_ANSWER, Frame, FrameError, Hello, Unframer, encode, read_hello
from hal.drivers.evaluator_payloads import HEARTBEAT, LAMPS, PRESS, SIGNAL, TAKEN, Press, read_press, trouble_of
from hal.drivers.evaluator_port import TICK_S, EvaluatorPort, judge_wrong
from hal.drivers.evaluator_talk import Talk
from hal.drivers.line import Line
from hal.health import HealthRecord
from hal.tools import Tools

SILENT_S = 15.0
"""A box tells every five seconds that it lives."""
GREETING_S = 2.0
BUTTONS = ("level_5", "level_4", "level_3", "level_2", "level_1", "call_staff")
SPEEDS = (115200, 9600)

log = structlog.get_logger("hal")


class Config(msgspec.Struct, frozen=True):
    """A button box that speaks the reference evaluator protocol.

    `expect` pins the section to one physical box: its number, 16 hexadecimal digits, as `nw-hal probe` tells it.
    """

    port: Annotated[str, msgspec.Meta(max_length=200)] = ""
    baud: Baud = 115200
    expect: str = ""


def probe(line: Line) -> str | None:
    """See `hal.registry.DRIVERS`: model and number of the box."""
    heard = line.ask(encode(Frame(0, HELLO, Hello(EVALUATOR, b"ask\x01").payload())))
    for frame in Unframer().feed(heard):
        if frame.cmd == HELLO_ANSWER:
            try:
                hello = read_hello(frame.payload)
            except FrameError:
                continue
            if hello.role == BOX:
                return f"button box {hello.model} {hello.identity.hex()}"
    return None


def open_driver(name: str, config: Config, tools: Tools) -> ButtonBox:
    """See `hal.registry.DRIVERS`."""
    open_line = tools.ports.opener(config.port, config.baud, __name__, expect=config.expect)
    return ButtonBox(name, config, open_line, on_event=tools.on_event, on_health=tools.on_health)


class ButtonBox:
    """`hal.api.Buttons` on a box. It has one lamp circuit for all five levels, so they cannot differ."""

    def __init__(
        self, name: str, config: Config, open_line: Callable[[], Line], *, on_event: EventListener, on_health: HealthListener
    ) -> None:
        self.name = name
        self._config, self._on_event = config, on_event
        self._health = HealthRecord(name, on_health)
        self._levels: Lamp = "off"
        self._call: Lamp = "off"
        self._beat: bytes = b""
        self._asked_since = 0.0
        self._port = EvaluatorPort(name, open_line, self._talk, self, health=self._health, port=config.port)

    def start(self) -> None:
        """See `Peripheral.start`."""
        self._port.start()

    def health(self) -> Health:
        """See `Peripheral.health`."""
        return self._health.get()

    def close(self) -> None:
        """See `Peripheral.close`."""
        self._port.close()
        self._health.set("hal.stopped")

    def names(self) -> tuple[str, ...]:
        """See `Buttons.names`."""
        return BUTTONS

    def lamp(self, name: str, state: Lamp) -> None:
        """See `Buttons.lamp`. The five levels share one circuit: any of them switches all."""
        if name == "call_staff":
            self._call = state
        else:
            self._levels = state
        self._signal(0)

    def lamps(self, state: Lamp) -> None:
        """See `Buttons.lamps`."""
        self._levels = state
        self._signal(0)

    def buzz(self, duration_ms: int = 80) -> None:
        """See `Buttons.buzz`."""
        if not 1 <= duration_ms <= 2000:
            raise ValueError(f"duration_ms is {duration_ms}; use 1 to 2000")
        self._signal(duration_ms)

    def taken(self, press: BufferedPress) -> None:
        """See `Buttons.taken`."""
        self._port.ask(lambda talk: self._tell_taken(talk, press))

    def _tell_taken(self, talk: Talk, press: BufferedPress) -> None:
        # Another box may have been connected meanwhile; its presses have numbers of their own.
        if talk.peer is not None and talk.peer.identity.hex() == press.box:
            talk.put(TAKEN, struct.pack(">I", press.number))

    def _signal(self, buzz_ms: int) -> None:
        payload = struct.pack(">BBH", LAMPS[self._levels], LAMPS[self._call], buzz_ms)
        self._port.ask(lambda talk: talk.put(SIGNAL, payload))

    def _talk(self) -> Talk:
        self._asked_since = time.monotonic()
        return Talk(role=EVALUATOR, peer_role=BOX, asks=True, baud=self._config.baud, model="nightwindow evaluator")

    # evaluator_port.Owner

    def greeted(self, talk: Talk) -> None:
        """The box knows nothing of lamps after it was switched on."""
        self._beat = b""
        talk.put(SIGNAL, struct.pack(">BBH", LAMPS[self._levels], LAMPS[self._call], 0))

    def take(self, frame: Frame, talk: Talk, now_s: float) -> None:
        """A press or a sign of life; what a newer box says besides is passed over."""
        if frame.cmd == HEARTBEAT:
            self._beat = frame.payload
        elif frame.cmd == PRESS and talk.peer is not None and any(talk.peer.identity):
            try:
                press = read_press(frame.payload)
            except FrameError as error:
                log.warning("a press was refused", peripheral=self.name, problem=str(error))
                return
            self._emit(press, talk.peer.identity.hex(), now_s)

    def _emit(self, press: Press, box: str, now_s: float) -> None:
        age_s = None if press.age_ms is None else press.age_ms / 1000
        button = f"level_{press.button}" if press.button else "call_staff"
        buffered = BufferedPress(box, press.number, age_s)
        event = ButtonPressed(button, press.button or None, now_s - (age_s or 0.0), buffered)
        if self._port.stopped:
            return
        try:
            self._on_event(self.name, event)
        except Exception as error:
            # Which button it was would tell a level, and no log may; a traceback may show the values of variables.
            where = traceback.extract_tb(error.__traceback__)[-1]
            log.error(
                "event listener failed", peripheral=self.name, error=type(error).__name__, where=f"{where.name}:{where.lineno}"
            )

    def _judge(self, peer: Hello) -> None:
        if any(peer.identity):
            reason, args = trouble_of(self._beat)
            self._health.set(reason, **args)
            return
        # Without one, its presses could not be told from those of another box, and be recorded twice or not at all.
        found = f"button box {peer.model} without an identity"
        self._health.set("hal.wrong_device", port=self._config.port, expected="button box", found=found)

    def tick(self, talk: Talk, now_s: float) -> float:
        """Judge the box's health."""
        if talk.up and now_s - talk.heard_s > SILENT_S:
            talk.down(now_s)
        if talk.peer is not None:
            self._asked_since = now_s
            self._judge(talk.peer)
        elif not judge_wrong(talk, self._health, self._config.port, BOX) and now_s - self._asked_since > GREETING_S:
            self._health.set("port.silent", port=self._config.port)
        return TICK_S
