"""A bad line from a simulator to its host: what is said arrives late, in pieces, or several things at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from hal.sim.options import number

PIECE_GAP_S = 0.003
"""Between two pieces of a split answer; long enough that a host reads them apart."""


class BadLine:
    """Hands bytes to `put`, when its `later` (delay in seconds, callable) says that it is time. Begins without any trouble."""

    def __init__(self, put: Callable[[bytes], None], later: Callable[[float, Callable[[], None]], None]) -> None:
        self._put = put
        self._later = later
        self.delay_s = 0.0
        self.merge_s = 0.0
        self.split = 0
        self._held = bytearray()
        self._last_due_s = 0.0
        self._cut = 0

    def set(self, what: str, options: dict[str, Any]) -> None:
        """From now on `delay` (ms), `split` (bytes of a piece) or `merge` (ms); 0 ends it. Raises `CommandError`."""
        if what == "delay":
            self.delay_s = number(options, "ms", 0, 10_000) / 1000
        elif what == "split":
            self.split = int(number(options, "bytes", 0, 4096))
        else:
            self.merge_s = number(options, "ms", 0, 10_000) / 1000

    def say(self, data: bytes) -> None:
        """Let `data` through as the line is now."""
        self._held += data
        if not self.merge_s:
            self._let_through()
        elif len(self._held) == len(data):
            # What is said within that time arrives together.
            self._later(self.merge_s, self._let_through)

    def cut(self) -> None:
        """What is on its way when a cable is pulled does not come out of the next one."""
        self._cut += 1
        self._last_due_s = 0.0
        self._held.clear()

    def _let_through(self) -> None:
        data = bytes(self._held)
        self._held.clear()
        now_s = time.monotonic()
        size = self.split or len(data) or 1
        for at in range(0, len(data), size):
            # Bytes never overtake each other, also when the line gets better.
            due_s = max(self._last_due_s, now_s + self.delay_s) + (PIECE_GAP_S if self.split else 0.0)
            self._last_due_s = due_s
            self._arrive_at(due_s - now_s, data[at : at + size])

    def _arrive_at(self, wait_s: float, piece: bytes) -> None:
        if wait_s <= 0:
            self._put(piece)
            return
        cut = self._cut

        def arrive() -> None:
            if cut == self._cut:
                self._put(piece)

        self._later(wait_s, arrive)
