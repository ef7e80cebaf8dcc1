"""A driver that works on one thread of its own: starting, ending, health and events, which are the same for all of them."""

from __future__ import annotations

import threading

import structlog

from hal.api import Event, EventListener, Health, HealthListener
from hal.health import HealthRecord

ENDS_WITHIN_S = 1.9
"""A little less than `Peripheral.close` may take."""

log = structlog.get_logger("hal")


class OwnThread:
    """`hal.api.Peripheral` around `_run`, which ends soon after `_stop` was set; `_interrupt` ends what else it waits for."""

    def __init__(self, name: str, *, on_health: HealthListener, on_event: EventListener = lambda _name, _event: None) -> None:
        self.name = name
        self._on_event = on_event
        self._health = HealthRecord(name, on_health)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"hal-{name}", daemon=True)

    def start(self) -> None:
        """See `Peripheral.start`."""
        self._thread.start()

    def health(self) -> Health:
        """See `Peripheral.health`."""
        return self._health.get()

    def close(self) -> None:
        """See `Peripheral.close`."""
        self._stop.set()
        self._interrupt()
        if self._thread.is_alive():
            self._thread.join(ENDS_WITHIN_S)
        self._health.set("hal.stopped")

    def _run(self) -> None:
        raise NotImplementedError

    def _interrupt(self) -> None:
        """Called by `close`, on its thread."""

    def _emit(self, event: Event) -> None:
        """Tell the listener, as long as the driver is not closed. Its mistake must not end the thread that knows the hardware."""
        if self._stop.is_set():
            return
        try:
            self._on_event(self.name, event)
        except Exception:
            # What the event says may be personal, or a level; no log has it.
            log.exception("event listener failed", peripheral=self.name)
