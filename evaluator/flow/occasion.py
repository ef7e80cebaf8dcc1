"""One rating, from the question to the receipt: asked → committing → thanked → closed, each press in the journal first."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from evaluator.flow.ports import Book, Clock, Close, Ended, Kept, Stands, Via
from wire.kinds import Language, Profile
from wire.leaf import receipt_code
from wire.messages import Invitation

Stage = Literal["asked", "committing", "thanked", "correcting", "closing", "receipt", "over", "failed"]


@dataclass(frozen=True)
class Times:
    """How long each step waits, in seconds; `elder` stretches what asks for reading."""

    invitation_s: float = 60.0
    correction_s: float = 5.0
    reasons_s: float = 20.0
    receipt_s: float = 10.0

    @property
    def whole_s(self) -> float:
        """How long a rating takes that uses the time of every step once."""
        return self.invitation_s + self.correction_s + self.reasons_s + self.receipt_s

    def stretched(self, profile: Profile) -> "Times":
        """Half as long again for the elder profile; the five seconds of correction are the same for everybody."""
        if profile != "elder":
            return self
        return Times(self.invitation_s * 1.5, self.correction_s, self.reasons_s * 1.5, self.receipt_s * 1.5)


def settle(kept: Kept | None) -> None:
    """Let a button box forget a press that is recorded, or was refused before the citizen's eyes."""
    if kept is not None:
        kept.settled(True)


@dataclass
class Occasion:
    """The rating of one service. `changed` is called after every change that a screen may show."""

    rating: bytes
    invitation: Invitation
    book: Book
    clock: Clock
    times: Times
    changed: Callable[[], object]
    language: Language
    profile: Profile = "standard"
    tag_set: str = ""
    stage: Stage = "asked"
    level: int | None = None
    reasons: list[str] = field(default_factory=list)
    stands: Stands | None = None
    receipt: str = ""
    trouble: str | None = None
    """Why nothing could be recorded, a message id, in stage `failed`."""
    ended: Ended | None = None

    def __post_init__(self) -> None:
        self._asked_at = self.clock.mono_s()
        self._pressed_at = 0.0
        self._deadline = self._asked_at + self._times.invitation_s
        self._end_after_commit: Ended | None = None

    @property
    def _times(self) -> Times:
        return self.times.stretched(self.profile)

    @property
    def asked_at_s(self) -> float:
        """When the question came up (monotonic seconds)."""
        return self._asked_at

    @property
    def left_s(self) -> float:
        """Seconds until this step ends by itself."""
        return max(0.0, self._deadline - self.clock.mono_s())

    @property
    def of_s(self) -> float:
        """How long this step was to wait in all."""
        times = self._times
        by_stage = {"thanked": times.reasons_s, "receipt": times.receipt_s, "failed": times.receipt_s}
        return by_stage.get(self.stage, times.invitation_s)

    @property
    def correction_left_s(self) -> float:
        """Seconds for which 改一下 is still offered; 0 when it is not."""
        if self.stage != "thanked":
            return 0.0
        return max(0.0, self._pressed_at + self.times.correction_s - self.clock.mono_s())

    def press(self, level: int, via: Via, kept: Kept | None = None) -> bool:
        """Take a press. False when none is wanted at this stage; then nothing is recorded, and one of a box is not settled.

        Raises ValueError for a level outside 1–5.
        """
        if level not in (1, 2, 3, 4, 5):
            raise ValueError(f"level is {level}; a rating has levels 1–5")
        if self.stage not in ("asked", "correcting"):
            return False
        amends = self.stage == "correcting"
        if amends and level == self.level:
            settle(kept)
            self._thank()
            return True
        before, self.level, self.stage = self.level, level, "committing"

        def committed(outcome: Stands | str) -> None:
            # Also one that could not be recorded: the screen says so, and the citizen may press again.
            settle(kept)
            if isinstance(outcome, str):
                self._press_failed(before, outcome)
                return
            self.stands = outcome
            if amends:
                self.reasons.clear()  # They belonged to the level that was taken back.
            self._thank()

        box = kept.box if kept else None
        self.book.pressed(self.rating, self.invitation.occasion, level, via, amends=amends, box=box, done=committed)
        self.changed()
        return True

    def _press_failed(self, before: int | None, reason: str) -> None:
        self.level = before
        if self.stands is not None:
            # The first press stands in the journal; only its correction could not be written.
            self._thank()
            return
        self.trouble = reason
        if self._end_after_commit is not None:
            self._close(self._end_after_commit)
            return
        self._to("failed", self._times.receipt_s)
        self.changed()

    def _thank(self) -> None:
        if self._end_after_commit is not None:
            self._close(self._end_after_commit)
            return
        self._pressed_at = self.clock.mono_s()
        self._to("thanked", self._times.reasons_s)
        self.changed()

    def correct(self) -> bool:
        """Ask again, as 改一下 offers for five seconds. False when they are over."""
        if self.correction_left_s <= 0:
            return False
        self._to("correcting", self._times.invitation_s)
        self.changed()
        return True

    def keep(self) -> None:
        """Leave the correction: the press before stands."""
        if self.stage == "correcting":
            self._thank()

    def toggle(self, tag_id: str) -> None:
        """Choose a reason or take it back; the step waits anew, since somebody is there."""
        if self.stage != "thanked":
            return
        if tag_id in self.reasons:
            self.reasons.remove(tag_id)
        else:
            self.reasons.append(tag_id)
        self._deadline = self.clock.mono_s() + self._times.reasons_s
        self.changed()

    def here(self) -> None:
        """Somebody touched something that is no answer (language, profile): wait anew."""
        if self.stage in ("asked", "correcting", "thanked"):
            self._to(self.stage, self.of_s)
            self.changed()

    def finish(self, how: Ended) -> None:
        """End the rating now, whatever its stage: the press that stands is kept, without one it is 未评价."""
        if self.stage == "receipt":
            self._over()
        if self.stage in ("closing", "over"):
            return
        if self.stage == "failed":
            # Nothing was kept of the press, but the question was: the disk may take its end by now.
            how = "left"
        if self.stage == "committing":
            # The press is on its way to the disk; its own commit decides what stands, and the close follows it in order.
            self._end_after_commit = how
            return
        self._close(how)

    def _close(self, how: Ended) -> None:
        self.stage, self.ended = "closing", how
        close = Close(
            rating=self.rating,
            occasion=self.invitation.occasion,
            how=how,
            stands=self.stands,
            tag_set=self.tag_set if self.stands else "",
            reasons=tuple(self.reasons),
            language=self.language,
            profile=self.profile,
            duration_ms=round((self.clock.mono_s() - self._asked_at) * 1000),
        )

        def committed(reason: str | None) -> None:
            # A close that cannot be written is made up at the next start; the press stands either way.
            if self.stands is not None and how in ("done", "skip", "timeout"):
                self.receipt = receipt_code(self.stands.leaf)
                self._to("receipt", self._times.receipt_s)
                self.changed()
            else:
                self._over()

        self.book.closed(close, committed)
        self.changed()

    def tick(self) -> None:
        """Let time pass: what waited long enough ends."""
        if self.left_s > 0:
            return
        if self.stage == "correcting":
            self.keep()
        elif self.stage in ("asked", "thanked", "failed"):
            self.finish("timeout")
        elif self.stage == "receipt":
            self._over()

    def _over(self) -> None:
        self.stage = "over"
        self.changed()

    def _to(self, stage: Stage, wait_s: float) -> None:
        self.stage = stage
        self._deadline = self.clock.mono_s() + wait_s
