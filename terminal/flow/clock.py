"""The two times a session needs, as one small Protocol, so that tests can pass a clock they move by hand."""

import time
from datetime import datetime
from typing import Protocol

from runtime import clock as device


class Clock(Protocol):
    """Monotonic milliseconds for waiting, and the hall's local wall time for what people read."""

    def monotonic_ms(self) -> int:
        """Milliseconds that never jump; their origin means nothing."""

    def now(self) -> datetime:
        """Local wall time, aware of its zone."""


class DeviceClock:
    """The device's clock as a visit needs it: the same one the journal uses, which the fleet may have repaired."""

    def __init__(self, clock: device.Clock) -> None:
        self._clock = clock

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now().wall_ms / 1000).astimezone()
