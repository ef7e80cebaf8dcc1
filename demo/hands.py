"""Fingers on a screen: touches go through the X server (XTEST), as a touch panel's driver would deliver them."""

from __future__ import annotations

import io
import threading

from PIL import Image
from Xlib import X, display, error
from Xlib.ext import xtest


class NoScreen(RuntimeError):
    """The X server is not there, or lacks XTEST; the message says which."""


class Hands:
    """Touches and looks at one X display. Safe to use from several threads; a call takes a few milliseconds."""

    def __init__(self, name: str) -> None:
        try:
            self._display = display.Display(name)
        except (error.DisplayError, OSError) as trouble:
            raise NoScreen(f"no X server at {name!r}: {trouble}") from trouble
        if not self._display.query_extension("XTEST"):
            raise NoScreen(f"the X server at {name} has no XTEST extension")
        self._lock = threading.Lock()
        self._root = self._display.screen().root

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        screen = self._display.screen()
        return screen.width_in_pixels, screen.height_in_pixels

    def touch(self, x: int, y: int, *, held: threading.Event | None = None, for_s: float = 0.06) -> None:
        """Press and release at a point (pixels from the top left). `held` may end the press early."""
        self.press(x, y)
        (held or threading.Event()).wait(for_s)
        self.release()

    def press(self, x: int, y: int) -> None:
        """Put a finger down at a point, and leave it there."""
        with self._lock:
            xtest.fake_input(self._display, X.MotionNotify, x=x, y=y)
            xtest.fake_input(self._display, X.ButtonPress, 1)
            self._display.sync()

    def release(self) -> None:
        """Lift the finger."""
        with self._lock:
            xtest.fake_input(self._display, X.ButtonRelease, 1)
            self._display.sync()

    def look(self, *, width: int | None = None) -> bytes:
        """What the screen shows, as JPEG bytes, scaled to `width` pixels when given."""
        full_width, full_height = self.size
        with self._lock:
            raw = self._root.get_image(0, 0, full_width, full_height, X.ZPixmap, 0xFFFFFFFF)
        image = Image.frombytes("RGB", (full_width, full_height), raw.data, "raw", "BGRX")
        if width:
            image = image.resize((width, round(full_height * width / full_width)), Image.Resampling.BILINEAR)
        out = io.BytesIO()
        image.save(out, "JPEG", quality=80)
        return out.getvalue()

    def close(self) -> None:
        """Leave the display."""
        with self._lock:
            self._display.close()
