"""The conversation with an ESC/POS printer on an open port: asking, listening, and remembering what it said."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

import msgspec

from hal.api import PrinterStatus
from hal.drivers import escpos, escpos_status
from hal.drivers.escpos_fences import ASK_MAKER, ASK_MODEL, Fences, Names
from hal.drivers.escpos_profiles import Profile
from hal.drivers.escpos_status import AutoStatus, Cleared, Identity, RealTime, Said
from hal.drivers.line import Line, LineSlow

IDLE_S = 0.05
QUIET_S = 0.1
"""So long without a byte, and nothing is on its way any more."""
SILENT = PrinterStatus(answered=False)


class Timing(msgspec.Struct, frozen=True):
    """How long the printer is waited for, in seconds.

    `answer_s` for one status byte, `clear_s` for the confirmation that it dropped a job, `proof_s` for the last fence,
    `look_again_s` without a word from it while it prints until it is asked for its status.
    """

    answer_s: float = 0.3
    clear_s: float = 1.5
    proof_s: float = 3.0
    look_again_s: float = 0.7


class Talk:
    """One session on one port. A printer that `tells` nothing is not asked; one that only tells its status has no names.

    `status` is the last that the printer told, `fences` how far it came with the present job, `names` what it answers to
    GS I (None: nothing usable), `cleared` whether it confirmed to have dropped a job, `parser.dropped` counts noise.
    """

    def __init__(self, line: Line, *, timing: Timing, profile: Profile, stop: threading.Event) -> None:
        self._line = line
        self._timing = timing
        self._profile = profile
        self._answers = profile.tells != "nothing"
        self._stop = stop
        self._buffer = bytearray(1024)
        self._real_time: list[int] = []
        self._owed = False
        self._identity = ""
        self.parser = escpos_status.Parser()
        self.status = SILENT
        self.fences = Fences(None)
        self.names: Names | None = None
        self.names_asked = profile.tells != "all"
        self.cleared = False

    def begin(self) -> None:
        """Switch automatic status on."""
        if self._profile.tells != "all":
            return
        # A printer that takes no bytes is found silent when it is asked.
        with contextlib.suppress(LineSlow):
            self._line.write(escpos.AUTO_STATUS, self._timing.answer_s)

    def send(self, data: memoryview) -> int:
        """Send what the printer takes within `look_again_s`; returns how many bytes."""
        try:
            self._line.write(bytes(data), self._timing.look_again_s)
        except LineSlow as slow:
            return slow.sent
        return len(data)

    def pump(self, wait_s: float) -> bool:
        """Take in what the printer says within `wait_s`; returns whether it said anything."""
        count = self._line.read_into(self._buffer, wait_s)
        for said in self.parser.feed(memoryview(self._buffer)[:count]):
            self._heard(said)
        return count > 0

    def _heard(self, said: Said) -> None:
        self.fences.heard(said)
        match said:
            case RealTime(value=value):
                self._real_time.append(value)
            case AutoStatus(value=value):
                self.status = escpos_status.from_auto(value, self._profile.near_end)
            case Cleared():
                self.cleared = True
            case Identity(name=name):
                self._identity = name
            case _:
                pass

    def listen(self, until: Callable[[], bool], for_s: float) -> None:
        """Take in what the printer says until `until()` or for `for_s` seconds."""
        end_s = time.monotonic() + for_s
        while not until() and time.monotonic() < end_s and not self._stop.is_set():
            self.pump(min(IDLE_S, for_s))

    def ask(self) -> PrinterStatus:
        """Ask for the four status bytes, twice if need be; afterwards `status` is what was told, or silence."""
        self.status = self._asked() if self._answers else SILENT
        return self.status

    def _asked(self) -> PrinterStatus:
        status = SILENT
        for _ in range(2):
            answers = []
            self._hear_out()
            for number in (1, 2, 3, 4):
                value = self._ask_one(number)
                if value is None:
                    break
                answers.append(value)
            else:
                status = escpos_status.from_real_time(answers, self._profile.near_end)
                # Offline without a cause mostly means that the state changed between the four answers.
                if escpos_status.trouble(status) != "printer.offline":
                    return status
                self._owed = True
        return status

    def _hear_out(self) -> None:
        """Let pass what was said before. An answer that is late would be taken for the next one, and all others shifted."""
        end_s = time.monotonic() + 2 * self._timing.answer_s
        while self.pump(QUIET_S if self._owed else 0) and time.monotonic() < end_s:
            pass
        self._owed = False

    def _ask_one(self, number: int) -> int | None:
        self._real_time.clear()
        end_s = time.monotonic() + self._timing.answer_s
        try:
            self._line.write(escpos.STATUS + bytes([number]), self._timing.answer_s)
        except LineSlow:
            return None
        while not self._real_time:
            if time.monotonic() >= end_s:
                self._owed = True
                return None
            self.pump(end_s - time.monotonic())
        return self._real_time[0]

    def stopped_by(self) -> str | None:
        """Why the printer has stopped, if it says so again when asked, because stray bytes may look like it; else None."""
        if not self._answers or escpos_status.trouble(self.status) is None:
            return None
        reason = escpos_status.trouble(self.ask())
        # A hot head cools and goes on by itself; everything else needs a person, who may not come.
        return None if reason == "printer.head_hot" else reason

    def learn_names(self) -> None:
        """Ask the printer once for its names; one that is silent to this is asked for its paper instead."""
        self.names_asked = True
        names = Names(self._name(ASK_MODEL), self._name(ASK_MAKER))
        self.names = names if names.are_usable() else None

    def _name(self, question: bytes) -> str:
        self._identity = ""
        try:
            self._line.write(question, self._timing.answer_s)
        except LineSlow:
            return ""
        self.listen(lambda: bool(self._identity), 2 * self._timing.answer_s)
        return self._identity

    def ask_end(self) -> None:
        """Ask the end question of the present job once more."""
        # One that does not take this question is found silent by whoever waits for its answer.
        with contextlib.suppress(LineSlow):
            self._line.write(self.fences.ask_end, self._timing.answer_s)

    def clear(self) -> None:
        """Make the printer drop what it has not printed; `cleared` tells whether it confirmed."""
        self._line.drop_unsent()
        self.cleared = False
        try:
            self._line.write(escpos.DROP_REST, self._timing.answer_s)
        except LineSlow:
            return
        # A printer that is silent anyway, or never confirms, is told in case it hears, but not waited for.
        confirms = self.status.answered and self._profile.tells == "all"
        self.listen(lambda: self.cleared, self._timing.clear_s if confirms else 0)

    def dial_again(self) -> None:
        """Begin anew with a printer that has gone silent, where its end may have forgotten this connection."""
        self._line.redial()
        self.begin()
