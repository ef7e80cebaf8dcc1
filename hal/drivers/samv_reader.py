"""Resident identity-card reader: SAM-V over a serial port.

Find, select and read come always in this order. After a successful read the same card is not found again until it has
left, so "not found" does not tell whether a card lies there. Its removal is learnt by asking for something that only a
card on the reader can give (`presence` in the profile); where a reader cannot be asked, by the next card that is found, or
by presuming it after a while. `CardRemoved.evidence` says which.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
import structlog

from hal.api import CardError, CardPresent, CardRemoved, EventListener, HealthListener
from hal.config import Baud
from hal.drivers.line import Line, keep_open
from hal.drivers.own_thread import OwnThread
from hal.drivers.samv import FOUND, OK, PROFILES, Answer, Parser, command, module_number
from hal.drivers.samv_talk import NOT_FOUND, READ_ANSWER_S, SHORT_ANSWER_S, Talk
from hal.drivers.samv_text import TEXT_BYTES, CardInvalid, read_text
from hal.tools import Tools, reference_key

GONE_AFTER = 2
"""Failed questions until a card counts as gone, so that one disturbed answer removes nothing."""

NO_CONTENT = 0x91
UNKNOWN_COMMAND = 0x21

CardReason = Literal["card.read_failed", "card.moved", "card.rejected", "card.unknown", "card.data_invalid"]
_READ_ERRORS: dict[int, CardReason] = {
    0x31: "card.rejected",
    0x32: "card.rejected",
    0x33: "card.rejected",
    0x47: "card.rejected",
    0x40: "card.unknown",
}
_LEFT = (0x41, 0x81, 0x34)
_UNHEALTHY = {0x66: "id_card.not_licensed", 0x23: "id_card.not_licensed"}

log = structlog.get_logger("hal")


class Config(msgspec.Struct, frozen=True):
    """Resident ID-card reader: SAM-V over a serial port.

    `expect` pins the section to one physical reader: its module number as `nw-hal probe` tells it. `poll_ms` time between
    two looks for a card. `presume_removed_s` after how long a card counts as gone on readers that cannot be asked.
    `reference_key_file` a file of 32 or more random bytes, the key of `CardData.reference`; empty = a new key at each
    start, so references compare only while the program runs.
    """

    port: str = ""
    baud: Baud = 115200
    expect: str = ""
    profile: Literal["standard", "address_probe", "no_probe", "prefix_00"] = "standard"
    poll_ms: Annotated[int, msgspec.Meta(ge=20, le=5000)] = 300
    presume_removed_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 30.0
    reference_key_file: str = ""


SPEEDS = (115200, 9600)


def probe(line: Line) -> str | None:
    """See `hal.registry.DRIVERS`: the number of the security module and its state; no card is read."""
    answers = Parser().feed(line.ask(command(b"\x11\xff")))
    if not answers:
        return None
    state = {OK: "ready", 0x66: "not licensed"}.get(answers[0].status, f"status {answers[0].status:02X}")
    named = Parser().feed(line.ask(command(b"\x12\xff")))
    number = module_number(bytes(named[0].data)) if named else "no number"
    return f"SAM-V module {number}, {state}"


def open_driver(name: str, config: Config, tools: Tools) -> SamvReader:
    """See `hal.registry.DRIVERS`.

    Raises:
        ConfigError: the key file cannot be used.
    """
    key = reference_key(config.reference_key_file, f"hal.{name}.reference_key_file")
    open_line = tools.ports.opener(config.port, config.baud, __name__, expect=config.expect)
    return SamvReader(name, config, open_line, key=key, on_event=tools.on_event, on_health=tools.on_health)


class SamvReader(OwnThread):
    """`hal.api.IdCardReader` for SAM-V readers; `key` is the secret of `CardData.reference`."""

    def __init__(
        self,
        name: str,
        config: Config,
        open_line: Callable[[], Line],
        *,
        key: bytes,
        on_event: EventListener,
        on_health: HealthListener,
    ) -> None:
        super().__init__(name, on_event=on_event, on_health=on_health)
        self._config = config
        self._open_line = open_line
        self._key = key
        self._commands = PROFILES[config.profile]
        self._talk = Talk(self._commands, self._health, self._stop)
        self._present_since_s: float | None = None
        # Questions that the reader has not yet refused, see `Commands.presence`.
        self._questions = list(self._commands.presence)
        self._doubts = 0
        self._told_error = False

    def card_present(self) -> bool:
        """See `IdCardReader.card_present`."""
        return self._present_since_s is not None

    def _run(self) -> None:
        keep_open(self._open_line, self._session, health=self._health, stop=self._stop)

    def _session(self, line: Line) -> None:
        # Another reader may be plugged in now.
        self._questions = list(self._commands.presence)
        self._talk.begin()
        try:
            self._greet(line)
            while not self._stop.is_set():
                if self._present_since_s is None:
                    self._look(line)
                else:
                    self._watch(line)
                self._stop.wait(self._config.poll_ms / 1000)
        finally:
            self._talk.wipe()
            self._removed("lost")

    def _greet(self, line: Line) -> None:
        """Ask the security module for its state until it answers."""
        while not self._stop.is_set():
            answer = self._talk.ask(line, self._commands.status, SHORT_ANSWER_S)
            if answer is not None:
                self._judge(answer, fine=(OK,))
                return
            self._stop.wait(self._config.poll_ms / 1000)

    def _look(self, line: Line) -> None:
        """One search for a card; reads it when there is one."""
        answer = self._talk.ask(line, self._commands.find, SHORT_ANSWER_S)
        if answer is None:
            return
        self._judge(answer, fine=(FOUND, NOT_FOUND, 0x81, 0x34))
        if answer.status == FOUND:
            self._read(line)
        else:
            self._told_error = False

    def _read(self, line: Line) -> None:
        """Select and read the card that was found; a second try only while the reader finds it again."""
        reason = self._try_read(line)
        if reason is None:
            return
        again = self._talk.ask(line, self._commands.find, SHORT_ANSWER_S)
        still_lies = again is not None and again.status == FOUND
        if still_lies:
            reason = self._try_read(line)
        if reason is not None and not self._told_error:
            self._emit(CardError(reason))
        # What is found after it was gone is a card laid down anew, whose error is told again.
        self._told_error = reason is not None and still_lies

    def _try_read(self, line: Line) -> CardReason | None:
        """Returns why the card could not be read, or None after `CardPresent` was told."""
        selected = self._talk.ask(line, self._commands.select, SHORT_ANSWER_S)
        if selected is None or selected.status != OK:
            return "card.read_failed" if selected is None else self._why(selected.status)
        answer = self._talk.ask(line, self._commands.read, READ_ANSWER_S)
        if answer is None:
            return "card.read_failed"
        if answer.status != OK:
            return self._why(answer.status)
        try:
            card = read_text(_text_of(answer.data), self._key)
        except CardInvalid as error:
            log.warning("card refused", problem=str(error))
            return "card.data_invalid"
        finally:
            answer.wipe()
        self._present_since_s = time.monotonic()
        self._doubts, self._told_error = 0, False
        self._emit(CardPresent(card))
        return None

    def _why(self, status: int) -> CardReason:
        if status in _LEFT:
            return "card.moved"
        return _READ_ERRORS.get(status, "card.read_failed")

    def _watch(self, line: Line) -> None:
        """Learn whether the card that was read still lies there."""
        if not self._questions:
            self._watch_without_asking(line)
            return
        answer = self._talk.ask(line, self._questions[0], SHORT_ANSWER_S)
        if answer is None:
            if self._talk.is_silent:
                self._removed("lost")
            return
        status = answer.status
        answer.wipe()
        if status == UNKNOWN_COMMAND:
            refused = self._questions.pop(0)
            log.info("reader does not know a question", peripheral=self.name, code=refused.hex(), left=len(self._questions))
        elif status in (OK, NO_CONTENT):
            self._doubts = 0
        else:
            self._doubts += 1
            if self._doubts >= GONE_AFTER:
                self._removed("asked")

    def _watch_without_asking(self, line: Line) -> None:
        answer = self._talk.ask(line, self._commands.find, SHORT_ANSWER_S)
        if answer is not None and answer.status == FOUND:
            self._removed("another")
            self._read(line)
            return
        since_s = self._present_since_s
        if since_s is not None and time.monotonic() - since_s > self._config.presume_removed_s:
            self._removed("presumed")

    def _removed(self, evidence: Literal["asked", "another", "presumed", "lost"]) -> None:
        if self._present_since_s is not None:
            self._present_since_s = None
            self._emit(CardRemoved(evidence))

    def _judge(self, answer: Answer, *, fine: tuple[int, ...]) -> None:
        """Health as this answer shows it."""
        code = f"{answer.status:02X}"
        if answer.status in fine:
            self._health.set("hal.ok")
        elif answer.status in _UNHEALTHY:
            self._health.set(_UNHEALTHY[answer.status])
        elif answer.status in (0x60, 0x61):
            self._health.set("id_card.self_test", code=code)
        elif answer.status == UNKNOWN_COMMAND:
            self._health.set("id_card.refused", code=code)


def _text_of(data: bytearray) -> memoryview:
    """The text within the answer to a read command; the photo behind it is overwritten at once, never decoded.

    Raises:
        CardInvalid: the lengths told in the answer do not fit it.
    """
    text_bytes = int.from_bytes(data[0:2], "big")
    photo_bytes = int.from_bytes(data[2:4], "big")
    data[4 + TEXT_BYTES :] = bytes(max(0, len(data) - 4 - TEXT_BYTES))
    if text_bytes != TEXT_BYTES or len(data) != 4 + text_bytes + photo_bytes:
        raise CardInvalid(f"the answer has {len(data)} bytes for {text_bytes} of text and {photo_bytes} of photo")
    return memoryview(data)[4 : 4 + TEXT_BYTES]
