"""Clerk's desk on a serial port: commands of the clerk's PC in, answers and state out (docs/evaluator-protocol.md, link 2).

No frame that leaves here can carry a level: an answer holds the number of a command and a code, a state holds four small
fields of `hal.api.DeskView`. Both have one length, and both leave on a beat, so that the time something took says nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Annotated

import msgspec
import structlog

from hal.api import EventListener, Health, HealthListener
from hal.api.desk import DeskAnswer, DeskAsked, DeskView
from hal.config import Baud
from hal.drivers.evaluator_frames import DESK, EVALUATOR, Frame, FrameError
from hal.drivers.evaluator_payloads import ANSWER, ASK_STATE, STATE, answer_payload, read_wish, state_payload
from hal.drivers.evaluator_port import TICK_S, EvaluatorPort, judge_wrong
from hal.drivers.evaluator_talk import Talk
from hal.drivers.line import Line
from hal.health import HealthRecord
from hal.tools import Tools

BEAT_S = 0.4
STATE_EVERY_S = 5.0
MAX_OPEN = 8
"""Commands that may wait for an answer at once."""

log = structlog.get_logger("hal")


class Config(msgspec.Struct, frozen=True):
    """The line to a clerk's PC, which runs `nw-desk` or speaks the protocol itself."""

    port: Annotated[str, msgspec.Meta(max_length=200)] = ""
    baud: Baud = 115200


def check(config: Config) -> list[str]:
    """See `hal.registry.DRIVERS`: a clerk's PC speaks only when a clerk does something, so no port can be found by asking."""
    return ['.port is "auto", but a clerk\'s PC does not answer by itself; give a stable path'] if config.port == "auto" else []


def open_driver(name: str, config: Config, tools: Tools) -> SerialDesk:
    """See `hal.registry.DRIVERS`."""
    open_line = tools.ports.opener(config.port, config.baud, __name__)
    return SerialDesk(name, config, open_line, on_event=tools.on_event, on_health=tools.on_health)


class SerialDesk:
    """`hal.api.ClerkDesk`."""

    def __init__(
        self, name: str, config: Config, open_line: Callable[[], Line], *, on_event: EventListener, on_health: HealthListener
    ) -> None:
        self.name = name
        self._config, self._on_event = config, on_event
        self._health = HealthRecord(name, on_health)
        self._asked: dict[int, float] = {}
        """Commands without an answer, and when they came."""
        self._answers: list[tuple[float, int, DeskAnswer]] = []
        self._view, self._told, self._told_at = DeskView(), b"", -math.inf
        self._session = 0
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

    def answer(self, command: int, answer: DeskAnswer) -> None:
        """See `ClerkDesk.answer`."""
        self._port.ask(lambda _: self._schedule(command, answer))

    def show(self, view: DeskView) -> None:
        """See `ClerkDesk.show`."""
        self._view = view
        self._port.ask(lambda _: None)

    def _talk(self) -> Talk:
        return Talk(role=EVALUATOR, peer_role=DESK, asks=False, baud=self._config.baud, model="nightwindow evaluator")

    # evaluator_port.Owner

    def greeted(self, talk: Talk) -> None:
        """Another desk, or the same one anew: what was asked before is answered to nobody."""
        self._session += 1
        self._asked.clear()
        self._answers.clear()
        self._told, self._told_at = b"", -math.inf

    def take(self, frame: Frame, talk: Talk, now_s: float) -> None:
        """One command."""
        if frame.cmd == ASK_STATE:
            self._told = b""
            return
        command = self._session << 8 | frame.seq
        self._asked[command] = now_s
        if len(self._asked) > MAX_OPEN:
            self._schedule(command, "later")
            return
        try:
            wish = read_wish(frame)
        except FrameError as error:
            log.warning("a desk's command was refused", peripheral=self.name, problem=str(error))
            self._schedule(command, "unreadable")
            return
        if self._port.stopped:
            return
        try:
            self._on_event(self.name, DeskAsked(command, wish))
        except Exception:
            log.exception("event listener failed", peripheral=self.name)
            self._schedule(command, "later")

    def _schedule(self, command: int, answer: DeskAnswer) -> None:
        asked_s = self._asked.pop(command, None)
        if asked_s is None:
            return
        beats = max(1, math.ceil((time.monotonic() - asked_s) / BEAT_S))
        self._answers.append((asked_s + beats * BEAT_S, command & 0xFF, answer))

    def tick(self, talk: Talk, now_s: float) -> float:
        """Send what is due: answers first, then the state if it changed or was not told for five seconds."""
        if not judge_wrong(talk, self._health, self._config.port, DESK):
            # A desk that says nothing is no trouble: `nw-desk` greets when a clerk does something.
            self._health.set("hal.ok")
        for answer in [one for one in self._answers if one[0] <= now_s]:
            self._answers.remove(answer)
            talk.put(ANSWER, answer_payload(*answer[1:]))
        state = state_payload(self._view, now_s)
        waits = bool(self._asked or self._answers)
        if talk.up and not waits and (state != self._told or now_s - self._told_at >= STATE_EVERY_S) and talk.put(STATE, state):
            self._told, self._told_at = state, now_s
        ahead = [due_s for due_s, _, _ in self._answers] + [self._view.open_until_s]
        return min([TICK_S, *(due_s - now_s for due_s in ahead if due_s > now_s)])
