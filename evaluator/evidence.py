"""Records ratings in the evaluator's journal, and closes what a cut left open. The writing thread is runtime.evidence."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

from evaluator.boxes import BoxMarks
from evaluator.flow.ports import Close, Stands, Via
from runtime.evidence import EvidenceThread
from runtime.journal import Journal, JournalError, JournalFull
from runtime.recovery import last_entries
from wire.kinds import BoxPress, Door, RatingClosed, RatingInvited, RatingPressed, read_body
from wire.messages import Invitation

RECOVERY_DEPTH = 64
"""Entries looked at for an open rating at start. An evaluator has one rating at a time and each ends within a few entries."""


class Evidence(EvidenceThread):
    """The flow's Book on a real journal. While the fleet's key is not known nothing is recorded, and the outcome says so.

    `boxes` knows which presses of button boxes are recorded: from the journal's last entries, and from a file beside it.
    """

    def __init__(
        self, journal: Journal, *, seal_key: Callable[[], bytes | None], post: Callable[[Callable[[], object]], object]
    ) -> None:
        super().__init__(journal, seal_key=seal_key, post=post)
        self.boxes = BoxMarks(journal.path.parent / "button-boxes.json")

    def measure(self, done: Callable[[float], object]) -> None:
        """See EvidenceThread; also stores the marks of button boxes."""
        super().measure(done)
        self._housekeep("store the marks of button boxes", self.boxes.store)

    def invited(self, invitation: Invitation, done: Callable[[str | None], object]) -> None:
        """See Book."""
        body = RatingInvited(invitation=invitation)
        self.write(lambda: self.commit("rating.invited", body), lambda _: done(None), _told(done))

    def pressed(
        self,
        rating: bytes,
        occasion: bytes | None,
        level: int,
        via: Via,
        *,
        amends: bool,
        box: BoxPress | None = None,
        done: Callable[[Stands | str], object],
    ) -> None:
        """See Book."""

        def commit() -> Stands:
            stands = self.commit_press(rating, occasion, level, via, amends=amends, box=box)
            if box is not None:
                self.boxes.recorded(box)
            return stands

        self.write(commit, done, _told(done))

    def closed(self, close: Close, done: Callable[[str | None], object]) -> None:
        """See Book. One that cannot be written is kept and tried again before every later entry and at each `measure`."""

        def build() -> RatingClosed:
            return self.closing(
                close.rating, close.occasion, close.stands, how=close.how, tag_set=close.tag_set, reasons=close.reasons,
                language=close.language, profile=close.profile, duration_ms=close.duration_ms,
            )  # fmt: skip

        self.close(build, done, _told(done))

    def cabinet(self, contact: str, opened: bool) -> None:
        """See Book."""
        self.note("security.door", Door(open=opened, contact=contact))

    def recover(self) -> int:
        """Close what a power cut, crash or damage left open; the last press that can be read stands. Call before `start`.

        Returns how many were closed. A rating of a damaged journal is closed in the one that follows it.

        Raises JournalError when the journal cannot be read or written.
        """
        rows = last_entries(self._journal, RECOVERY_DEPTH)
        bodies = [(row.header, row.entry.body) for row in rows]
        for body in _presses(bodies):
            if body.box is not None:
                self.boxes.recorded(body.box)
        opened = _left_open(bodies)
        for close in opened:
            self._journal.append("rating.closed", close)
        return len(opened)


def _told(done: Callable[[str], object]) -> Callable[[JournalError], object]:
    """Passes an error of the journal on as the message that people read."""
    return lambda error: done("rating.storage_full" if isinstance(error, JournalFull) else "rating.not_recorded")


def _presses(rows: list[tuple[Any, bytes]]) -> Iterator[RatingPressed]:
    for header, raw in rows:
        if header.kind in ("rating.pressed", "rating.amended") and raw:
            body = read_body(header.kind, header.kind_version, raw)
            if isinstance(body, RatingPressed):
                yield body


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
