"""Jobs of a printer: who waits for what, and that the same id never prints twice."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import structlog

from hal.api import Outcome, OutcomeListener, PrinterStatus

MAX_WAITING = 8
MAX_REMEMBERED = 256

log = structlog.get_logger("hal")


class Named(Protocol):
    """Anything to print."""

    @property
    def id(self) -> str: ...


J = TypeVar("J", bound=Named)


@dataclass(frozen=True)
class Taken(Generic[J]):
    """A job whose turn has come, and the monotonic time (seconds) when its deadline passes."""

    job: J
    deadline_at_s: float


class Jobs(Generic[J]):
    """The queue and the memory of outcomes; thread-safe. Outcomes are told on the thread that calls `next` or `done`."""

    def __init__(self, remembered: list[Outcome] | None = None) -> None:
        """`remembered` are outcomes of an earlier run of the program, oldest first."""
        self._lock = threading.Lock()
        self._queue: deque[Taken[J]] = deque()
        self._listeners: dict[str, list[OutcomeListener]] = {}
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict((one.job_id, one) for one in remembered or [])
        # Answers that need no printing; they wait for the printer's thread, because no outcome is told on the caller's.
        self._answers: deque[tuple[Outcome, OutcomeListener]] = deque()

    def submit(self, job: J, on_outcome: OutcomeListener, *, deadline_at_s: float) -> None:
        """Queue `job`, or have it answered from memory; see `ReceiptPrinter.submit`."""
        with self._lock:
            known = self._outcomes.get(job.id)
            if known is not None and known.result != "not_printed":
                self._answers.append((known, on_outcome))
            elif job.id in self._listeners:
                self._listeners[job.id].append(on_outcome)
            elif len(self._queue) >= MAX_WAITING:
                silent = PrinterStatus(answered=False)
                full = Outcome(job.id, "not_printed", "job.queue_full", silent, silent)
                self._answers.append((full, on_outcome))
            else:
                self._listeners[job.id] = [on_outcome]
                self._queue.append(Taken(job, deadline_at_s))

    def remember(self, outcome: Outcome) -> None:
        """What was learnt late of a job of an earlier run."""
        with self._lock:
            self._outcomes[outcome.job_id] = outcome

    def next(self) -> Taken[J] | None:
        """The next job to print, or None; tells what can be told from memory first."""
        with self._lock:
            answers = list(self._answers)
            self._answers.clear()
            taken = self._queue.popleft() if self._queue else None
        for outcome, listener in answers:
            _tell(listener, outcome)
        return taken

    def done(self, outcome: Outcome) -> None:
        """Remember and tell the outcome of a job that `next` gave; telling it twice does nothing."""
        with self._lock:
            listeners = self._listeners.pop(outcome.job_id, [])
            if listeners:
                self._outcomes[outcome.job_id] = outcome
                self._outcomes.move_to_end(outcome.job_id)
                while len(self._outcomes) > MAX_REMEMBERED:
                    self._outcomes.popitem(last=False)
        for listener in listeners:
            _tell(listener, outcome)


def _tell(listener: OutcomeListener, outcome: Outcome) -> None:
    try:
        listener(outcome)
    except Exception:
        # A listener's mistake must not kill the thread that talks to the printer.
        log.exception("outcome listener failed", job=outcome.job_id)
