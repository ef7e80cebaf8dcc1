"""Proves that the screen is alive: a beat is told only after another frame was really drawn and handed to the panel."""

from collections.abc import Callable
from typing import Any

from kivy.base import EventLoop

from ui import timers

LOOK_S = 1.0
REST_S = 4.0
"""A screen on which nothing changes is drawn again this often, only to see that it can be."""


class Pulse:
    """Calls `on_beat` about once a second while the screen changes, and every `rest_s` while it rests. Kivy thread.

    It stops by itself when this thread hangs, or waits in the graphics driver for ever: then nobody counts and nobody beats.
    """

    def __init__(self, on_beat: Callable[[], object], *, look_s: float = LOOK_S, rest_s: float = REST_S) -> None:
        """Begin, on the window that is open."""
        self._window: Any = EventLoop.window
        self._on_beat, self._rest_s = on_beat, rest_s
        self._drawn = False
        self._beat_s = timers.frame_s()
        self._window.fbind("on_flip", self._flip)
        self._looking = timers.every(look_s, self._look)

    def _flip(self, *_: object) -> None:
        # Told right before the swap; that it came back is certain only when this thread looks again.
        self._drawn = True

    def _look(self) -> None:
        now_s = timers.frame_s()
        if self._drawn:
            self._drawn = False
            self._beat_s = now_s
            self._on_beat()
        elif now_s - self._beat_s >= self._rest_s:
            self._window.canvas.ask_update()

    def stop(self) -> None:
        """No more beats."""
        self._looking.stop()
        self._window.funbind("on_flip", self._flip)
