"""A contact whose change counts once it has lasted: doors, loops, presence sensors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from hal.drivers.gpio import Input

CHECK_S = 1.0
"""How often the pin is looked at although no edge came, in case the library lost one."""


class Contact:
    """One pin, followed on a driver's own thread. `wake` from another thread ends the wait when `stop` was set."""

    def __init__(self, pin: int, settle_s: float, *, stop: threading.Event, active_high: bool = False) -> None:
        self._pin = pin
        self._settle_s = settle_s
        self._stop = stop
        self._active_high = active_high
        self._edges = threading.Event()
        self._lock = threading.Lock()
        self._first_s: float | None = None

    def wake(self) -> None:
        """Let `follow` look at `stop` now."""
        self._edges.set()

    def follow(self, factory: Any, tell: Callable[[bool, float], None]) -> None:
        """Call `tell(closed, at_s)` at the start, at every change that lasted, and about once a second, until `stop`.

        `at_s` is the time of the first edge of the last change (monotonic seconds).

        Raises:
            GpioError: the pin cannot be opened.
        """
        contact = Input(factory, self._pin, self._edge, active_high=self._active_high)
        at_s: float = factory.ticks()
        try:
            while self._settled():
                with self._lock:
                    at_s, self._first_s = at_s if self._first_s is None else self._first_s, None
                tell(contact.closed, at_s)
                self._edges.wait(CHECK_S)
        finally:
            contact.close()

    def _edge(self, at_s: float, closed: bool) -> None:
        with self._lock:
            if self._first_s is None:
                self._first_s = at_s
        self._edges.set()

    def _settled(self) -> bool:
        """Wait until no edge has come for the settling time; False when `stop` was set."""
        while not self._stop.is_set():
            self._edges.clear()
            if not self._edges.wait(self._settle_s):
                break
        return not self._stop.is_set()
