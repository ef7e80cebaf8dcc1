"""Printers: what is printed, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

import msgspec

from hal.api.core import Peripheral
from hal.paper import Block


class Job(msgspec.Struct, frozen=True):
    """Something to print. The same `id` never comes out of the printer twice, see `ReceiptPrinter.submit`."""

    id: str
    blocks: tuple[Block, ...]
    deadline_s: float = 30.0


class PrinterStatus(msgspec.Struct, frozen=True):
    """What the printer said of itself; `raw` holds the status bytes in hex, `answered` False means it said nothing."""

    answered: bool
    online: bool = False
    paper: Literal["ok", "near_end", "out", "unknown"] = "unknown"
    cover_open: bool = False
    cutter_error: bool = False
    mechanical_error: bool = False
    unrecoverable: bool = False
    head_hot: bool = False
    raw: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a job, with the evidence.

    `printed`: the printer confirmed that it worked through the whole ticket. `not_printed`: no complete ticket is on
    the paper and none will come (`partial` when its beginning is). `unknown`: bytes were sent and the printer then
    said nothing that would decide it. `reason` is a key of `hal.health.REASONS`, or `job.invalid`, `job.queue_full`,
    `job.no_font`, `job.deadline`, `job.stopped`. `cut` False with `printed`: the visitor must tear the paper off.
    `paper_mm` is the length of paper that the complete ticket takes.
    """

    job_id: str
    result: Literal["printed", "not_printed", "unknown"]
    reason: str
    before: PrinterStatus
    after: PrinterStatus
    partial: bool = False
    cut: bool = False
    paper_mm: int = 0
    detail: str = ""


OutcomeListener = Callable[[Outcome], None]


class PaperRoll(msgspec.Struct, frozen=True):
    """The roll of paper, as far as it was counted.

    `printed_mm` was printed since the roll was changed at `changed_ms` (Unix milliseconds; 0 when no change was seen yet, so
    that the roll may have been begun before). `left_mm` is None where it cannot be told: no length is configured, or no change
    of the roll was seen. `tickets_left` are so many of the mean length of those printed.
    """

    printed_mm: int = 0
    changed_ms: int = 0
    left_mm: int | None = None
    tickets_left: int | None = None


@runtime_checkable
class ReceiptPrinter(Peripheral, Protocol):
    """A receipt printer that says whether paper came out."""

    @property
    def columns(self) -> int:
        """Columns of a line at size 1: 32 on 58 mm, 48 on 80 mm paper (a Hanzi takes two)."""
        ...

    @property
    def width_dots(self) -> int:
        """Printable dots of a row: 384 on 58 mm, 576 on 80 mm paper."""
        ...

    def submit(self, job: Job, on_outcome: OutcomeListener) -> None:
        """Print `job` and call `on_outcome` exactly once, at the latest five seconds after `job.deadline_s`.

        A job id that is waiting or in print gets the outcome of that one print. An id whose outcome was `printed` or
        `unknown` gets the same outcome again and no second paper; one that was `not_printed` is tried again. The last
        256 outcomes are remembered, with a state folder (`hal.factory.open_hal`) also when the program was killed in between:
        a job of which bytes may have gone out is then `unknown` with the reason `job.stopped`.
        """
        ...

    def status(self) -> PrinterStatus:
        """The last status the printer told, without asking it again."""
        ...

    def roll(self) -> PaperRoll:
        """What is known of the roll of paper, without asking the printer."""
        ...


MAX_PDF_BYTES = 20_000_000


class Document(msgspec.Struct, frozen=True):
    """Sheets to print, as PDF (at most 20 MB). `id` as with `Job`, 1 to 64 of `A-Z a-z 0-9 . _ -`; it is seen in the print queue,
    so it must tell nothing about a person."""

    id: str
    pdf: bytes
    copies: int = 1
    two_sided: bool = False
    deadline_s: float = 120.0


DocumentState = Literal["unknown", "waiting", "printing", "over"]


@runtime_checkable
class A4Printer(Peripheral, Protocol):
    """A printer of sheets: certificates and reports."""

    def submit(self, document: Document, on_outcome: OutcomeListener) -> None:
        """Print and call `on_outcome` exactly once, at the latest five seconds after `document.deadline_s`.

        Its `Outcome` is as with `ReceiptPrinter.submit`, without `cut` and `paper_mm`. The same id never prints twice, also
        after a restart: the print queue remembers it. What is not printed by its deadline is taken out of the queue.
        """
        ...

    def cancel(self, document_id: str) -> None:
        """Take a document out of the queue; its outcome follows, `not_printed` with the reason `job.cancelled`, or `unknown` when
        its printing had begun. Nothing happens to one that is not waiting or printing."""
        ...

    def state_of(self, document_id: str) -> DocumentState:
        """How far a document is, without asking anybody; `unknown` for one never submitted to this object."""
        ...
