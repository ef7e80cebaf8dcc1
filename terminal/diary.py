"""Writes what a visit leaves behind into the evidence journal, and closes what a power cut left open."""

import secrets
from collections.abc import Callable, Sequence
from typing import Any, Literal

import structlog

from pack.model import Language
from runtime.journal import Journal, JournalError
from runtime.recovery import last_entries
from terminal.flow.idle import Profile
from terminal.flow.phrase import Phrase
from terminal.flow.ports import DiaryFull, EndedBy, Matter, Outcome, RatingEnd, Sheet, Subject
from terminal.tags import load_tags
from wire import leaf
from wire.kinds import (
    CloseSecret,
    Door,
    PressSecret,
    PrintAsked,
    PrintFinished,
    RatingClosed,
    RatingInvited,
    RatingPressed,
    SessionClosed,
    SessionOpened,
    read_body,
)
from wire.messages import Invitation, Placement, Words

log = structlog.get_logger("terminal.diary")

RECOVERY_DEPTH = 256
"""Entries looked at for what a cut left open. A terminal has one visitor at a time, and each leaves far fewer."""
INVITATION_MS = 10 * 60_000


class JournalDiary:
    """A `terminal.flow.ports.Diary` on a real journal. Every call commits before it returns.

    `seal_key` gives the fleet's key, or None while none is known: then nobody is asked for a rating, since it could not be
    sealed. `name_of` gives a subject's name for the invitation, `codes_of` the codes of its items.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        seal_key: Callable[[], bytes | None],
        name_of: Callable[[Subject], Words | None],
        codes_of: Callable[[Subject], Sequence[str]],
        now_ms: Callable[[], int],
    ) -> None:
        self._journal, self._seal_key = journal, seal_key
        self._name_of, self._codes_of, self._now_ms = name_of, codes_of, now_ms
        self._press: tuple[bytes, int, bytes] | None = None
        """Of the rating under way: its id, the seq of the press that stands, and its leaf."""

    @property
    def can_rate(self) -> bool:
        return self._seal_key() is not None and not self._journal.is_near_end

    def session_opened(self, session: bytes) -> None:
        self._note("session.opened", SessionOpened(session=session))

    def session_closed(self, session: bytes, *, how: EndedBy, matters: Sequence[Matter], duration_ms: int) -> None:
        body = SessionClosed(session=session, how=how, matters=tuple(matters), duration_ms=duration_ms)
        self._note("session.closed", body)

    def print_asked(self, sheet: Sheet, *, session: bytes) -> None:
        self._must("print.asked", PrintAsked(job=sheet.job_id, what=_what(sheet.subject), session=session))

    def print_finished(self, sheet: Sheet, *, session: bytes, outcome: Outcome, reason: Phrase, evidence: str) -> None:
        body = PrintFinished(
            job=sheet.job_id, what=_what(sheet.subject), outcome=outcome, reason=reason.id or None, evidence=evidence[:200],
            item_codes=tuple(self._codes_of(sheet.subject)[:32]), session=session,
        )  # fmt: skip
        self._note("print.finished", body)

    def door(self, opened: bool) -> None:
        self._note("security.door", Door(open=opened))

    def placed(self, placement: Placement) -> None:
        """Record where the fleet has put this device, when that is new. What cannot be kept now is when the view next comes."""
        try:
            self._journal.note_placement(placement)
        except JournalError as error:
            log.error("the placement was not kept", error=str(error))

    def rating_invited(self, rating: bytes, *, subject: Subject) -> None:
        codes = self._codes_of(subject)
        now_ms = self._now_ms()
        self._press = None
        invitation = Invitation(
            occasion=rating, stage="selfservice", item_code=codes[0] if len(codes) == 1 else subject.key[:200],
            item_name=self._name_of(subject), expires_ms=now_ms + INVITATION_MS,
        )  # fmt: skip
        self._must("rating.invited", RatingInvited(invitation=invitation))

    def rating_pressed(self, rating: bytes, level: int) -> None:
        self._commit_press("rating.pressed", rating, level)

    def rating_amended(self, rating: bytes, level: int) -> None:
        self._commit_press("rating.amended", rating, level)

    def rating_closed(
        self, rating: bytes, *, how: RatingEnd, tags: Sequence[str], language: Language, profile: Profile, duration_ms: int
    ) -> str:
        press, self._press = self._press, None
        stands = press is not None and press[0] == rating
        key = self._seal_key()
        body = RatingClosed(
            rating=rating, occasion=rating, outcome="rated" if stands else "not_rated", how=how,
            standing=press[1] if stands and press else None, leaf=press[2] if stands and press else None,
            tag_set=load_tags().version,
            sealed=leaf.seal(CloseSecret(reasons=tuple(tags)), key) if stands and key else None,
            language=language, profile=profile, duration_ms=max(0, duration_ms),
        )  # fmt: skip
        self._must("rating.closed", body)
        return leaf.receipt_code(press[2]) if stands and press else ""

    def _commit_press(self, kind: Literal["rating.pressed", "rating.amended"], rating: bytes, level: int) -> None:
        key = self._seal_key()
        if key is None:
            raise DiaryFull("the fleet's seal key is not known; pair this device before ratings are asked for")
        secret = leaf.new_secret()
        point = leaf.leaf(level, secret)
        sealed = leaf.seal(PressSecret(level=level, secret=secret), key)
        body = RatingPressed(rating=rating, occasion=rating, via="touch", leaf=point, sealed=sealed)
        self._press = (rating, self._must(kind, body), point)

    def _must(self, kind: str, body: Any) -> int:
        """Commit or refuse: what is not in the journal must not be shown as done."""
        try:
            return self._journal.append(kind, body).seq
        except JournalError as error:
            log.error("an entry was not kept", kind=kind, error=str(error))
            raise DiaryFull(str(error)) from error

    def _note(self, kind: str, body: Any) -> None:
        """Commit if there is room. A visitor is served and wiped whether or not there is; the log says what was lost."""
        try:
            self._journal.append(kind, body)
        except JournalError as error:
            log.error("an entry was lost", kind=kind, error=str(error))


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
