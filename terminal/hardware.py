"""Brings hal to the session: printing, the state of printer and reader in words for visitors, cards and the door."""

from collections.abc import Callable
from datetime import datetime
from typing import cast

import structlog

from hal.api import (
    CardError,
    CardPresent,
    CardRemoved,
    DoorClosed,
    DoorOpened,
    Event,
    Health,
    Job,
    Outcome,
    Peripheral,
    PowerChanged,
    PrinterStatus,
    ReceiptPrinter,
    SmartCardPresent,
    SmartCardRemoved,
    Tampered,
    TamperEnded,
)
from hal.factory import Hal
from pack.notice import merged_notice, notice
from runtime.outage import PowerWatch
from terminal.flow.answers import answers
from terminal.flow.clock import Clock
from terminal.flow.phrase import NOTHING, Phrase, phrase
from terminal.flow.plan import plan
from terminal.flow.ports import Content, Done, Sheet
from terminal.flow.session import Card
from terminal.flow.status import Part
from terminal.flow.visit import Visit
from terminal.print.notice import notice_blocks
from terminal.takeaway import item_text, plan_text
from terminal.wording import Wording

log = structlog.get_logger("terminal.hardware")

Post = Callable[[Callable[[], object]], object]
"""Runs a callable on the session's thread, soon (ui.bridge)."""

_SAID = ("paper_out", "cover_open", "cutter_jam", "head_hot", "mechanical", "unrecoverable", "offline", "silent")
_KNOWN = {f"printer.{name}" for name in _SAID} | {
    "job.invalid", "job.no_font", "job.queue_full", "job.deadline", "job.stopped",
}  # fmt: skip
_LONG_AGO = "long"
"""`valid_to` of a card that never ends."""


def said(reason: str) -> Phrase:
    """A reason of hal in words for visitors; what only a technician understands becomes the fault that it is to them."""
    if reason in _KNOWN:
        return phrase(reason)
    if reason in ("hal.starting", "hal.stopped"):
        return phrase("printer.starting")
    # A model that never tells its status has said nothing of this print either; that is no fault of its mechanism.
    is_silent = reason.startswith("port.") or reason == "printer.no_status"
    return phrase("printer.silent" if is_silent else "printer.mechanical")


def printer_of(hal: Hal) -> ReceiptPrinter | None:
    """The printer to print on: the first that works, else the first that is fitted."""
    printers = cast(list[ReceiptPrinter], hal.every("printer"))
    return next((one for one in printers if one.health().state in ("ok", "degraded")), printers[0] if printers else None)


def reader_of(hal: Hal) -> Peripheral | None:
    """The identity-card reader by which visitors know whether cards are read."""
    readers = hal.every("id_card")
    return next((one for one in readers if one.health().state != "down"), readers[0] if readers else None)


def printer_part(health: Health | None) -> Part:
    """The printer as visitors see it; None when none is fitted."""
    if health is None:
        return Part(fitted=False, works=False)
    if health.state in ("down", "unknown"):
        return Part(works=False, reason=said(health.reason))
    near_end = health.reason == "printer.paper_near_end"
    return Part(warn=phrase("printer.paper_near_end") if near_end else NOTHING)


def reader_part(health: Health | None) -> Part:
    """The card reader as visitors see it; while it has only just started nothing is said."""
    if health is None:
        return Part(fitted=False, works=False)
    return Part(works=health.state != "down")


