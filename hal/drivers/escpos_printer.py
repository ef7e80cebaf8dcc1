"""Receipt printer: ESC/POS over a serial port, with an outcome for every job that agrees with the paper.

How it is known that paper came out: see `escpos_fences`. When the printer stops in the middle of a job it is told to drop
the rest, so that half a ticket does not come out an hour later; only its confirmation makes that "not printed", else, or when
the line was noisy, the outcome is "unknown".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
import structlog
from msgspec.structs import replace

from hal.api import Health, HealthListener, Job, Outcome, OutcomeListener, PrinterStatus
from hal.config import Baud
from hal.drivers import escpos, escpos_status
from hal.drivers.escpos_fences import ASK_MODEL, Fences
from hal.drivers.escpos_jobs import Jobs, Taken
from hal.drivers.escpos_profiles import PROFILES
from hal.drivers.escpos_talk import IDLE_S, SILENT, Talk, Timing
from hal.drivers.line import Line, LineDown, keep_open
from hal.health import HealthRecord
from hal.paper import Cut, Rasterise
from hal.tools import Tools

CHUNK = 512

log = structlog.get_logger("hal")


class Config(msgspec.Struct, frozen=True):
    """Receipt printer: ESC/POS over a serial port (also a USB printer that shows itself as a serial port).

    `expect` pins the section to one physical printer: part of what `nw-hal probe` tells of it. `poll_s` how often its
    status is asked for.
    """

    port: str = ""
    baud: Baud = 115200
    expect: str = ""
    profile: Literal["generic80", "generic58", "silent80", "silent58"] = "generic80"
    poll_s: Annotated[float, msgspec.Meta(ge=0.05, le=60)] = 2.0


SPEEDS = (115200, 9600)


def probe(line: Line) -> str | None:
    """See `hal.registry.DRIVERS`: the model's name and what it says of itself; nothing is printed."""
    answers = []
    for number in (1, 2, 3, 4):
        said = escpos_status.Parser().feed(line.ask(escpos.STATUS + bytes([number])))
        values = [one.value for one in said if isinstance(one, escpos_status.RealTime)]
        if not values:
            return None
        answers.append(values[-1])
    health = escpos_status.health_of(escpos_status.from_real_time(answers))
    said = escpos_status.Parser().feed(line.ask(ASK_MODEL))
    name = next((one.name for one in said if isinstance(one, escpos_status.Identity)), "no name")
    return f"ESC/POS {name}, {health}"


def open_driver(name: str, config: Config, tools: Tools) -> EscposPrinter:
    """See `hal.registry.DRIVERS`."""
    open_line = tools.ports.opener(config.port, config.baud, __name__, expect=config.expect)
    return EscposPrinter(name, config, open_line, rasterise=tools.rasterise, on_health=tools.on_health)


