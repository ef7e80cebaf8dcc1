"""What time it is and how far that may be believed: read this before you put a time into a journal entry."""

import ctypes
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from wire.entry import FROM_RTC, SYNCED, UNTRUSTED

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_RTC = Path("/sys/class/rtc/rtc0")
_TIME_ERROR = 5
NOT_BEFORE_MS = 1_735_689_600_000
"""2025-01-01: a clock that shows less has never been set, whatever else is said of it."""
NOT_AFTER_MS = 4_102_444_800_000
"""2100-01-01: a clock that shows more is broken."""


def is_set(wall_ms: int) -> bool:
    """Whether a clock that shows this was ever set: otherwise no time is shown or printed, and nothing is judged by it."""
    return NOT_BEFORE_MS <= wall_ms <= NOT_AFTER_MS


class Moment(NamedTuple):
    """One reading of a clock: UTC milliseconds with their trust mark, and milliseconds since the boot `boot_id`."""

    wall_ms: int
    trust: int
    boot_id: bytes
    mono_ms: int


class Clock(Protocol):
    """Where times come from. Thread-safe."""

    def now(self) -> Moment:
        """The present moment."""
        ...

    def repair(self, true_wall_ms: int, at_mono_ms: int) -> None:
        """Take over a wall time that a trusted party gave for the moment `at_mono_ms`; later readings are SYNCED."""
        ...


def read_boot_id(path: Path = _BOOT_ID) -> bytes:
    """The kernel's 16-byte id of this boot. Raises OSError when the kernel gives none."""
    return bytes.fromhex(path.read_text(encoding="ascii").strip().replace("-", ""))


def kernel_is_synchronized() -> bool:
    """Whether a time service (chrony, timesyncd, ntpd …) has told the kernel that its clock is right: adjtimex(2)."""
    timex = ctypes.create_string_buffer(512)
    state: int = ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    return 0 <= state < _TIME_ERROR


def system_trust(wall_ms: int, *, is_synchronized: Callable[[], bool] = kernel_is_synchronized, rtc: Path = _RTC) -> int:
    """How far the system's own clock is to be believed since this boot: a trust mark of wire.entry."""
    if not is_set(wall_ms):
        return UNTRUSTED
    if is_synchronized():
        return SYNCED
    return FROM_RTC if rtc.exists() else UNTRUSTED


class SystemClock:
    """The computer's clock with an offset of its own. The system clock itself is never set from here.

    The offset is against the monotonic clock, so a system clock that jumps after a repair does not move journal times.
    """

    def __init__(self, *, trust: Callable[[int], int] = system_trust, wall_ns: Callable[[], int] = time.time_ns) -> None:
        """`trust` judges a wall time that nobody repaired; `wall_ns` is the system's clock."""
        self._trust, self._wall_ns = trust, wall_ns
        self._boot_id = read_boot_id()
        self._lock = threading.Lock()
        self._wall_at_mono_zero: int | None = None

    def now(self) -> Moment:
        """The present moment. `mono_ms` counts since boot, sleep included."""
        mono_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        with self._lock:
            base = self._wall_at_mono_zero
        if base is not None:
            return Moment(base + mono_ms, SYNCED, self._boot_id, mono_ms)
        wall_ms = max(0, self._wall_ns() // 1_000_000)
        return Moment(wall_ms, self._trust(wall_ms), self._boot_id, mono_ms)

    def repair(self, true_wall_ms: int, at_mono_ms: int) -> None:
        """See Clock.repair."""
        with self._lock:
            self._wall_at_mono_zero = true_wall_ms - at_mono_ms


class FakeClock:
    """A clock that stands still until it is told otherwise; for tests and demonstrations only."""

    def __init__(self, wall_ms: int = 1_800_000_000_000, *, trust: int = SYNCED, boot_id: bytes = b"\x01" * 16) -> None:
        self.wall_ms = wall_ms
        self.trust = trust
        self.boot_id = boot_id
        self.mono_ms = 1_000

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.wall_ms += round(seconds * 1_000)
        self.mono_ms += round(seconds * 1_000)

    def now(self) -> Moment:
        """The moment that was set."""
        return Moment(self.wall_ms, self.trust, self.boot_id, self.mono_ms)

    def repair(self, true_wall_ms: int, at_mono_ms: int) -> None:
        """See Clock.repair."""
        self.wall_ms = true_wall_ms + self.mono_ms - at_mono_ms
        self.trust = SYNCED
