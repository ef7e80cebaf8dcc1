"""A4 printer: a queue of CUPS.

What is left in the queue when this program begins, or when CUPS comes back, is taken out: nobody waits for it any more, and a
certificate must not come out an hour later into strange hands.
"""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec.structs import replace

from hal.api import Document, DocumentState, HealthListener, Outcome, OutcomeListener, PrinterStatus
from hal.api.paper import MAX_PDF_BYTES
from hal.drivers.cups_calls import Cups, CupsDown
from hal.drivers.cups_memory import Memory, Sent, told
from hal.drivers.cups_words import COMPLETED, PRINTER_STOPPED, JobSeen, is_confirming, job_seen, printer_reason, result_of
from hal.drivers.own_thread import OwnThread
from hal.drivers.print_jobs import Jobs, Taken
from hal.health import REASONS
from hal.tools import Tools

JOB_NAME = "nightwindow"
"""Of every job: queues and logs show it."""
LOOK_S = 0.25
"""Between two looks at a job under way."""
END_S = 3.0
"""So long a cancelled job is waited for."""
SILENT = PrinterStatus(answered=False)
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Config(msgspec.Struct, frozen=True):
    """A4 printer: a queue of CUPS.

    `queue` is the printer's name there (lpstat -p), `server` a socket's path or `ADDRESS:PORT`, empty for this computer's.
    `confirms` whether a finished job is known to be on paper: `auto` believes queues that speak IPP with the printer, where
    CUPS waits for the printer's own word. `poll_s` how often the printer is looked at, `answer_s` how long CUPS may take.
    """

    queue: str = ""
    server: str = ""
    confirms: Literal["auto", "yes", "no"] = "auto"
    poll_s: Annotated[float, msgspec.Meta(ge=0.05, le=60)] = 5.0
    answer_s: Annotated[float, msgspec.Meta(ge=0.2, le=10)] = 3.0


def check(config: Config) -> list[str]:
    """See `hal.registry.DRIVERS`."""
    return [] if config.queue else [".queue is empty; give the printer's name as lpstat -p shows it"]


def where(config: Config) -> str:
    """See `hal.registry.DRIVERS`."""
    return config.queue


def is_there(config: Config) -> bool:
    """See `hal.registry.DRIVERS`: whether CUPS knows the queue."""
    try:
        Cups(config.server, config.queue, deadline_s=config.answer_s).printer()
    except CupsDown:
        return False
    return True


def open_driver(name: str, config: Config, tools: Tools) -> CupsPrinter:
    """See `hal.registry.DRIVERS`."""
    state = tools.state_dir / f"{name}.json" if tools.state_dir else None
    return CupsPrinter(name, config, on_health=tools.on_health, state=state)


