"""Receipt printer: ESC/POS over serial, USB or the network, with an outcome for every job that agrees with the paper.

What a model can do is in `escpos_profiles`, how one job is printed in `escpos_print`, what outlives a restart in `escpos_memory`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import structlog
from msgspec.structs import replace

from hal.api import HealthListener, Job, Outcome, OutcomeListener, PaperRoll, PrinterStatus
from hal.config import Baud
from hal.drivers import escpos, escpos_status, line_any
from hal.drivers.escpos_fences import ASK_MODEL, Fences
from hal.drivers.escpos_memory import Memory
from hal.drivers.escpos_print import Watched
from hal.drivers.escpos_profiles import PROFILES, Profile, ProfileName
from hal.drivers.escpos_talk import IDLE_S, SILENT, Talk, Timing
from hal.drivers.line import Line, LineDown, keep_open
from hal.drivers.line_usb import UsbRoots
from hal.drivers.own_thread import OwnThread
from hal.drivers.print_jobs import Jobs, Taken
from hal.paper import Cut, Rasterise
from hal.tools import Tools

REDIAL_AFTER = 3
"""So many times in a row a printer may leave all questions unanswered before its connection is made anew."""

log = structlog.get_logger("hal")


class Config(msgspec.Struct, frozen=True):
    """Receipt printer: ESC/POS over a serial port, `usb:VID:PID[:SERIAL]` (kernel driver usblp) or `tcp:ADDRESS:9100`.

    `baud` concerns serial ports alone. `expect` pins the section to one physical printer: part of what `nw-hal probe` tells of
    it. `near_end` and `cutter` say otherwise than the profile. `roll_m` is the length of a new roll and `near_end_m` what is
    left of it when the sensor tells the end, in metres, 0 = not known; from them it is told how many tickets are left.
    `poll_s` how often the printer's status is asked for.
    """

    port: str = ""
    baud: Baud = 115200
    expect: str = ""
    profile: ProfileName = "generic80"
    near_end: Literal["", "sensor", "inverted", "none"] = ""
    cutter: Literal["", "partial", "full", "none"] = ""
    roll_m: Annotated[float, msgspec.Meta(ge=0, le=500)] = 0.0
    near_end_m: Annotated[float, msgspec.Meta(ge=0, le=50)] = 0.0
    poll_s: Annotated[float, msgspec.Meta(ge=0.05, le=60)] = 2.0

    def made(self) -> Profile:
        """The profile as this section wants it."""
        profile = PROFILES[self.profile]
        return replace(profile, near_end=self.near_end or profile.near_end, cutter=self.cutter or profile.cutter)


def check(config: Config) -> list[str]:
    """See `hal.registry.DRIVERS`."""
    wrong = line_any.mistake(config.port)
    return [f".port is {wrong}"] if wrong else []


def is_there(config: Config) -> bool:
    """See `hal.registry.DRIVERS`."""
    return line_any.is_there(config.port, UsbRoots())


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
    state = tools.state_dir / f"{name}.json" if tools.state_dir else None
    return EscposPrinter(name, config, open_line, rasterise=tools.rasterise, on_health=tools.on_health, state=state)


class EscposPrinter(OwnThread):
    """`hal.api.ReceiptPrinter` for ESC/POS printers."""

    def __init__(
        self,
        name: str,
        config: Config,
        open_line: Callable[[], Line],
        *,
        rasterise: Rasterise | None,
        on_health: HealthListener,
        state: Path | None = None,
        timing: Timing | None = None,
    ) -> None:
        """`state` is the file of what must outlive the program; None keeps it in memory alone."""
        super().__init__(name, on_health=on_health)
        self._config = config
        self._open_line = open_line
        self._timing = timing or Timing()
        self._profile = config.made()
        self._rasterise = rasterise
        self._memory = Memory(state)
        self._jobs: Jobs[Job] = Jobs(self._memory.outcomes())
        self._talk: Talk | None = None
        # Length of the present job once its first byte may be out, else None.
        self._sent_mm: int | None = None
        self._unanswered = 0

    @property
    def columns(self) -> int:
        """See `ReceiptPrinter.columns`."""
        return self._profile.columns

    @property
    def width_dots(self) -> int:
        """See `ReceiptPrinter.width_dots`."""
        return self._profile.width_dots

    def status(self) -> PrinterStatus:
        """See `ReceiptPrinter.status`."""
        talk = self._talk
        return SILENT if talk is None else talk.status

    def roll(self) -> PaperRoll:
        """See `ReceiptPrinter.roll`."""
        return self._memory.roll(roll_mm=self._config.roll_m * 1000, near_end_mm=self._config.near_end_m * 1000)

    def submit(self, job: Job, on_outcome: OutcomeListener) -> None:
        """See `ReceiptPrinter.submit`."""
        self._jobs.submit(job, on_outcome, deadline_at_s=time.monotonic() + job.deadline_s)

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
        talk = Talk(line, timing=self._timing, profile=self._profile, stop=self._stop)
        self._talk = talk
        talk.begin()
        if self._memory.unfinished and talk.ask().answered:
            # The printer may still hold part of a job that was given up; it must not swallow or precede the next one.
            talk.clear()
            if talk.cleared:
                self._memory.cleared()
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
        self._unanswered = 0 if talk.ask().answered else self._unanswered + 1
        if self._unanswered >= REDIAL_AFTER and self._profile.tells != "nothing":
            self._unanswered = 0
            talk.dial_again()
            talk.ask()
        if talk.status.cutter_error:
            # The printer stays in this error after its cause is gone, until it is told to recover.
            talk.clear()
            talk.ask()
        if not talk.names_asked and escpos_status.trouble(talk.status) is None:
            talk.learn_names()
        self._tell_health(talk)

    def _tell_health(self, talk: Talk) -> None:
        if talk.status.answered:
            self._memory.paper_seen(talk.status.paper)
        if self._profile.tells == "nothing":
            self._health.set("printer.no_status")
        else:
            self._health.set(escpos_status.health_of(talk.status))

    def _take_turn(self, talk: Talk, taken: Taken[Job]) -> None:
        """Print one job and tell its outcome, whatever happens."""
        self._sent_mm = None
        try:
            outcome = self._print(talk, taken.job, taken.deadline_at_s)
        except Exception as error:
            reason = error.reason if isinstance(error, LineDown) else "hal.driver_failed"
            result: Literal["unknown", "not_printed"] = "not_printed" if self._sent_mm is None else "unknown"
            paper_mm = self._sent_mm or 0
            outcome = Outcome(taken.job.id, result, reason, talk.status, SILENT, detail=str(error), paper_mm=paper_mm)
            self._settle(outcome, unfinished=True)
            raise
        self._settle(outcome, unfinished=outcome.result != "printed" and not talk.cleared)

    def _settle(self, outcome: Outcome, *, unfinished: bool) -> None:
        """Tell the outcome, remembered first, so that nobody who asks again is answered otherwise."""
        if self._sent_mm is not None:
            torn_off = outcome.result == "printed" and self._profile.cutter == "none"
            self._memory.settled(outcome, hanging=not (outcome.cut or torn_off), unfinished=unfinished)
        self._jobs.done(outcome)

    def _print(self, talk: Talk, job: Job, deadline_at_s: float) -> Outcome:
        """Print one job; what it returns is what is known to be on the paper."""
        refused = Outcome(job.id, "not_printed", "job.invalid", talk.status, talk.status)
        fences = Fences(talk.names)
        memory = self._memory
        try:
            blocks = (Cut(), *job.blocks) if memory.hanging else job.blocks
            encoded = escpos.encode(blocks, self._profile, self._rasterise, fences, after_unfinished=memory.unfinished)
        except escpos.JobInvalid as error:
            return replace(refused, reason=error.reason, detail=str(error))
        except Exception as error:
            # The font is the caller's code; its mistake concerns this job and not the printer.
            log.exception("a job could not be encoded", job=job.id)
            return replace(refused, detail=repr(error))
        if time.monotonic() >= deadline_at_s:
            return replace(refused, reason="job.deadline")
        self._look(talk)
        reason = escpos_status.trouble(talk.status) if self._profile.tells != "nothing" else None
        if reason is not None:
            return replace(refused, reason=reason, before=talk.status, after=talk.status)
        self._sent_mm = encoded.paper_mm
        memory.sending(job.id, encoded.paper_mm)
        talk.fences, talk.cleared = fences, False
        return Watched(talk, self._profile, self._timing, self._stop).print(job.id, encoded, deadline_at_s)
