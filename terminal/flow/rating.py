"""One rating occasion after a finished matter: asked, pressed, perhaps corrected, given reasons, closed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pack.model import Language
from terminal.flow.clock import Clock
from terminal.flow.idle import Profile
from terminal.flow.ports import Diary, RatingEnd, Stands, Subject
from wire.leaf import receipt_code

LEVELS = (5, 4, 3, 2, 1)
CORRECT_MS = 5_000
"""How long 改一下 stays, whatever was pressed."""
MOST_TAGS = 6

RatingState = Literal["inviting", "asked", "pressed", "closed"]


@dataclass
class Rating:
    """The machine for one occasion. Invitation and presses are in the journal before the state changes.

    `waiting` is the level of a press that is on its way to the disk; until it is there nothing else is taken.
    """

    rating: bytes
    diary: Diary
    clock: Clock
    state: RatingState = "inviting"
    waiting: int | None = None
    level: int | None = None
    tags: set[str] = field(default_factory=set)
    correcting: bool = False
    stands: Stands | None = None
    _pressed_ms: int = 0
    _asked_ms: int = 0

    def invite(self, subject: Subject, done: Callable[[bool], object]) -> None:
        """Record the invitation; `done(True)` when the screen may ask. Nothing is called once the occasion is closed."""

        def recorded(is_kept: bool) -> None:
            if self.state != "inviting":
                return
            if is_kept:
                self.state, self._asked_ms = "asked", self.clock.monotonic_ms()
            done(is_kept)

        self._asked_ms = self.clock.monotonic_ms()
        self.diary.rating_invited(self.rating, subject=subject, done=recorded)

    def press(self, level: int, done: Callable[[bool], object]) -> None:
        """Take a level: the first one, or a correction. `done(True)` after the commit: thanks may be drawn.

        `done(False)` when the press could not be recorded. Nothing is called once the occasion is closed.

        Raises:
            ValueError: the level is not 1 to 5.
        """
        if level not in LEVELS:
            raise ValueError(f"level is {level}; a rating has levels 1 to 5")
        may_press = self.state == "asked" or (self.state == "pressed" and self.correcting)
        if not may_press or self.waiting is not None:
            return
        if level == self.level:
            self._press_stands(level)
            done(True)
            return

        def recorded(stands: Stands | None) -> None:
            self.waiting = None
            if self.state == "closed":
                return
            if stands is not None:
                self.stands = stands
                self.tags.clear()
                self._press_stands(level)
            done(stands is not None)

        self.waiting = level
        self.diary.rating_pressed(self.rating, level, amends=self.state == "pressed", done=recorded)

    def _press_stands(self, level: int) -> None:
        self.level, self.state, self.correcting = level, "pressed", False
        self._pressed_ms = self.clock.monotonic_ms()

    def correct_left_ms(self) -> int:
        """Milliseconds that 改一下 is still offered."""
        if self.state != "pressed" or self.correcting:
            return 0
        return max(0, CORRECT_MS - (self.clock.monotonic_ms() - self._pressed_ms))

    def correct(self) -> bool:
        """Ask for another level. False when the five seconds are over."""
        if self.correct_left_ms() == 0:
            return False
        self.correcting = True
        return True

    def tag(self, tag_id: str) -> None:
        """Add a reason, or take it back."""
        if self.state != "pressed":
            return
        if tag_id in self.tags:
            self.tags.remove(tag_id)
        elif len(self.tags) < MOST_TAGS:
            self.tags.add(tag_id)

    def close(self, how: RatingEnd, *, language: Language, profile: Profile) -> str:
        """Close the occasion for good. Returns the receipt code, or '' when no press is known to stand."""
        if self.state != "closed":
            self.diary.rating_closed(
                self.rating,
                how=how,
                tags=sorted(self.tags),
                language=language,
                profile=profile,
                duration_ms=self.clock.monotonic_ms() - self._asked_ms,
            )
            self.state = "closed"
        return receipt_code(self.stands.leaf) if self.stands else ""
