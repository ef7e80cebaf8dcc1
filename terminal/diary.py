"""What a visit leaves behind in the evidence journal, and what closes after a power cut. The writing thread is runtime.evidence."""

import secrets
from collections.abc import Callable, Sequence
from typing import Any, Literal

from pack.model import Language
from runtime.evidence import EvidenceThread, Stands
from runtime.journal import NEAR_END_SHARE, Journal
from runtime.recovery import last_entries
from terminal.flow.idle import Profile
from terminal.flow.phrase import Phrase
from terminal.flow.ports import EndedBy, Matter, Outcome, RatingEnd, Sheet, Subject
from terminal.tags import load_tags
from wire.kinds import (
    Door,
    PrintAsked,
    PrintFinished,
    RatingClosed,
    RatingInvited,
    RatingPressed,
    SessionClosed,
    SessionOpened,
    read_body,
)
from wire.messages import Invitation, Words

RECOVERY_DEPTH = 256
"""Entries looked at for what a cut left open. A terminal has one visitor at a time, and each leaves far fewer."""
INVITATION_MS = 10 * 60_000


class JournalDiary(EvidenceThread):
    """A `terminal.flow.ports.Diary` on a real journal.

    While the fleet's key is not known nobody is asked for a rating, since it could not be sealed. `name_of` gives a subject's
    name for the invitation, `codes_of` the codes of its items; both are asked on the session's thread.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        seal_key: Callable[[], bytes | None],
        post: Callable[[Callable[[], object]], object],
        name_of: Callable[[Subject], Words | None],
        codes_of: Callable[[Subject], Sequence[str]],
        now_ms: Callable[[], int],
    ) -> None:
        super().__init__(journal, seal_key=seal_key, post=post)
        self._name_of, self._codes_of, self._now_ms = name_of, codes_of, now_ms
        self.free_share = journal.free_share
        """The free share of the budget, 0–1, when it was looked at last (`look`)."""
        self._invited = b""
        self._stands: Stands | None = None
        """The rating whose invitation is committed, and the press of it that is. Only the writing thread uses these two."""

    @property
    def can_rate(self) -> bool:
        return self._seal_key() is not None and self.free_share >= NEAR_END_SHARE

    def look(self, done: Callable[[], object]) -> None:
        """Measure the room that is left, and call `done` on the session's thread."""

        def measured(free_share: float) -> None:
            self.free_share = free_share
            done()

        self.measure(measured)

    def session_opened(self, session: bytes) -> None:
        self.note("session.opened", SessionOpened(session=session))

    def session_closed(self, session: bytes, *, how: EndedBy, matters: Sequence[Matter], duration_ms: int) -> None:
        body = SessionClosed(session=session, how=how, matters=tuple(matters), duration_ms=duration_ms)
        self.note("session.closed", body)

    def print_asked(self, sheet: Sheet, *, session: bytes, done: Callable[[bool], object]) -> None:
        body = PrintAsked(job=sheet.job_id, what=_what(sheet.subject), session=session)
        self.write(lambda: self.commit("print.asked", body), lambda _: done(True), lambda _: done(False))

    def print_finished(self, sheet: Sheet, *, session: bytes, outcome: Outcome, reason: Phrase, evidence: str) -> None:
        body = PrintFinished(
            job=sheet.job_id, what=_what(sheet.subject), outcome=outcome, reason=reason.id or None, evidence=evidence[:200],
            item_codes=tuple(self._codes_of(sheet.subject)[:32]), session=session,
        )  # fmt: skip
        self.note("print.finished", body)

    def cabinet(self, contact: str, opened: bool) -> None:
        self.note("security.door", Door(open=opened, contact=contact))

    def rating_invited(self, rating: bytes, *, subject: Subject, done: Callable[[bool], object]) -> None:
        codes = self._codes_of(subject)
        invitation = Invitation(
            occasion=rating, stage="selfservice", item_code=codes[0] if len(codes) == 1 else subject.key[:200],
            item_name=self._name_of(subject), expires_ms=self._now_ms() + INVITATION_MS,
        )  # fmt: skip

        def invite() -> None:
            self.commit("rating.invited", RatingInvited(invitation=invitation))
            self._invited, self._stands = rating, None

        self.write(invite, lambda _: done(True), lambda _: done(False))

    def rating_pressed(self, rating: bytes, level: int, *, amends: bool, done: Callable[[Stands | None], object]) -> None:
        def press() -> Stands:
            self._stands = self.commit_press(rating, rating, level, "touch", amends=amends)
            return self._stands

        self.write(press, done, lambda _: done(None))

    def rating_closed(
        self, rating: bytes, *, how: RatingEnd, tags: Sequence[str], language: Language, profile: Profile, duration_ms: int
    ) -> None:
        def build() -> RatingClosed | None:
            if self._invited != rating:
                # Its invitation was never committed: for the journal there is no such occasion.
                return None
            stands, self._stands, self._invited = self._stands, None, b""
            return self.closing(
                rating, rating, stands, how=how, tag_set=load_tags().version, reasons=tags, language=language, profile=profile,
                duration_ms=duration_ms,
            )  # fmt: skip

        # What is refused is logged there, and tried again before the next entry.
        self.close(build, lambda _: None, lambda _: None)


def _what(subject: Subject) -> Literal["notice", "scenario_notice"]:
    return "notice" if subject.code else "scenario_notice"


def recover(journal: Journal) -> int:
    """Close what a cut, crash or damage left open: sessions (restart), prints (unknown), ratings (the last readable press stands).

    Call once at start. What a damaged journal left open is closed in the one that follows it. Returns how many entries were
    written. Raises JournalError when the journal cannot be used.
    """
    rows = last_entries(journal, RECOVERY_DEPTH)
    closing = _left_open([(row.header, row.entry.body) for row in rows])
    for kind, body in closing:
        journal.append(kind, body)
    return len(closing)


def _left_open(rows: Sequence[tuple[Any, bytes]]) -> list[tuple[str, Any]]:
    sessions: dict[bytes, None] = {}
    prints: dict[str, PrintAsked] = {}
    ratings: dict[bytes, tuple[int, bytes] | None] = {}
    for header, raw in rows:
        body = read_body(header.kind, header.kind_version, raw) if raw else None
        match body:
            case SessionOpened(session=session):
                sessions[session] = None
            case SessionClosed(session=session):
                sessions.pop(session, None)
            case PrintAsked(job=job):
                prints[job] = body
            case PrintFinished(job=job):
                prints.pop(job, None)
            case RatingInvited(invitation=invitation):
                ratings[invitation.occasion] = None
            case RatingPressed(rating=rating, leaf=point):
                ratings[rating] = (header.seq, point)
            case RatingClosed(rating=rating):
                ratings.pop(rating, None)
    closing: list[tuple[str, Any]] = [("rating.closed", _recovered(rating, press)) for rating, press in ratings.items()]
    closing += [("print.finished", _lost(asked)) for asked in prints.values()]
    closing += [("session.closed", SessionClosed(session=session, how="restart")) for session in sessions]
    return closing


def _recovered(rating: bytes, press: tuple[int, bytes] | None) -> RatingClosed:
    return RatingClosed(
        rating=rating, occasion=rating, outcome="rated" if press else "not_rated", how="recovered",
        standing=press[0] if press else None, leaf=press[1] if press else None,
    )  # fmt: skip


def _lost(asked: PrintAsked) -> PrintFinished:
    return PrintFinished(job=asked.job, what=asked.what, outcome="unknown", reason="restart", session=asked.session)


def new_id() -> bytes:
    """A fresh 16-byte id for a session, a rating or a call."""
    return secrets.token_bytes(16)
