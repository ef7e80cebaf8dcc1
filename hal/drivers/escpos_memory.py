"""What a printer's driver must still know after a restart: which jobs had gone out, whether half a ticket hangs, the roll.

One small JSON file a printer, written by the face alone: before the first byte of a job, and after its outcome. Each write is
a new file renamed over the old one, so a power cut leaves either. Without a path nothing outlives the program.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from hal.api import Outcome, PaperRoll, PrinterStatus
from hal.drivers.kept import KeptFile

MAX_JOBS = 256
NEW_MEAN = 0.1
"""Weight of the newest ticket in the mean length of tickets."""


class Sent(msgspec.Struct, frozen=True):
    """A job of which bytes went out; `result` None while nobody knows what became of them."""

    id: str
    paper_mm: int
    result: Literal["printed", "unknown"] | None = None
    reason: str = ""
    cut: bool = False


class Kept(msgspec.Struct, frozen=True):
    """The file. `paper` is what the sensor last said, `near_end_at_mm` how much of the roll was printed when it told its end."""

    jobs: tuple[Sent, ...] = ()
    hanging: bool = False
    unfinished: bool = False
    paper: str = ""
    printed_mm: int = 0
    changed_ms: int = 0
    near_end_at_mm: int | None = None
    mean_mm: float = 0.0


class Memory:
    """Not thread-safe but for `roll`: the printer's thread writes, everybody may look at the roll."""

    def __init__(self, path: Path | None, *, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._now_ms = now_ms
        self._file = KeptFile(path)
        # Damaged, nobody knows what had gone out: the next ticket gets paper of its own, and the roll is counted anew.
        self._kept = self._file.read(Kept(), Kept(hanging=True, unfinished=True))

    @property
    def hanging(self) -> bool:
        """Whether paper of an earlier job may hang out of the printer, not cut off; it must not become part of the next."""
        return self._kept.hanging

    @property
    def unfinished(self) -> bool:
        """Whether the printer may still hold part of an earlier job, or be in the middle of one of its commands."""
        return self._kept.unfinished

    def outcomes(self) -> list[Outcome]:
        """What is remembered of earlier jobs, oldest first. One that was going out when the program ended is `unknown`."""
        silent = PrinterStatus(answered=False)
        return [
            Outcome(
                job.id, job.result or "unknown", job.reason or "job.stopped", silent, silent, cut=job.cut, paper_mm=job.paper_mm
            )
            for job in self._kept.jobs
        ]

    def sending(self, job_id: str, paper_mm: int) -> None:
        """On disk when this returns: from now on the job must never be sent again by itself."""
        self._write(jobs=(*self._others(job_id), Sent(job_id, paper_mm)), hanging=True, unfinished=True)

    def settled(self, outcome: Outcome, *, hanging: bool, unfinished: bool) -> None:
        """The outcome of a job that was `sending`.

        Paper is counted as if every ticket that was not finished had nearly been: what is left is then rather more than told.
        """
        kept = self._kept
        jobs = self._others(outcome.job_id)
        if outcome.result != "not_printed":
            jobs = (*jobs, Sent(outcome.job_id, outcome.paper_mm, outcome.result, outcome.reason, outcome.cut))
        used_mm = outcome.paper_mm if outcome.result != "not_printed" or outcome.partial else 0
        mean_mm = kept.mean_mm
        if outcome.result == "printed":
            mean_mm = mean_mm + NEW_MEAN * (outcome.paper_mm - mean_mm) if mean_mm else float(outcome.paper_mm)
        self._write(
            jobs=jobs[-MAX_JOBS:], hanging=hanging, unfinished=unfinished, printed_mm=kept.printed_mm + used_mm, mean_mm=mean_mm
        )

    def cleared(self) -> None:
        """The printer confirmed that it holds nothing of an earlier job any more."""
        self._write(unfinished=False)

    def paper_seen(self, paper: str) -> None:
        """What the sensor says; a roll was changed when it had told the end and now has plenty."""
        kept = self._kept
        if paper not in ("ok", "near_end", "out") or paper == kept.paper:
            return
        if paper == "ok" and kept.paper in ("near_end", "out"):
            self._write(paper=paper, printed_mm=0, changed_ms=self._now_ms(), near_end_at_mm=None)
        elif paper == "near_end" and kept.paper != "out":
            self._write(paper=paper, near_end_at_mm=kept.printed_mm)
        else:
            # Out, and then near its end: a roll that was already begun was put in, and nobody knows how much is on it.
            changed = {"changed_ms": 0, "printed_mm": 0, "near_end_at_mm": 0} if paper == "near_end" else {}
            self._write(paper=paper, **changed)

    def roll(self, *, roll_mm: float, near_end_mm: float) -> PaperRoll:
        """The roll as it stands; 0 for a length that nobody configured."""
        kept = self._kept
        left: list[float] = []
        if roll_mm and kept.changed_ms:
            left.append(roll_mm - kept.printed_mm)
        if near_end_mm and kept.near_end_at_mm is not None:
            left.append(near_end_mm - (kept.printed_mm - kept.near_end_at_mm))
        left_mm = 0 if kept.paper == "out" else max(0, round(min(left))) if left else None
        tickets = int(left_mm / kept.mean_mm) if left_mm is not None and kept.mean_mm else None
        return PaperRoll(printed_mm=kept.printed_mm, changed_ms=kept.changed_ms, left_mm=left_mm, tickets_left=tickets)

    def _others(self, job_id: str) -> tuple[Sent, ...]:
        return tuple(job for job in self._kept.jobs if job.id != job_id)

    def _write(self, **changes: object) -> None:
        self._kept = replace(self._kept, **changes)
        self._file.write(self._kept)
