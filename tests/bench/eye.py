"""Watches an X screen from outside: tells when a place on it shows what is expected, to about a millisecond.

The X server reports every change (DAMAGE), so nothing is missed between two looks and nobody is kept busy in between.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import NamedTuple

from Xlib import X, display
from Xlib.ext import damage


class Place(NamedTuple):
    """A rectangle on a screen, in pixels from the top left."""

    x: int
    y: int
    width: int
    height: int


class NotSeen(RuntimeError):
    """What was waited for did not appear in time."""


class Eye:
    """Looks at one X display. A look takes about a millisecond for a small place; call from one thread."""

    def __init__(self, name: str) -> None:
        self._display = display.Display(name)
        if not self._display.query_extension(damage.extname):
            raise NotSeen(f"the X server at {name} has no DAMAGE extension")
        self._display.damage_query_version()
        self._root = self._display.screen().root
        self._damage = self._root.damage_create(damage.DamageReportNonEmpty)

    @property
    def whole(self) -> Place:
        """The screen."""
        screen = self._display.screen()
        return Place(0, 0, screen.width_in_pixels, screen.height_in_pixels)

    def look(self, place: Place) -> bytes:
        """The pixels there, four bytes each (blue, green, red, unused), rows from the top."""
        pixels: bytes = self._root.get_image(*place, X.ZPixmap, 0xFFFFFFFF).data
        return pixels

    def until(self, seen: Callable[[bytes], bool], place: Place, *, what: str, within_s: float) -> float:
        """Look at once and after every change until `seen`; returns the monotonic second just after that look.

        Raises NotSeen after `within_s` seconds.
        """
        deadline = time.monotonic() + within_s
        while True:
            # Taken back before the look: what changes during the look is reported again.
            self._display.damage_subtract(self._damage)
            shown = self.look(place)
            moment = time.monotonic()
            if seen(shown):
                return moment
            if not self._changes(deadline):
                raise NotSeen(f"{what} did not appear within {within_s:g} s")

    def until_still(self, place: Place, *, for_s: float, within_s: float) -> bytes:
        """What the place shows once nothing there has changed for `for_s` seconds. Raises NotSeen after `within_s`."""
        deadline = time.monotonic() + within_s
        last, since = self.look(place), time.monotonic()
        while time.monotonic() < deadline:
            self._display.damage_subtract(self._damage)
            shown = self.look(place)
            if shown != last:
                last, since = shown, time.monotonic()
            if time.monotonic() - since >= for_s:
                return last
            self._changes(min(deadline, since + for_s))
        raise NotSeen(f"the screen did not come to rest within {within_s:g} s")

    def resolution_s(self, place: Place, looks: int = 50) -> float:
        """How long a look takes at worst: no moment that `until` returns is later than the truth by more."""
        taken = []
        for _ in range(looks):
            begun = time.monotonic()
            self.look(place)
            taken.append(time.monotonic() - begun)
        return max(taken)

    def _changes(self, deadline: float) -> bool:
        """Wait for the next change; False when there is none before `deadline`."""
        changed = False
        while not changed:
            while self._display.pending_events():
                changed |= self._display.next_event().type == self._display.extension_event.DamageNotify
            left = deadline - time.monotonic()
            if changed or left <= 0:
                break
            select.select([self._display.fileno()], [], [], left)
        return changed

    def close(self) -> None:
        """Leave the display."""
        self._display.close()


def colours(pixels: bytes) -> int:
    """How many different colours there are: one or two on a screen that is still empty."""
    return len({pixels[at : at + 3] for at in range(0, len(pixels), 4)})
