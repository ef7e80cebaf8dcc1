"""Twelve keys at an evaluator: the digits are the standard's codes, 5 非常满意 to 1 非常不满意. The same steps for every level."""

from collections.abc import Callable

from evaluator.flow.desk import Desk
from evaluator.flow.scene import Ask, Reasons, Receipt
from hal.api import Key

DOUBLE_S = 0.5
"""The same key again this soon is a trembling hand (EN 301 549 5.8)."""


class Pad:
    """Call `key` on the flow's thread. `repeat` has the question told again, `used` is told that somebody answers by keys."""

    def __init__(self, desk: Desk, *, used: Callable[[], object], repeat: Callable[[], object]) -> None:
        self._desk, self._used, self._repeat = desk, used, repeat
        self._last: tuple[Key, float] | None = None

    def key(self, key: Key, at_s: float) -> None:
        """A key went down at `at_s` (monotonic seconds): a level, enter 好了, clear 不评价 or 改一下, 0 again."""
        if self._last is not None and self._last[0] == key and at_s - self._last[1] < DOUBLE_S:
            return
        self._last = key, at_s
        self._used()
        scene = self._desk.scene
        if key in "12345":
            self._desk.press(int(key), "key")
        elif key == "0":
            self._repeat()
        elif key == "enter" and isinstance(scene, Reasons | Receipt):
            self._desk.finish()
        elif key == "clear" and isinstance(scene, Reasons):
            self._desk.correct()
        elif key == "clear" and isinstance(scene, Ask):
            # The way back from 改一下 keeps the choice, as 不改了 on the screen does.
            (self._desk.keep if scene.correcting else self._desk.skip)()