class CupsPrinter(OwnThread):
    """`hal.api.A4Printer` over CUPS."""

    def __init__(self, name: str, config: Config, *, on_health: HealthListener, state: Path | None = None) -> None:
        """`state` is the file of what must outlive the program; None keeps it in memory alone."""
        super().__init__(name, on_health=on_health)
        self._config = config
        self._memory = Memory(state)
        self._jobs: Jobs[Document] = Jobs(self._memory.outcomes())
        self._states: dict[str, DocumentState] = {}
        self._cancelled: set[str] = set()
        self._wake = threading.Event()
        self._cups = Cups(config.server, config.queue, deadline_s=config.answer_s)
        self._tidy = False
        self._confirms = config.confirms == "yes"

    def submit(self, document: Document, on_outcome: OutcomeListener) -> None:
        """See `A4Printer.submit`."""
        self._states[document.id] = "waiting"
        self._cancelled.discard(document.id)

        def over(outcome: Outcome) -> None:
            self._states[document.id] = "over"
            on_outcome(outcome)

        self._jobs.submit(document, over, deadline_at_s=time.monotonic() + document.deadline_s)
        self._wake.set()

    def cancel(self, document_id: str) -> None:
        """See `A4Printer.cancel`."""
        if self._states.get(document_id) in ("waiting", "printing"):
            self._cancelled.add(document_id)

    def state_of(self, document_id: str) -> DocumentState:
        """See `A4Printer.state_of`."""
        return self._states.get(document_id, "unknown")

    def _interrupt(self) -> None:
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._look()
            self._wake.clear()
            while not self._stop.is_set() and (taken := self._jobs.next()) is not None:
                self._jobs.done(self._outcome(taken))
            self._wake.wait(self._config.poll_s)
        while (taken := self._jobs.next()) is not None:
            self._jobs.done(_refused(taken.job.id, "job.stopped"))

    def _look(self) -> str:
        """Learn how the printer is; returns the health id. The first look after CUPS was away also empties the queue."""
        try:
            said = self._cups.printer()
            device = str(said.get("device-uri", ""))
            if self._config.confirms == "auto":
                self._confirms = is_confirming(device)
            if not self._tidy:
                self._take_out_left()
                self._tidy = True
        except CupsDown as down:
            self._tidy = False
            self._health.set(down.reason, **down.reason_args)
            return down.reason
        itself = self._cups.itself(device)
        reason = "a4.offline" if itself is None else printer_reason(itself or said)
        if itself and said.get("printer-state") == PRINTER_STOPPED:
            # What the queue says of the printer is as old as its last job; that somebody stopped the queue is its own matter.
            reason = reason if REASONS[reason].state == "down" else "a4.paused"
        self._health.set(reason)
        return reason

    def _take_out_left(self) -> None:
        """What an earlier run, or CUPS going away, left in the queue: nobody waits for it any more."""
        for sent in self._memory.left_open():
            seen = self._cancelled_job(sent)
            result = sent.result or (result_of(seen, confirms=self._confirms) if seen.is_over else "unknown")
            settled = replace(sent, result=None if result == "not_printed" else result, reason="job.stopped", is_open=False)
            self._memory.settled(settled)
            if result != "not_printed":
                self._jobs.remember(told(settled))

    def _cancelled_job(self, sent: Sent) -> JobSeen:
        """A job taken out of the queue, and what it was when it ended; still going on when CUPS does not get it to end."""
        end_s = time.monotonic() + END_S
        seen = job_seen(self._cups.job(sent.number, sent.uuid))
        if not seen.is_over and seen.state:
            self._cups.cancel(sent.number)
        while not seen.is_over and seen.state and time.monotonic() < end_s:
            time.sleep(LOOK_S / 2)
            seen = job_seen(self._cups.job(sent.number, sent.uuid))
        return seen

    def _outcome(self, taken: Taken[Document]) -> Outcome:
        """Print one document, whatever happens."""
        document = taken.job
        wrong = _problem(document)
        if wrong:
            return replace(_refused(document.id, "job.invalid"), detail=wrong)
        if document.id in self._cancelled:
            return _refused(document.id, "job.cancelled")
        if time.monotonic() >= taken.deadline_at_s:
            return _refused(document.id, "job.deadline")
        sent: Sent | None = None
        try:
            reason = self._look()
            if REASONS[reason].state == "down":
                return _refused(document.id, reason)
            earlier = self._memory.find(document.id)
            if earlier is not None:
                return told(earlier)
            options = {"copies": str(document.copies), "sides": "two-sided-long-edge" if document.two_sided else "one-sided"}
            sent = Sent(document.id, *self._cups.create(JOB_NAME, options))
            self._memory.sending(sent)
            self._states[document.id] = "printing"
            self._cups.send(sent.number, document.pdf)
            outcome, is_open = self._watch(sent, taken.deadline_at_s)
        except CupsDown as down:
            self._tidy = False
            self._health.set(down.reason, **down.reason_args)
            outcome, is_open = _refused(document.id, down.reason), True
            if sent is None:
                return outcome
            # The job may hold the whole document; it is taken out when CUPS is back, but may be on paper by then.
            outcome = replace(outcome, result="unknown")
        result = None if outcome.result == "not_printed" else outcome.result
        self._memory.settled(replace(sent, result=result, reason=outcome.reason, is_open=is_open))
        return outcome

    def _watch(self, sent: Sent, deadline_at_s: float) -> tuple[Outcome, bool]:
        """Follow a job to its end, or take it out of the queue; gives also whether it may be in the queue even so."""
        look_s = time.monotonic() + self._config.poll_s
        while True:
            seen = job_seen(self._cups.job(sent.number, sent.uuid))
            if seen.is_over or not seen.state:
                return self._ended(sent.id, seen, ""), False
            why = "job.stopped" if self._stop.is_set() else "job.cancelled" if sent.id in self._cancelled else ""
            if not why and time.monotonic() >= deadline_at_s:
                why = "job.deadline"
            if why:
                trouble = self._look()
                seen = self._cancelled_job(sent)
                is_why = why != "job.deadline" or REASONS[trouble].state != "down"
                return self._ended(sent.id, seen, why if is_why else trouble), not seen.is_over
            if time.monotonic() >= look_s:
                self._look()
                look_s = time.monotonic() + self._config.poll_s
            self._stop.wait(LOOK_S)

    def _ended(self, document_id: str, seen: JobSeen, why: str) -> Outcome:
        if not seen.is_over:
            return _told(document_id, "unknown", why or "job.unconfirmed", seen)
        result = result_of(seen, confirms=self._confirms)
        if result == "printed":
            return _told(document_id, result, "hal.ok", seen)
        if seen.state == COMPLETED:
            return _told(document_id, result, "job.unconfirmed", seen)
        trouble = self._look()
        return _told(document_id, result, why or (trouble if REASONS[trouble].state == "down" else "job.aborted"), seen)


def _problem(document: Document) -> str:
    """What no printer can print, with the limit and the remedy; empty when nothing is wrong."""
    if not _ID.fullmatch(document.id):
        return f"id is {document.id!r}; use 1 to 64 of A-Z a-z 0-9 . _ -"
    if not document.pdf.startswith(b"%PDF-"):
        return "the document is no PDF; give one that begins with %PDF-"
    if len(document.pdf) > MAX_PDF_BYTES:
        return f"the document has {len(document.pdf)} bytes; use up to {MAX_PDF_BYTES}"
    return "" if 1 <= document.copies <= 9 else f"copies is {document.copies}; use 1 to 9"


def _refused(document_id: str, reason: str) -> Outcome:
    return Outcome(document_id, "not_printed", reason, SILENT, SILENT)


def _told(document_id: str, result: Literal["printed", "not_printed", "unknown"], reason: str, seen: JobSeen) -> Outcome:
    detail = f"job state {seen.state}, {seen.sheets} sheets"
    return Outcome(document_id, result, reason, SILENT, SILENT, partial=seen.sheets > 0 and result != "printed", detail=detail)
