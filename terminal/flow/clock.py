"""The two times a session needs, as one small Protocol, so that tests can pass a clock they move by hand."""

import time
from datetime import datetime
from typing import Protocol

from runtime import clock as device


class Clock(Protocol):
    """Monotonic milliseconds for waiting, and the hall's local wall time."""

    def monotonic_ms(self) -> int:
        """Milliseconds that never jump; their origin means nothing."""

    def now(self) -> datetime:
        """Local wall time, aware of its zone, however wrong: for what is counted or kept, never for what people read."""

    def known(self) -> datetime | None:
        """Local wall time as people may read it; None while the clock was never set."""


class DeviceClock:
    """The device's clock as a visit needs it: the same one the journal uses, which the fleet may have repaired."""

    def __init__(self, clock: device.Clock) -> None:
        self._clock = clock

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def now(self) -> datetime:
        return _local(self._clock.now().wall_ms)

    def known(self) -> datetime | None:
        wall_ms = self._clock.now().wall_ms
        return _local(wall_ms) if device.is_set(wall_ms) else None


def _local(wall_ms: int) -> datetime:
    return datetime.fromtimestamp(wall_ms / 1000).astimezone()
