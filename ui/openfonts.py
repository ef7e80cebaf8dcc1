"""Keeps few sizes of the large fonts in memory. Call `open_fonts.use` before measuring or drawing with a font.

A Chinese face takes 2.4 MB for every size that is open (its 45,000 subroutines are read anew each time), but opens in two
milliseconds. Kivy keeps the 64 sizes it opened last, 150 MB of them after a visit in three languages and profiles, and its limit
cannot be set. So for every large font some small ones are opened too, which take the other places.
"""

from collections import OrderedDict
from pathlib import Path

from kivy import kivy_data_dir
from kivy.core.text import Label as CoreLabel

KIVY_KEEPS = 64
"""How many opened sizes Kivy's SDL2 text provider keeps, first in, first out (tests/ui/test_ui_openfonts.py finds out when that
changes)."""
WE_KEEP = 16
"""While somebody touches. A screen draws with 6 to 16 sizes, icons included; fewer would be opened again and again."""
AT_REST = 6
"""While nobody touches: what a next page of the same screen draws with."""


class OpenFonts:
    """The sizes of fonts in use, at most `limit`. On the Kivy thread only."""

    def __init__(self, limit: int = WE_KEEP, at_rest: int = AT_REST) -> None:
        self._limit, self._at_rest = limit, at_rest
        self._used: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._places = KIVY_KEEPS // limit
        self._opened = 0

    @property
    def used(self) -> list[tuple[str, int]]:
        """The fonts that are open, the one opened longest ago first."""
        return list(self._used)

    def use(self, file: str, size: int) -> None:
        """Say that this font is about to be drawn or measured with. A new one takes the place of the one opened longest ago."""
        key = (file, size)
        if key not in self._used:
            self._open_small(self._places - 1)
            self._used[key] = None
            self._forget(self._limit)

    def rest(self) -> None:
        """Nobody touches the screen, which stands as it is drawn: let go of all but a few."""
        if len(self._used) > self._at_rest:
            self._open_small(KIVY_KEEPS - self._at_rest * self._places)
            self._forget(self._at_rest)

    def _open_small(self, count: int) -> None:
        # Each size only comes round again when Kivy has long let go of it, or it would take no place.
        file = str(Path(kivy_data_dir) / "fonts" / "Roboto-Regular.ttf")
        for _ in range(count):
            CoreLabel(font_name=file, font_size=5 + self._opened % (2 * KIVY_KEEPS)).get_extents("")
            self._opened += 1

    def _forget(self, large: int) -> None:
        while len(self._used) > large:
            self._used.popitem(last=False)


open_fonts = OpenFonts()
"""The one of a face's process. Importing it opens nothing."""
