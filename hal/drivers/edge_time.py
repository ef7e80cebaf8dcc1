"""When an edge really was, on this program's monotonic clock, whichever clock the library or the kernel stamped it with."""

from __future__ import annotations

import time

OLDEST_S = 5.0
"""An edge is handed on within this time, or its stamp is not believed."""


def monotonic_s(stamp_s: float, *, now_s: float | None = None, unix_s: float | None = None) -> float:
    """`stamp_s` on the clock of `time.monotonic()`.

    lgpio stamps edges with the monotonic clock, or with Unix time on kernels before 5.7; input devices are stamped with Unix
    time. A stamp that fits neither clock (the time was just set, a stamp from the future) becomes now.
    """
    now_s = time.monotonic() if now_s is None else now_s
    unix_s = time.time() if unix_s is None else unix_s
    for guess in (stamp_s, stamp_s - unix_s + now_s):
        if now_s - OLDEST_S <= guess <= now_s:
            return guess
    return now_s
