"""From the kernel's input events to keys that went down and up: pure, whatever a device sends and whatever the kernel lost."""

from __future__ import annotations

from typing import Any, NamedTuple

from hal.drivers.edge_time import monotonic_s

EV_SYN, SYN_REPORT, SYN_DROPPED = 0, 0, 3
EV_KEY, KEY_UP, KEY_DOWN = 1, 0, 1


class Stroke(NamedTuple):
    """A key that went down or up: its Linux key code, and when (monotonic seconds). Repeats by the kernel are left out."""

    code: int
    down: bool
    at_s: float


class Strokes:
    """The keys of one device. Each goes down and up in turn, also when events were lost."""

    def __init__(self) -> None:
        self.down: set[int] = set()
        """Codes of the keys that are down."""
        self.losses = 0
        """How often the kernel dropped events because nobody read them in time; what was typed meanwhile is incomplete."""
        self._lost = False

    def take(self, event: Any) -> list[Stroke]:
        """What one event (`sec`, `usec`, `type`, `code`, `value`) says of keys."""
        at_s = monotonic_s(event.sec + event.usec / 1e6)
        if event.type == EV_SYN:
            return self._synchronise(event.code, at_s)
        if event.type != EV_KEY or self._lost or event.value not in (KEY_UP, KEY_DOWN):
            return []
        goes_down = event.value == KEY_DOWN
        if goes_down == (event.code in self.down):
            return []
        (self.down.add if goes_down else self.down.discard)(event.code)
        return [Stroke(event.code, goes_down, at_s)]

    def _synchronise(self, code: int, at_s: float) -> list[Stroke]:
        if code == SYN_DROPPED:
            # The kernel's buffer was full; what follows up to the next report is half a story (kernel's input docs).
            self._lost = True
            self.losses += 1
        elif code == SYN_REPORT and self._lost:
            self._lost = False
            # Which keys were let go meanwhile is not known; one that is still down says so again only when pressed anew.
            released = [Stroke(held, False, at_s) for held in sorted(self.down)]
            self.down.clear()
            return released
        return []