class Printing:
    """A `terminal.flow.ports.PaperPort` on hal's printer: lays a sheet out, and answers on the session's thread."""

    def __init__(self, hal: Hal, *, post: Post, wording: Wording, clock: Clock, content: Callable[[], Content | None]) -> None:
        self._hal, self._post, self._wording, self._clock, self._content = hal, post, wording, clock, content

    def send(self, sheet: Sheet, done: Done) -> None:
        """See PaperPort. A sheet that cannot be laid out is answered as not printed."""
        printer = printer_of(self._hal)
        blocks = self._blocks(sheet, printer) if printer else None
        if printer is None or blocks is None:
            reason = "printer.offline" if printer is None else "job.invalid"
            self._post(lambda: done(sheet.job_id, "not_printed", said(reason), reason))
            return

        def outcome(result: Outcome) -> None:
            self._post(lambda: done(result.job_id, result.result, _visible(result), _evidence(result)))

        printer.submit(Job(id=sheet.job_id, blocks=blocks), outcome)

    def _blocks(self, sheet: Sheet, printer: ReceiptPrinter) -> tuple[object, ...] | None:
        content = self._content()
        if content is None:
            return None
        say, language, now = self._wording.say(sheet.language), sheet.language, self._clock.known()
        today = now.date() if now else None
        item = content.item(sheet.subject.code) if sheet.subject.code else None
        if item is not None:
            paper = notice(item, content.hall, language=language, today=today)
            taken = item_text(answers(item, language), say)
        else:
            wanted = plan(content, sheet.subject, language)
            taken = plan_text(content, sheet.subject, language, say)
            if wanted is None or taken is None:
                return None
            paper = merged_notice(taken.name, wanted.items, content.hall, language=language, today=today)
        return notice_blocks(
            paper, ticked=sheet.ticked, columns=printer.columns, width_dots=printer.width_dots, say=say,
            masked_name=sheet.masked_name, number=sheet.job_id[:8].upper(), taken=taken.text,
        )  # fmt: skip


def _visible(result: Outcome) -> Phrase:
    if result.result == "printed":
        return phrase("paper.tear") if not result.cut else NOTHING
    return said(result.reason)


def _evidence(result: Outcome) -> str:
    return f"{result.reason}; before {_told(result.before)}; after {_told(result.after)}"[:200]


def _told(status: PrinterStatus) -> str:
    return f"{status.paper} {status.raw}" if status.answered else "silent"


def has_expired(valid_to: str, now: datetime | None) -> bool:
    """Whether a card valid to this day (YYYYMMDD, or 长期 as hal says it) has expired; no verdict while the clock was never set."""
    return now is not None and valid_to != _LONG_AGO and valid_to < f"{now:%Y%m%d}"


class Senses:
    """Takes hal's events on hal's threads and tells the visit on the session's."""

    def __init__(
        self,
        visit: Visit,
        *,
        post: Post,
        clock: Clock,
        on_health: Callable[[], object],
        power: PowerWatch,
    ) -> None:
        self._visit, self._post, self._clock = visit, post, clock
        self._on_health, self._power = on_health, power

    def event(self, name: str, event: Event) -> None:
        """See hal.api.EventListener."""
        match event:
            case CardPresent(card=card):
                expired = has_expired(card.valid_to, self._clock.known())
                self._post(lambda: self._visit.card_present(Card(card.name, expired), name))
            case CardRemoved():
                self._post(lambda: self._visit.card_removed(name))
            case SmartCardPresent(reader=reader):
                # Its chip number is nobody's business here; that a card lies there is.
                self._post(lambda: self._visit.other_card_present(f"{name} {reader}"))
            case SmartCardRemoved(reader=reader):
                self._post(lambda: self._visit.other_card_removed(f"{name} {reader}"))
            case DoorOpened() | Tampered():
                self._post(lambda: self._visit.cabinet(name, True))
            case DoorClosed() | TamperEnded():
                self._post(lambda: self._visit.cabinet(name, False))
            case PowerChanged(state=state, charge=charge, runtime_s=runtime_s):
                self._post(lambda: self._power.take(state, charge=charge, runtime_s=runtime_s))
            case CardError(reason=reason):
                self._post(lambda: self._visit.card_unread(phrase(reason)))
            case _:
                log.info("an event nobody here waits for", peripheral=name, kind=type(event).__name__)

    def health(self, name: str, health: Health) -> None:
        """See hal.api.HealthListener."""
        log.info("a peripheral's health changed", peripheral=name, state=health.state, reason=health.reason)
        self._post(self._on_health)
