"""Whether entries are being taken into custody, from what the ingest process says of itself and from its silence."""

import threading
from collections.abc import Callable

from fleet.ingest_status import STATUS_EVERY_S, IngestStatus
from fleet.watch.model import Cause

SILENT_AFTER_MS = int(4 * STATUS_EVERY_S * 1000)


class IngestHealth:
    """Keeps the last status. Thread-safe. `clock_ms` gives UTC milliseconds."""

    def __init__(self, *, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._lock = threading.Lock()
        self._last: tuple[IngestStatus, int] | None = None
        self._broken_since_ms: int | None = None

    def take(self, status: IngestStatus) -> None:
        """What ingest, or its last will, says."""
        now = self._clock_ms()
        with self._lock:
            self._last = (status, now)
            if status.state == "taking":
                self._broken_since_ms = None
            elif self._broken_since_ms is None:
                self._broken_since_ms = status.since_ms or now

    def causes(self, *, broker_up: bool) -> list[Cause]:
        """One cause while entries are not taken; none before ingest was ever heard, or while the broker is away."""
        with self._lock:
            if self._last is None or not broker_up:
                return []
            (status, heard_ms), since_ms = self._last, self._broken_since_ms
        if status.state == "store_refuses":
            return [_cause("ingest.store_refuses", "next.free_server_disk", since_ms or heard_ms, status.detail)]
        if status.state == "stopped":
            return [_cause("ingest.stopped", "next.start_ingest", since_ms or heard_ms)]
        if self._clock_ms() - heard_ms > SILENT_AFTER_MS:
            return [_cause("ingest.silent", "next.start_ingest", heard_ms)]
        return []


def _cause(reason: str, next_step: str, since_ms: int, detail: str = "") -> Cause:
    return Cause(
        key="ingest",
        kind="ingest",
        severity="bad",
        hall="",
        devices=(),
        reason=reason,
        next_step=next_step,
        since_ms=since_ms,
        args={"error": detail} if detail else {},
    )
