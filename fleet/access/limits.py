"""Rate limits for what strangers can reach: a bucket of tokens a caller, in memory, bounded in number."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CALLERS = 10_000


class Limiter:
    """Allows `per_minute` calls a caller on average and `burst` at once. Thread-safe; `clock` counts seconds."""

    def __init__(self, *, per_minute: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_minute / 60
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, caller: str) -> float:
        """Take one token; 0 when there was one, else the seconds until there will be."""
        now = self._clock()
        with self._lock:
            tokens, then = self._buckets.pop(caller, (float(self._burst), now))
            tokens = min(self._burst, tokens + (now - then) * self._rate)
            wait = 0.0 if tokens >= 1 else (1 - tokens) / self._rate
            self._buckets[caller] = (tokens - 1 if wait == 0 else tokens, now)
            while len(self._buckets) > MAX_CALLERS:
                self._buckets.popitem(last=False)
        return wait
