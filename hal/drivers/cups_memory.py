"""Which documents went to CUPS, under which number, and what became of them: CUPS itself hides the names of jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from hal.api import Outcome, PrinterStatus
from hal.drivers.kept import KeptFile

MAX_DOCUMENTS = 256


class Sent(msgspec.Struct, frozen=True):
    """A document that CUPS has; `is_open`: its job may still be in the queue. `result` None while nobody knows."""

    id: str
    number: int
    uuid: str = ""
    result: Literal["printed", "unknown"] | None = None
    reason: str = ""
    is_open: bool = True


class Kept(msgspec.Struct, frozen=True):
    """The file."""

    documents: tuple[Sent, ...] = ()


class Memory:
    """Not thread-safe: the printer's thread owns it."""

    def __init__(self, path: Path | None) -> None:
        self._file = KeptFile(path)
        self._kept = self._file.read(Kept(), Kept())

    def outcomes(self) -> list[Outcome]:
        """What is remembered of earlier documents, oldest first."""
        return [told(one) for one in self._kept.documents if not one.is_open]

    def left_open(self) -> list[Sent]:
        """What may still be in CUPS' queue although nobody waits for it."""
        return [one for one in self._kept.documents if one.is_open]

    def sending(self, sent: Sent) -> None:
        """On disk when this returns; only then CUPS may be given the document."""
        self._write((*self._others(sent.id), sent))

    def settled(self, sent: Sent) -> None:
        """What became of a document; one without a result was not printed and is forgotten, unless its job is still open."""
        kept = sent.result is not None or sent.is_open
        self._write((*self._others(sent.id), sent) if kept else self._others(sent.id))

    def find(self, document_id: str) -> Sent | None:
        """What is remembered of one document."""
        return next((one for one in self._kept.documents if one.id == document_id), None)

    def _others(self, document_id: str) -> tuple[Sent, ...]:
        return tuple(one for one in self._kept.documents if one.id != document_id)

    def _write(self, documents: tuple[Sent, ...]) -> None:
        self._kept = replace(self._kept, documents=documents[-MAX_DOCUMENTS:])
        self._file.write(self._kept)


def told(sent: Sent) -> Outcome:
    """What a document's job is told as, when it is asked for again."""
    silent = PrinterStatus(answered=False)
    return Outcome(sent.id, sent.result or "unknown", sent.reason or "job.stopped", silent, silent)
