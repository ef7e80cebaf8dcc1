"""Writes a face's evidence journal on a thread of its own, so that a slow disk never holds up the screen.

The level of a rating goes into a ledger leaf (wire.leaf) and into a box sealed to the fleet; it is nowhere else: not in a log,
not in a file.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

import structlog
from msgspec import Struct

from runtime.clock import Clock
from runtime.config import DeviceConfig
from runtime.identity import Identity
from runtime.journal import Appended, Journal, JournalError
from runtime.local import kept_view
from wire import leaf
from wire.kinds import BoxPress, CloseSecret, Language, PressSecret, Profile, RatingClosed, RatingPressed
from wire.messages import Placement

log = structlog.get_logger("runtime.evidence")

T = TypeVar("T")


def open_evidence(config: DeviceConfig, *, identity: Identity, clock: Clock) -> Journal:
    """The face's journal, within its configured share of the disk; its first entry says where the device last knew it stood.

    `clock` has to be the one of the screen and the agent's socket: what the fleet repairs must reach the entries.

    Raises JournalError when the journal cannot be opened.
    """
    desired = kept_view(config.data_path, identity.device).desired
    return Journal.open(
        config.data_path, "evidence", identity=identity, clock=clock,
        budget_bytes=config.journal.evidence_budget_mb * 1_048_576, placement=desired.placement if desired else None,
    )  # fmt: skip


class Stands(NamedTuple):
    """A press that is committed: its place in the journal and its leaf. The level is not in it."""

    seq: int
    leaf: bytes


class EvidenceThread:
    """A face's one writer. What is handed in is written in order; answers come later, through `post`.

    `post` hands a callable to the face's own thread (the ui bridge). `seal_key` gives the fleet's key at the moment of sealing,
    or None while none is known; then no rating is recorded. A face's class adds what it records, in two parts: what is asked for
    on the face's thread is given to `write` and `close`, and the callables given to those use `commit`, `commit_press` and
    `closing`.
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

    # On the face's thread: these return at once

    def start(self) -> None:
        """Begin to write what is handed in."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Write what is still waiting, then end and close the journal. Waits for the disk."""
        self._work.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._journal.close()

    def write(self, job: Callable[[], T], done: Callable[[T], object], failed: Callable[[JournalError], object]) -> None:
        """Run `job` on the writing thread, after the closes that are still left; then post `done(outcome)` or `failed(error)`."""

        def after_what_is_left() -> T:
            self._write_left()
            return job()

        self._put(after_what_is_left, done, failed)

    def close(
        self, build: Callable[[], RatingClosed | None], done: Callable[[None], object], failed: Callable[[JournalError], object]
    ) -> None:
        """Write the end of a rating, which `build` makes on the writing thread; None when there is nothing to end.

        One that the journal will not take now is kept, and tried again before every later entry.
        """

        def end() -> None:
            if (body := build()) is not None:
                self._left.append(body)
            self._write_left()

        self._put(end, done, failed)

    def _put(self, job: Callable[[], T], done: Callable[[T], object], failed: Callable[[JournalError], object]) -> None:
        def careful() -> None:
            try:
                outcome = job()
            except JournalError as error:
                log.error("an entry was not recorded", error=str(error))
                reason = error
                self._post(lambda: failed(reason))
            else:
                self._post(lambda: done(outcome))

        self._work.put(careful)

    def note(self, kind: str, body: Struct) -> None:
        """Record something that nobody waits for; the log says when it was lost."""
        self._housekeep(kind, lambda: self.commit(kind, body))

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
        """Tell the free share of the budget, 0–1, to `done` on the face's thread."""

        def measure() -> None:
            # Before anything is written: what is left over on a full disk must not keep anybody from knowing that it is full.
            free = self._journal.free_share
            self._post(lambda: done(free))

        self._work.put(measure)
        self._housekeep("write what is left", lambda: None)

    def _housekeep(self, what: str, job: Callable[[], object]) -> None:
        def careful() -> None:
            try:
                self._write_left()
                job()
            except (JournalError, OSError, sqlite3.Error) as error:
                # Ratings go on; the next round tries again.
                log.error("housekeeping of the journal failed", what=what, error=str(error))

        self._work.put(careful)

    # On the writing thread: for what is given to `write` and `close`

    def commit(self, kind: str, body: Any) -> Appended:
        """Commit one entry. Raises JournalError."""
        return self._journal.append(kind, body)

    def commit_press(
        self,
        rating: bytes,
        occasion: bytes | None,
        level: int,
        via: Literal["touch", "button", "key"],
        *,
        amends: bool,
        box: BoxPress | None = None,
    ) -> Stands:
        """Commit a press, or the press that corrects it. Raises JournalError, also while the fleet's key is not known."""
        secret = leaf.new_secret()
        point = leaf.leaf(level, secret)
        sealed = leaf.seal(PressSecret(level=level, secret=secret), self._key())
        body = RatingPressed(rating=rating, occasion=occasion, via=via, leaf=point, sealed=sealed, box=box)
        return Stands(self.commit("rating.amended" if amends else "rating.pressed", body).seq, point)

    def closing(
        self,
        rating: bytes,
        occasion: bytes | None,
        stands: Stands | None,
        *,
        how: Literal["done", "skip", "timeout", "withdrawn", "recovered", "left"],
        tag_set: str,
        reasons: Sequence[str],
        language: Language,
        profile: Profile,
        duration_ms: int,
    ) -> RatingClosed:
        """The last entry of a rating. Reasons are sealed, and only when a press that was asked for stands.

        Raises JournalError while the fleet's key is needed and not known.
        """
        outcome: Literal["rated", "not_rated", "uninvited"] = "rated"
        if stands is None or occasion is None:
            outcome = "not_rated" if stands is None else "uninvited"
        return RatingClosed(
            rating=rating,
            occasion=occasion,
            outcome=outcome,
            how=how,
            standing=stands.seq if stands else None,
            leaf=stands.leaf if stands else None,
            tag_set=tag_set,
            sealed=leaf.seal(CloseSecret(reasons=tuple(reasons)), self._key()) if outcome == "rated" else None,
            language=language,
            profile=profile,
            duration_ms=max(0, duration_ms),
        )

    def _key(self) -> bytes:
        key = self._seal_key()
        if key is None:
            raise JournalError("the fleet's seal key is not known; pair this device")
        return key

    def _write_left(self) -> None:
        while self._left:
            self.commit("rating.closed", self._left[0])
            del self._left[0]

    def _run(self) -> None:
        while (job := self._work.get()) is not None:
            job()
