"""The two times a session needs, as one small Protocol, so that tests can pass a clock they move by hand."""

import time
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Monotonic milliseconds for waiting, and the hall's local wall time for what people read."""

    def monotonic_ms(self) -> int:
        """Milliseconds that never jump; their origin means nothing."""

    def now(self) -> datetime:
        """Local wall time, aware of its zone."""


class SystemClock:
    """The machine's own clocks."""

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def now(self) -> datetime:
        return datetime.now().astimezone()
