"""When a visitor has gone: the countdown, the warning with 还要用, and the moment of wiping. Figures: facts E1."""

from dataclasses import dataclass
from typing import Literal

from terminal.flow.clock import Clock

Profile = Literal["standard", "elder", "contrast", "keypad"]
PROFILES: tuple[Profile, ...] = ("standard", "elder", "contrast")
"""Those that every terminal has; `keypad` (语音键盘) is there where twelve keys are."""


@dataclass(frozen=True)
class Patience:
    """How long a screen waits untouched (`idle_ms`), and how long the warning then stands (`warning_ms`)."""

    idle_ms: int
    warning_ms: int


PATIENCE: dict[Profile, Patience] = {
    "standard": Patience(60_000, 20_000),
    "elder": Patience(120_000, 30_000),
    "contrast": Patience(120_000, 30_000),
    "keypad": Patience(120_000, 40_000),
}


class IdleTimer:
    """Counts from the last touch. Held while the machine itself is at work, so that nobody is wiped by a slow printer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.patience = PATIENCE["standard"]
        self.touched_ms = clock.monotonic_ms()
        self._held = False

    def touch(self) -> None:
        """Somebody is there: start counting again."""
        self.touched_ms = self._clock.monotonic_ms()

    def hold(self, held: bool) -> None:
        """Stop counting while `held`; counting starts afresh when it ends."""
        if self._held and not held:
            self.touch()
        self._held = held

    @property
    def held(self) -> bool:
        return self._held

    def left_ms(self) -> int:
        """Milliseconds until the wipe; the whole of them while held."""
        whole = self.patience.idle_ms + self.patience.warning_ms
        if self._held:
            return whole
        return max(0, whole - (self._clock.monotonic_ms() - self.touched_ms))

    @property
    def warning(self) -> bool:
        """True in the last stretch, when the screen asks 还要用?"""
        return not self._held and self.left_ms() <= self.patience.warning_ms

    @property
    def over(self) -> bool:
        return not self._held and self.left_ms() == 0