class EscposPrinter:
    """`hal.api.ReceiptPrinter` for ESC/POS printers."""

    def __init__(
        self,
        name: str,
        config: Config,
        open_line: Callable[[], Line],
        *,
        rasterise: Rasterise | None,
        on_health: HealthListener,
        timing: Timing | None = None,
    ) -> None:
        self.name = name
        self._config = config
        self._open_line = open_line
        self._timing = timing or Timing()
        self._profile = PROFILES[config.profile]
        self._rasterise = rasterise
        self._health = HealthRecord(self.name, on_health)
        self._jobs = Jobs()
        self._stop = threading.Event()
        self._talk: Talk | None = None
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
        talk = self._talk
        return SILENT if talk is None else talk.status

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
            self._open_line,
            self._session,
            health=self._health,
            stop=self._stop,
            pause=self._without_port,
        )
        self._refuse_waiting("job.stopped")

    def _without_port(self, wait_s: float) -> None:
        """Wait for the next try to open the port; jobs that come meanwhile are refused at once."""
        self._talk = None
        end_s = time.monotonic() + wait_s
        while not self._stop.is_set() and time.monotonic() < end_s:
            self._refuse_waiting(self._health.get().reason)
            self._stop.wait(IDLE_S)

    def _refuse_waiting(self, reason: str) -> None:
        while (taken := self._jobs.next()) is not None:
            self._jobs.done(Outcome(taken.job.id, "not_printed", reason, self.status(), self.status()))

    def _session(self, line: Line) -> None:
        talk = Talk(line, timing=self._timing, answers=(self._profile.tells != "nothing"), stop=self._stop)
        self._talk = talk
        talk.begin()
        look_at_s = 0.0
        while not self._stop.is_set():
            if time.monotonic() >= look_at_s:
                self._look(talk)
                look_at_s = time.monotonic() + self._config.poll_s
            elif talk.pump(IDLE_S):
                self._tell_health(talk)
            taken = self._jobs.next()
            if taken is not None:
                self._take_turn(talk, taken)
                self._tell_health(talk)

    def _look(self, talk: Talk) -> None:
        if talk.ask().cutter_error:
            # The printer stays in this error after its cause is gone, until it is told to recover.
            talk.clear()
            talk.ask()
        if not talk.names_asked and escpos_status.trouble(talk.status) is None:
            talk.learn_names()
        self._tell_health(talk)

    def _tell_health(self, talk: Talk) -> None:
        if self._profile.tells == "nothing":
            self._health.set("printer.no_status")
        else:
            self._health.set(escpos_status.health_of(talk.status))

    def _take_turn(self, talk: Talk, taken: Taken) -> None:
        """Print one job and tell its outcome, whatever happens."""
        self._sent = False
        try:
            self._jobs.done(self._print(talk, taken.job, taken.deadline_at_s))
        except Exception as error:
            reason = error.reason if isinstance(error, LineDown) else "hal.driver_failed"
            result: Literal["unknown", "not_printed"] = "unknown" if self._sent else "not_printed"
            self._hanging = self._hanging or self._sent
            self._jobs.done(Outcome(taken.job.id, result, reason, talk.status, SILENT, detail=str(error)))
            raise

    def _print(self, talk: Talk, job: Job, deadline_at_s: float) -> Outcome:
        """Print one job; what it returns is what is known to be on the paper."""
        refused = Outcome(job.id, "not_printed", "job.invalid", talk.status, talk.status)
        fences = Fences(talk.names)
        try:
            blocks = (Cut(), *job.blocks) if self._hanging else job.blocks
            encoded = escpos.encode(blocks, self._profile, self._rasterise, fences)
        except escpos.JobInvalid as error:
            return replace(refused, reason=error.reason, detail=str(error))
        except Exception as error:
            # The font is the caller's code; its mistake concerns this job and not the printer.
            log.exception("a job could not be encoded", job=job.id)
            return replace(refused, detail=repr(error))
        if time.monotonic() >= deadline_at_s:
            return replace(refused, reason="job.deadline")
        self._look(talk)
        reason = escpos_status.trouble(talk.status) if (self._profile.tells != "nothing") else None
        if reason is not None:
            return replace(refused, reason=reason, before=talk.status, after=talk.status)
        talk.fences, self._sent = fences, True
        outcome = self._send_and_watch(talk, job.id, encoded, deadline_at_s)
        self._hanging = not outcome.cut
        return outcome

    def _send_and_watch(self, talk: Talk, job_id: str, encoded: escpos.Encoded, deadline_at_s: float) -> Outcome:
        outcome = Outcome(job_id, "unknown", "printer.no_status", talk.status, SILENT, paper_mm=encoded.paper_mm)
        dropped = talk.parser.dropped
        reason = self._send(talk, encoded.data, deadline_at_s)
        if self._profile.tells == "nothing":
            return outcome
        reason = reason or self._await_end(talk, deadline_at_s)
        if reason is not None:
            outcome = self._give_up(talk, outcome, reason, dropped)
        if talk.fences.end:
            return replace(outcome, result="printed", reason="hal.ok", after=talk.status, cut=encoded.cuts)
        return outcome

    def _over(self, deadline_at_s: float) -> str | None:
        if self._stop.is_set():
            return "job.stopped"
        return "job.deadline" if time.monotonic() >= deadline_at_s else None

    def _send(self, talk: Talk, data: bytes, deadline_at_s: float) -> str | None:
        """Send in pieces and listen in between, so that sending ends soon after the printer stops; returns why."""
        at = 0
        while at < len(data):
            reason = self._over(deadline_at_s)
            if reason is None:
                at += talk.send(memoryview(data)[at : at + CHUNK])
                while talk.pump(0):
                    pass
                reason = talk.stopped_by()
            if reason is not None:
                return reason
        return None

    def _await_end(self, talk: Talk, deadline_at_s: float) -> str | None:
        """Wait until the printer has worked through the job; returns None, or what keeps it from that."""
        quiet_since_s = time.monotonic()
        while not talk.fences.end:
            if talk.fences.proof_wanted:
                talk.fences.proof_wanted = False
                talk.ask_end()
            if talk.pump(IDLE_S):
                quiet_since_s = time.monotonic()
            elif time.monotonic() - quiet_since_s > self._timing.look_again_s:
                talk.ask()
                quiet_since_s = time.monotonic()
            reason = talk.stopped_by() or self._over(deadline_at_s)
            if reason is not None:
                return reason
        return None

    def _give_up(self, talk: Talk, outcome: Outcome, reason: str, dropped: int) -> Outcome:
        """Stop a job that does not get on, find out how far it came, and say only what the printer confirmed."""
        if reason.startswith("job."):
            talk.ask()
        sure = True
        if reason == "job.deadline" and escpos_status.trouble(talk.status) is None:
            # It works, so either it is slow or its answers were damaged on the way: it may answer once more.
            sure = False
            if talk.fences.can_ask_again:
                talk.ask_end()
                talk.listen(lambda: talk.fences.end, self._timing.proof_s)
        if talk.fences.end:
            return outcome
        talk.clear()
        if talk.status.answered:
            talk.ask()
        outcome = replace(outcome, reason=escpos_status.trouble(talk.status) or reason, after=talk.status)
        if talk.fences.content:
            return replace(outcome, result="printed")
        if talk.cleared and sure and talk.parser.dropped == dropped:
            return replace(outcome, result="not_printed", partial=True)
        return outcome
