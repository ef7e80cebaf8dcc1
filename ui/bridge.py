"""The one bridge to the Kivy thread: other threads post callables, the Kivy thread runs them before its next frame."""

import threading
from collections import deque
from collections.abc import Callable

from kivy.clock import Clock


class Bridge:
    """A bounded queue into the Kivy thread. Posting wakes a sleeping frame clock at once and never waits.

    An exception in a posted callable is not caught: the face ends, the supervisor starts it again, and the journal recovers.
    """

    def __init__(self, *, limit: int = 512) -> None:
        self._limit = limit
        self._waiting: deque[Callable[[], object]] = deque()
        self._lock = threading.Lock()
        self.refused = 0
        """How many posts were turned away because `limit` callables already waited: the Kivy thread is stuck."""
        self._run_soon = Clock.create_trigger(self._run, -1)

    def post(self, call: Callable[[], object]) -> bool:
        """Queue `call` for the Kivy thread, in order. False, and nothing queued, when `limit` already wait."""
        with self._lock:
            if len(self._waiting) >= self._limit:
                self.refused += 1
                return False
            self._waiting.append(call)
        self._run_soon()
        return True

    def _run(self, *_: object) -> None:
        # Only what waits now: a callable that posts again must not keep the frame from being drawn.
        for _turn in range(len(self._waiting)):
            with self._lock:
                call = self._waiting.popleft()
            call()
        if self._waiting:
            self._run_soon()
