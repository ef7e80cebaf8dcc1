"""One rating occasion after a finished matter: asked, pressed, perhaps corrected, given reasons, closed."""

from dataclasses import dataclass, field
from typing import Literal

from pack.model import Language
from terminal.flow.clock import Clock
from terminal.flow.idle import Profile
from terminal.flow.ports import Diary, RatingEnd

LEVELS = (5, 4, 3, 2, 1)
CORRECT_MS = 5_000
"""How long 改一下 stays, whatever was pressed."""
MOST_TAGS = 6

RatingState = Literal["asked", "pressed", "closed"]


@dataclass
class Rating:
    """The machine for one occasion. Every press is in the journal before the state changes."""

    rating: bytes
    diary: Diary
    clock: Clock
    state: RatingState = "asked"
    level: int | None = None
    tags: set[str] = field(default_factory=set)
    receipt: str = ""
    correcting: bool = False
    _pressed_ms: int = 0
    _asked_ms: int = 0

    def __post_init__(self) -> None:
        self._asked_ms = self.clock.monotonic_ms()

    def press(self, level: int) -> None:
        """Take a level: the first one, or a correction.

        Raises:
            ValueError: the level is not 1 to 5.
        """
        if level not in LEVELS:
            raise ValueError(f"level is {level}; a rating has levels 1 to 5")
        if self.state == "closed" or (self.state == "pressed" and not self.correcting):
            return
        if self.state == "pressed":
            if level != self.level:
                self.diary.rating_amended(self.rating, level)
                self.tags.clear()
        else:
            self.diary.rating_pressed(self.rating, level)
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
        """Close the occasion for good. Returns the receipt code, or '' when nothing was pressed."""
        if self.state == "closed":
            return self.receipt
        self.receipt = self.diary.rating_closed(
            self.rating,
            how=how,
            tags=sorted(self.tags),
            language=language,
            profile=profile,
            duration_ms=self.clock.monotonic_ms() - self._asked_ms,
        )
        self.state = "closed"
        return self.receipt
