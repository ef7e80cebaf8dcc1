"""Records ratings in the journal, on a thread of its own, so that a slow disk never holds up the screen.

The level goes into a ledger leaf (wire.leaf) and into a box sealed to the fleet; it is nowhere else: not in a log, not in a file.
"""

import queue
import secrets
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from evaluator.flow.ports import Close, Stands, Via
from runtime.journal import Journal, JournalError, JournalFull
from runtime.recovery import last_entries
from wire import leaf
from wire.kinds import CloseSecret, PressSecret, RatingClosed, RatingInvited, RatingPressed, read_body
from wire.messages import Invitation, Placement

log = structlog.get_logger("evaluator.evidence")

RECOVERY_DEPTH = 64
"""Entries looked at for an open rating at start. An evaluator has one rating at a time and each ends within a few entries."""


class Evidence:
    """The flow's Book on a real journal.

    `post` hands a callable to the flow's thread (the ui bridge). `seal_key` gives the fleet's key at the moment of sealing, or
    None while none is known; then nothing is recorded and the outcome says `rating.not_paired`.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        seal_key: Callable[[], bytes | None],
        post: Callable[[Callable[[], object]], object],
    ) -> None:
        self._journal, self._seal_key, self._post = journal, seal_key, post
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._left: list[RatingClosed] = []
        """Closes that the journal would not take yet; they go before anything else."""
        self._thread = threading.Thread(target=self._run, name="evidence", daemon=True)

    def start(self) -> None:
        """Begin to write what is handed in."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Write what is still waiting, then end and close the journal."""
        self._work.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._journal.close()

    def invited(self, invitation: Invitation, done: Callable[[str | None], object]) -> None:
        """See Book."""

        def write() -> None:
            self._write_left()
            self._commit("rating.invited", RatingInvited(invitation=invitation))

        self._put(write, lambda _: done(None), done)

    def pressed(
        self,
        rating: bytes,
        occasion: bytes | None,
        level: int,
        via: Via,
        *,
        amends: bool,
        done: Callable[[Stands | str], object],
    ) -> None:
        """See Book."""

        def write() -> Stands:
            self._write_left()
            secret = leaf.new_secret()
            point = leaf.leaf(level, secret)
            sealed = leaf.seal(PressSecret(level=level, secret=secret), self._key())
            body = RatingPressed(rating=rating, occasion=occasion, via=via, leaf=point, sealed=sealed)
            return Stands(self._commit("rating.amended" if amends else "rating.pressed", body), point)

        self._put(write, done, done)

    def closed(self, close: Close, done: Callable[[str | None], object]) -> None:
        """See Book. One that cannot be written is kept and tried again before every later entry and at each `measure`."""

        def write() -> None:
            self._left.append(self._close_body(close))
            self._write_left()

        self._put(write, lambda _: done(None), done)

    def prune(self, archived: Sequence[tuple[bytes, int]]) -> None:
        """Let go of entries that the fleet holds in a verified backup, by (journal id, archived through)."""
        self._housekeep("prune", lambda: self._journal.apply_archived(archived))

    def note_placement(self, placement: Placement) -> None:
        """Record where the fleet has put this device, when that is new."""
        self._housekeep("note_placement", lambda: self._journal.note_placement(placement))

    def close_damaged(self, journal_id: bytes, reason: str) -> None:
        """Go on in a new journal, when a reader met damage in the present one; a report about an older one changes nothing."""

        def close() -> None:
            if journal_id == self._journal.journal_id:
                self._journal.close_damaged(reason)

        self._housekeep("close_damaged", close)

    def measure(self, done: Callable[[float], object]) -> None:
        """Tell the free share of the budget, 0–1, to `done` on the flow's thread."""

        def measure() -> None:
            free = self._journal.free_share
            self._post(lambda: done(free))

        self._housekeep("measure", measure)

    def _housekeep(self, what: str, job: Callable[[], object]) -> None:
        def careful() -> None:
            try:
                self._write_left()
                job()
            except (JournalError, OSError, sqlite3.Error) as error:
                # Ratings go on; the next round tries again.
                log.error("housekeeping of the journal failed", what=what, error=str(error))

        self._work.put(careful)

    def recover(self) -> int:
        """Close what a power cut, crash or damage left open; the last press that can be read stands. Call before `start`.

        Returns how many were closed. A rating of a damaged journal is closed in the one that follows it.

        Raises JournalError when the journal cannot be read or written.
        """
        rows = last_entries(self._journal, RECOVERY_DEPTH)
        opened = _left_open([(row.header, row.entry.body) for row in rows])
        for close in opened:
            self._journal.append("rating.closed", close)
        return len(opened)

    def _close_body(self, close: Close) -> RatingClosed:
        stands = close.stands
        outcome = "not_rated" if stands is None else "uninvited" if close.occasion is None else "rated"
        sealed = leaf.seal(CloseSecret(reasons=close.reasons), self._key()) if outcome == "rated" else None
        return RatingClosed(
            rating=close.rating,
            occasion=close.occasion,
            outcome=outcome,  # type: ignore[arg-type]
            how=close.how,
            standing=stands.seq if stands else None,
            leaf=stands.leaf if stands else None,
            tag_set=close.tag_set,
            sealed=sealed,
            language=close.language,
            profile=close.profile,
            duration_ms=close.duration_ms,
        )

    def _key(self) -> bytes:
        key = self._seal_key()
        if key is None:
            raise JournalError("the fleet's seal key is not known; pair this device")
        return key

    def _write_left(self) -> None:
        while self._left:
            self._commit("rating.closed", self._left[0])
            del self._left[0]

    def _commit(self, kind: str, body: Any) -> int:
        return self._journal.append(kind, body).seq

    def _put(self, write: Callable[[], Any], done: Callable[[Any], object], failed: Callable[[str], object]) -> None:
        def job() -> None:
            try:
                outcome = write()
            except JournalError as error:
                log.error("a rating entry was not recorded", error=str(error))
                reason = "rating.storage_full" if isinstance(error, JournalFull) else "rating.not_recorded"
                self._post(lambda: failed(reason))
            else:
                self._post(lambda: done(outcome))

        self._work.put(job)

    def _run(self) -> None:
        while (job := self._work.get()) is not None:
            job()


def _left_open(rows: list[tuple[Any, bytes]]) -> list[RatingClosed]:
    """The entries that close what the rows leave open: presses that stand, and questions nobody answered."""
    asked: set[bytes] = set()
    presses: dict[bytes, tuple[RatingPressed, int]] = {}
    for header, raw in rows:
        if not header.kind.startswith("rating.") or not raw:
            continue
        body = read_body(header.kind, header.kind_version, raw)
        if isinstance(body, RatingInvited):
            asked.add(body.invitation.occasion)
        elif isinstance(body, RatingPressed):
            presses[body.rating] = (body, header.seq)
            asked.discard(body.occasion or b"")
        elif isinstance(body, RatingClosed):
            presses.pop(body.rating, None)
            asked.discard(body.occasion or b"")
    unanswered = [
        RatingClosed(rating=secrets.token_bytes(16), occasion=occasion, outcome="not_rated", how="recovered")
        for occasion in sorted(asked)
    ]
    return unanswered + [_standing(press, seq) for press, seq in presses.values()]


def _standing(press: RatingPressed, seq: int) -> RatingClosed:
    return RatingClosed(
        rating=press.rating,
        occasion=press.occasion,
        outcome="uninvited" if press.occasion is None else "rated",
        how="recovered",
        standing=seq,
        leaf=press.leaf,
    )
