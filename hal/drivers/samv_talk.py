"""A conversation with a SAM-V reader: one question, its own answer within a deadline, and back in step after trouble."""

from __future__ import annotations

import threading
import time

from hal.drivers.line import Line, LineSlow
from hal.drivers.samv import FOUND, OK, Answer, Commands, Parser, command
from hal.health import HealthRecord

SHORT_ANSWER_S = 1.0
READ_ANSWER_S = 5.0
SILENT_AFTER = 2
"""Unanswered commands until the reader counts as silent."""
QUIET_S = 0.2
"""Silence after which a damaged answer counts as over; also within an answer that has begun."""
READ_QUIET_S = 2.2
"""The same while a card is read: the reader is silent for one to two seconds, and noise may come before that."""
SETTLED_S = 0.05
"""Silence after which no late answer is on its way."""
NOT_FOUND = 0x80


class Talk:
    """Asks on one line after the other; tells `health` when nothing, or only damage, comes back. Not thread-safe."""

    def __init__(self, commands: Commands, health: HealthRecord, stop: threading.Event) -> None:
        self._commands = commands
        self._health = health
        self._stop = stop
        self._parser = Parser()
        self._buffer = bytearray(2048)
        self._unanswered = 0
        # An answer is outstanding that may come late, and must not be taken for another command's.
        self._out_of_step = True

    @property
    def is_silent(self) -> bool:
        """Whether several commands in a row were not answered."""
        return self._unanswered >= SILENT_AFTER

    def begin(self) -> None:
        """A port was opened: what is on it now is not known."""
        self._out_of_step = True

    def wipe(self) -> None:
        """Overwrite an answer that has begun."""
        self._parser.wipe()

    def ask(self, line: Line, code: bytes, timeout_s: float) -> Answer | None:
        """Send one command and wait for its answer; None on silence, or when only damaged answers came."""
        if self._out_of_step and not self._catch_up(line):
            return None
        answer = self._exchange(line, code, timeout_s)
        finds = code == self._commands.find
        if answer is not None and answer.status in ((OK,) if finds else (FOUND, NOT_FOUND)):
            # This answers another command: one came too late, or twice.
            answer.wipe()
            self._out_of_step = True
            return None
        return answer

    def _catch_up(self, line: Line) -> bool:
        """After an answer failed to come in time: let it come and pass. Answers keep their order, so whatever comes before
        the state that is asked for now belongs to the past; a late card must never be taken for the one that lies there."""
        settled_s = SETTLED_S
        for _ in range(3):
            answer = self._exchange(line, self._commands.status, SHORT_ANSWER_S)
            if answer is None:
                return False
            is_late = bool(answer.data) or answer.status in (FOUND, NOT_FOUND)
            answer.wipe()
            if not is_late:
                line.drain(settled_s)
                self._out_of_step = False
                return True
            settled_s = SHORT_ANSWER_S
        return False

    def _exchange(self, line: Line, code: bytes, timeout_s: float) -> Answer | None:
        """Send one command and give the last answer that came within its time; None on silence or damage."""
        line.drain()
        self._parser.wipe()
        damaged = self._parser.damaged
        try:
            line.write(command(code), SHORT_ANSWER_S)
        except LineSlow:
            self._note_silence(line, damaged=False)
            return None
        quiet_s = QUIET_S if timeout_s <= SHORT_ANSWER_S else READ_QUIET_S
        end_s = time.monotonic() + timeout_s
        while not self._stop.is_set() and (left_s := end_s - time.monotonic()) > 0:
            count = line.read_into(self._buffer, min(left_s, QUIET_S if self._parser.is_inside() else quiet_s))
            answers = self._parser.feed(memoryview(self._buffer)[:count])
            self._buffer[:count] = bytes(count)
            if answers:
                self._unanswered = 0
                for answer in answers[:-1]:
                    answer.wipe()
                return answers[-1]
            if count == 0 and (self._parser.damaged > damaged or self._parser.is_inside()):
                # The answer came damaged and nothing follows; it will not come again.
                break
        is_damaged = self._parser.damaged > damaged or self._parser.is_inside()
        self._parser.wipe()
        self._out_of_step = True
        if not self._stop.is_set():
            self._note_silence(line, damaged=is_damaged)
        return None

    def _note_silence(self, line: Line, *, damaged: bool) -> None:
        self._unanswered += 1
        if damaged and self._unanswered >= SILENT_AFTER:
            self._health.set("id_card.garbled")
        elif self._unanswered == SILENT_AFTER:
            line.explain_silence(self._health, "id_card.silent")
