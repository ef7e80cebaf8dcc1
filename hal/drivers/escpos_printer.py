"""Receipt printer: ESC/POS over a serial port, with an outcome for every job that agrees with the paper.

How it is known that paper came out: see `escpos_fences`. When the printer stops in the middle of a job it is told to drop
the rest, so that half a ticket does not come out an hour later; only its confirmation makes that "not printed", else, or when
the line was noisy, the outcome is "unknown".
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Literal

import msgspec
import structlog
from msgspec.structs import replace

from hal.api import Health, HealthListener, Job, Outcome, OutcomeListener, PrinterStatus
from hal.config import PrinterConfig
from hal.drivers import escpos, escpos_status
from hal.drivers.escpos_fences import ASK_MAKER, ASK_MODEL, Fences, Names
from hal.drivers.escpos_jobs import Jobs, Taken
from hal.drivers.escpos_status import AutoStatus, Cleared, Identity, RealTime, Said
from hal.drivers.line import Line, LineDown, LineSlow, keep_open
from hal.health import HealthRecord
from hal.paper import Cut, Rasterise

IDLE_S = 0.05
CHUNK = 512
SILENT = PrinterStatus(answered=False)

log = structlog.get_logger("hal")


class Timing(msgspec.Struct, frozen=True):
    """How long the printer is waited for, in seconds.

    `answer_s` for one status byte, `clear_s` for the confirmation that it dropped a job, `proof_s` for the last fence,
    `look_again_s` without a word from it while it prints until it is asked for its status.
    """

    answer_s: float = 0.3
    clear_s: float = 1.5
    proof_s: float = 3.0
    look_again_s: float = 0.7


class EscposPrinter:
    """`hal.api.ReceiptPrinter` for ESC/POS printers."""

    name = "printer"

    def __init__(
        self,
        config: PrinterConfig,
        *,
        rasterise: Rasterise | None,
        on_health: HealthListener,
        timing: Timing | None = None,
    ) -> None:
        self._config = config
        self._timing = timing or Timing()
        self._profile = escpos.PROFILES[config.profile]
        self._rasterise = rasterise
        self._health = HealthRecord(self.name, on_health)
        self._jobs = Jobs()
        self._stop = threading.Event()
        self._parser = escpos_status.Parser()
        self._buffer = bytearray(1024)
        self._status = SILENT
        self._real_time: list[int] = []
        self._names: Names | None = None
        self._names_asked = False
        self._identity = ""
        self._fences = Fences(None)
        self._cleared = False
        # Paper of an earlier job that was not cut hangs out of the printer; it must not become part of the next ticket.
        self._hanging = False
        self._sent = False
        self._thread = threading.Thread(target=self._run, name="hal-printer", daemon=True)

    @property
    def columns(self) -> int:
        """See `ReceiptPrinter.columns`."""
        return self._profile.columns

    @property
    def width_dots(self) -> int:
        """See `ReceiptPrinter.width_dots`."""
        return self._profile.width_dots

    def start(self) -> None:
        """See `Peripheral.start`."""
        self._thread.start()

    def health(self) -> Health:
        """See `Peripheral.health`."""
        return self._health.get()

    def status(self) -> PrinterStatus:
        """See `ReceiptPrinter.status`."""
        return self._status

    def submit(self, job: Job, on_outcome: OutcomeListener) -> None:
        """See `ReceiptPrinter.submit`."""
        self._jobs.submit(job, on_outcome, deadline_at_s=time.monotonic() + job.deadline_s)

    def close(self) -> None:
        """See `Peripheral.close`."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2)
        self._health.set("hal.stopped")

    def _run(self) -> None:
        keep_open(
            self._config.port,
            self._config.baud,
            self._session,
            health=self._health,
            stop=self._stop,
            pause=self._without_port,
        )
        self._refuse_waiting("job.stopped")

    def _without_port(self, wait_s: float) -> None:
        """Wait for the next try to open the port; jobs that come meanwhile are refused at once."""
        self._status = SILENT
        end_s = time.monotonic() + wait_s
        while not self._stop.is_set() and time.monotonic() < end_s:
            self._refuse_waiting(self._health.get().reason)
            self._stop.wait(IDLE_S)

    def _refuse_waiting(self, reason: str) -> None:
        while (taken := self._jobs.next()) is not None:
            self._jobs.done(Outcome(taken.job.id, "not_printed", reason, self._status, self._status))

    def _session(self, line: Line) -> None:
        self._parser = escpos_status.Parser()
        self._names, self._names_asked = None, False
        line.write(escpos.AUTO_STATUS, self._timing.answer_s)
        look_at_s = 0.0
        while not self._stop.is_set():
            if time.monotonic() >= look_at_s:
                self._look(line)
                look_at_s = time.monotonic() + self._config.poll_s
            elif self._pump(line, IDLE_S):
                self._tell_health()
            taken = self._jobs.next()
            if taken is not None:
                self._take_turn(line, taken)
                self._tell_health()

    def _take_turn(self, line: Line, taken: Taken) -> None:
        """Print one job and tell its outcome, whatever happens."""
        self._sent = False
        try:
            self._jobs.done(self._print(line, taken.job, taken.deadline_at_s))
        except Exception as error:
            reason = error.reason if isinstance(error, LineDown) else "hal.driver_failed"
            result: Literal["unknown", "not_printed"] = "unknown" if self._sent else "not_printed"
            self._hanging = self._hanging or self._sent
            self._jobs.done(Outcome(taken.job.id, result, reason, self._status, SILENT, detail=str(error)))
            raise

    def _look(self, line: Line) -> None:
        self._status = self._ask(line)
        if self._status.cutter_error:
            # The printer stays in this error after its cause is gone, until it is told to recover.
            self._clear(line)
            self._status = self._ask(line)
        if not self._names_asked and escpos_status.trouble(self._status) is None:
            self._learn_names(line)
        self._tell_health()

    def _tell_health(self) -> None:
        if not self._profile.answers:
            self._health.set("printer.no_status")
        else:
            self._health.set(escpos_status.health_of(self._status))

    def _pump(self, line: Line, wait_s: float) -> bool:
        """Take in what the printer says within `wait_s`; returns whether it said anything."""
        count = line.read_into(self._buffer, wait_s)
        for said in self._parser.feed(memoryview(self._buffer)[:count]):
            self._heard(said)
        return count > 0

    def _heard(self, said: Said) -> None:
        self._fences.heard(said)
        match said:
            case RealTime(value=value):
                self._real_time.append(value)
            case AutoStatus(value=value):
                self._status = escpos_status.from_auto(value)
            case Cleared():
                self._cleared = True
            case Identity(name=name):
                self._identity = name
            case _:
                pass

    def _learn_names(self, line: Line) -> None:
        """Ask the printer once for its names; one that is silent to this is asked for its paper instead."""
        self._names_asked = True
        names = Names(self._name(line, ASK_MODEL), self._name(line, ASK_MAKER))
        self._names = names if names.are_usable() else None

    def _name(self, line: Line, question: bytes) -> str:
        self._identity = ""
        try:
            line.write(question, self._timing.answer_s)
        except LineSlow:
            return ""
        self._listen(line, lambda: bool(self._identity), 2 * self._timing.answer_s)
        return self._identity

    def _listen(self, line: Line, until: Callable[[], bool], for_s: float) -> None:
        """Take in what the printer says until `until()` or for `for_s` seconds."""
        end_s = time.monotonic() + for_s
        while not until() and time.monotonic() < end_s and not self._stop.is_set():
            self._pump(line, min(IDLE_S, for_s))

    def _ask(self, line: Line) -> PrinterStatus:
        """Ask for the four status bytes, twice if need be; `answered` False when the printer stays silent."""
        if not self._profile.answers:
            return SILENT
        status = SILENT
        for _ in range(2):
            answers = []
            while self._pump(line, 0):
                pass
            for number in (1, 2, 3, 4):
                value = self._ask_one(line, number)
                if value is None:
                    break
                answers.append(value)
            else:
                status = escpos_status.from_real_time(answers)
                # Offline without a cause mostly means that the state changed between the four answers.
                if escpos_status.trouble(status) != "printer.offline":
                    return status
        return status

    def _ask_one(self, line: Line, number: int) -> int | None:
        self._real_time.clear()
        end_s = time.monotonic() + self._timing.answer_s
        try:
            line.write(escpos.STATUS + bytes([number]), self._timing.answer_s)
        except LineSlow:
            return None
        while not self._real_time:
            if time.monotonic() >= end_s:
                return None
            self._pump(line, end_s - time.monotonic())
        return self._real_time[0]

    def _print(self, line: Line, job: Job, deadline_at_s: float) -> Outcome:
        """Print one job; what it returns is what is known to be on the paper."""
        fences = Fences(self._names)
        try:
            blocks = (Cut(), *job.blocks) if self._hanging else job.blocks
            encoded = escpos.encode(blocks, self._profile, self._rasterise, fences)
        except escpos.JobInvalid as error:
            return Outcome(job.id, "not_printed", error.reason, self._status, self._status, detail=str(error))
        except Exception as error:
            # The font is the caller's code; its mistake concerns this job and not the printer.
            log.exception("a job could not be encoded", job=job.id)
            return Outcome(job.id, "not_printed", "job.invalid", self._status, self._status, detail=repr(error))
        if time.monotonic() >= deadline_at_s:
            return Outcome(job.id, "not_printed", "job.deadline", self._status, self._status)
        self._look(line)
        before = self._status
        reason = escpos_status.trouble(before) if self._profile.answers else None
        if reason is not None:
            return Outcome(job.id, "not_printed", reason, before, before)
        self._fences, self._sent = fences, True
        outcome = self._send_and_watch(line, job, encoded, before, deadline_at_s)
        self._hanging = not outcome.cut
        return outcome

    def _send_and_watch(
        self, line: Line, job: Job, encoded: escpos.Encoded, before: PrinterStatus, deadline_at_s: float
    ) -> Outcome:
        dropped = self._parser.dropped
        reason = self._send(line, encoded.data, deadline_at_s)
        outcome = Outcome(job.id, "unknown", "printer.no_status", before, SILENT, paper_mm=encoded.paper_mm)
        if not self._profile.answers:
            return outcome
        if reason is None:
            reason = self._await_end(line, deadline_at_s)
        if reason is not None:
            outcome = self._give_up(line, outcome, reason, dropped)
        if self._fences.end:
            return replace(outcome, result="printed", reason="hal.ok", after=self._status, cut=encoded.cuts)
        return outcome

    def _send(self, line: Line, data: bytes, deadline_at_s: float) -> str | None:
        """Send in pieces and listen in between, so that sending ends soon after the printer stops; returns why."""
        for at in range(0, len(data), CHUNK):
            piece = memoryview(data)[at : at + CHUNK]
            while piece:
                if self._stop.is_set() or time.monotonic() >= deadline_at_s:
                    return "job.stopped" if self._stop.is_set() else "job.deadline"
                try:
                    line.write(bytes(piece), self._timing.look_again_s)
                    piece = piece[len(piece) :]
                except LineSlow as slow:
                    piece = piece[slow.sent :]
            while self._pump(line, 0):
                pass
            reason = self._confirmed_trouble(line)
            if reason is not None:
                return reason
        return None

    def _confirmed_trouble(self, line: Line) -> str | None:
        """What the printer's last words say is wrong, if it says so again when asked; stray bytes may look like it."""
        if not self._profile.answers or escpos_status.trouble(self._status) is None:
            return None
        self._status = self._ask(line)
        return escpos_status.trouble(self._status)

    def _await_end(self, line: Line, deadline_at_s: float) -> str | None:
        """Wait until the printer has worked through the job; returns None, or what keeps it from that."""
        quiet_since_s = time.monotonic()
        while not self._fences.end:
            if self._stop.is_set():
                return "job.stopped"
            if time.monotonic() >= deadline_at_s:
                return "job.deadline"
            if self._fences.proof_wanted:
                self._fences.proof_wanted = False
                self._ask_end(line)
            if self._pump(line, IDLE_S):
                quiet_since_s = time.monotonic()
            elif time.monotonic() - quiet_since_s > self._timing.look_again_s:
                self._status = self._ask(line)
                quiet_since_s = time.monotonic()
            reason = self._confirmed_trouble(line)
            # A hot head cools and goes on by itself; everything else needs a person, who may not come.
            if reason is not None and reason != "printer.head_hot":
                return reason
        return None

    def _ask_end(self, line: Line) -> None:
        # One that does not take this question is found silent by whoever waits for its answer.
        with contextlib.suppress(LineSlow):
            line.write(self._fences.ask_end, self._timing.answer_s)

    def _give_up(self, line: Line, outcome: Outcome, reason: str, dropped: int) -> Outcome:
        """Stop a job that does not get on, find out how far it came, and say only what the printer confirmed."""
        if reason.startswith("job."):
            self._status = self._ask(line)
        sure = True
        if reason == "job.deadline" and escpos_status.trouble(self._status) is None:
            # It works, so either it is slow or its answers were damaged on the way: it may answer once more.
            sure = False
            if self._fences.can_ask_again:
                self._ask_end(line)
                self._listen(line, lambda: self._fences.end, self._timing.proof_s)
        if self._fences.end:
            return outcome
        self._clear(line)
        if self._status.answered:
            self._status = self._ask(line)
        outcome = replace(outcome, reason=escpos_status.trouble(self._status) or reason, after=self._status)
        if self._fences.content:
            return replace(outcome, result="printed")
        if self._cleared and sure and self._parser.dropped == dropped:
            return replace(outcome, result="not_printed", partial=True)
        return outcome

    def _clear(self, line: Line) -> None:
        """Make the printer drop what it has not printed; `_cleared` tells whether it confirmed."""
        line.drop_unsent()
        self._cleared = False
        try:
            line.write(escpos.DROP_REST, self._timing.answer_s)
        except LineSlow:
            return
        # A printer that is silent anyway is told, in case it still hears, but not waited for.
        self._listen(line, lambda: self._cleared, self._timing.clear_s if self._status.answered else 0)
