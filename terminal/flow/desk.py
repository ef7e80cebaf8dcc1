"""Printing told truthfully: printed, not printed, or unknown, each with a way to get the notice again."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from terminal.flow.clock import Clock
from terminal.flow.phrase import NOTHING, Phrase, phrase
from terminal.flow.ports import Outcome, PaperPort, Sheet

PrintState = Literal["sending", "printed", "not_printed", "unknown", "taken", "refused"]

SILENCE_MS = 45_000
"""After this long without a word from the printer's driver nobody knows, and the screen says so."""

MOST_COPIES = 5
"""Sheets one visitor may ask for; a roll of paper serves everybody."""


@dataclass(frozen=True)
class Job:
    """The print the visitor sees. `taken` is an unknown one that the visitor says he holds in his hand."""

    sheet: Sheet
    state: PrintState
    reason: Phrase = NOTHING


class Desk:
    """One visitor's prints. Only the last one is shown.

    `asked(sheet, kept)` is called before the printer gets anything, and `kept(True)` once the order is in the journal;
    `finished` exactly once for each print with its outcome.
    """

    def __init__(
        self,
        paper: PaperPort,
        clock: Clock,
        *,
        asked: Callable[[Sheet, Callable[[bool], None]], None],
        finished: Callable[[Sheet, Outcome, Phrase, str], None],
    ) -> None:
        self._paper = paper
        self._clock = clock
        self._asked = asked
        self._finished = finished
        self._sent_ms = 0
        self._has_printer_got_it = False
        self.job: Job | None = None
        self.copies = 0

    @property
    def busy(self) -> bool:
        return self.job is not None and self.job.state == "sending"

    def send(self, sheet: Sheet) -> None:
        """Start printing, unless a print is under way or this visitor has had enough paper."""
        if self.busy:
            return
        if self.copies >= MOST_COPIES:
            self.refuse(sheet, phrase("paper.enough", most=MOST_COPIES))
            return
        self._sent_ms, self._has_printer_got_it = self._clock.monotonic_ms(), False
        self.job = Job(sheet, "sending")
        self._asked(sheet, lambda is_kept: self._kept(sheet, is_kept))

    def _kept(self, sheet: Sheet, is_kept: bool) -> None:
        if self.job is None or self.job.sheet is not sheet or not self.busy:
            # The visitor has gone, or the disk took so long that the order was given up: nothing may come out now.
            return
        if not is_kept:
            self.refuse(sheet, phrase("paper.no_room"))
            return
        self.copies += 1
        self._sent_ms, self._has_printer_got_it = self._clock.monotonic_ms(), True
        self._paper.send(sheet, self.outcome)

    def refuse(self, sheet: Sheet, reason: Phrase) -> None:
        """Do not print, and say why."""
        self.job = Job(sheet, "refused", reason)

    def outcome(self, job_id: str, outcome: Outcome, reason: Phrase, evidence: str) -> None:
        """The driver's word. A late word about a job already settled changes nothing."""
        job = self.job
        if job is None or job.sheet.job_id != job_id or job.state != "sending":
            return
        self.job = replace(job, state=outcome, reason=reason)
        self._finished(job.sheet, outcome, reason, evidence)

    def taken(self) -> None:
        """The visitor holds the paper although the printer said nothing."""
        if self.job is not None and self.job.state == "unknown":
            self.job = replace(self.job, state="taken")

    def tick(self) -> bool:
        """Give up waiting for a silent driver. Returns True when the job changed."""
        if self.busy and self.left_ms() == 0:
            self._give_up(phrase("paper.silent" if self._has_printer_got_it else "paper.no_room"), "deadline")
            return True
        return False

    def left_ms(self) -> int:
        """Milliseconds until a silent print counts as unknown."""
        return max(0, SILENCE_MS - (self._clock.monotonic_ms() - self._sent_ms))

    def abandon(self) -> None:
        """The session ends: a print under way becomes unknown in the journal, and nothing of it is kept."""
        if self.busy:
            self._give_up(phrase("paper.abandoned"), "abandoned")
        self.job = None
        self.copies = 0

    def _give_up(self, reason: Phrase, evidence: str) -> None:
        assert self.job is not None
        # What the printer never got is certainly not on paper.
        self.outcome(self.job.sheet.job_id, "unknown" if self._has_printer_got_it else "not_printed", reason, evidence)
