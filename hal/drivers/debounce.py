"""Debouncing over raw edges with their timestamps: pure, so its exactness can be tested without time or hardware."""

from __future__ import annotations


class Debounce:
    """One contact, fed with every raw edge; tells which edge is a new press.

    A press is told at its first edge, so bounce costs no delay. Whatever follows is bounce until the contact has kept one
    level for `settle_s`. So a press is missed only when the contact was at rest for less than that before it, and doubled
    only when it bounces with pauses longer than that.
    """

    def __init__(self, settle_s: float, *, pressed: bool = False, at_s: float = float("-inf")) -> None:
        self._settle_s = settle_s
        self._level = pressed
        self._rest = pressed
        self._edge_s = at_s
        self._restless_since_s = at_s
        self._pressed_since_s = at_s

    @property
    def level(self) -> bool:
        """The level of the last edge: True while the contact is closed, bouncing or not."""
        return self._level

    def feed(self, at_s: float, pressed: bool) -> bool:
        """Take one edge to `pressed` at `at_s` (monotonic seconds); True when it is a new press."""
        if at_s - self._edge_s >= self._settle_s:
            # The level before this edge was kept long enough to believe it.
            self._rest = self._level
            self._restless_since_s = at_s
        self._edge_s = max(self._edge_s, at_s)
        if pressed and not self._level:
            self._pressed_since_s = at_s
        self._level = pressed
        if not pressed or self._rest:
            return False
        self._rest = True
        return True

    def rested(self, now_s: float) -> bool:
        """Whether the contact has kept its level for the settling time."""
        return now_s - self._edge_s >= self._settle_s

    def held_s(self, now_s: float) -> float:
        """For how long the contact has been closed without opening; 0 while it is open."""
        return now_s - self._pressed_since_s if self._level else 0.0

    def chattering_s(self, now_s: float) -> float:
        """For how long the contact has changed without a rest, if it still does; 0 when it is at rest."""
        if now_s - self._edge_s >= self._settle_s:
            return 0.0
        return self._edge_s - self._restless_since_s
