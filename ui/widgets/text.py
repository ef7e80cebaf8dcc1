"""Words: the one text widget. It breaks lines properly, shrinks to fit down to a floor, and falls back for rare characters."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from kivy.clock import Clock
from kivy.core.text import Label as CoreLabel
from kivy.core.text.markup import MarkupLabel
from kivy.properties import (
    AliasProperty,
    BooleanProperty,
    ColorProperty,
    NumericProperty,
    ObjectProperty,
    OptionProperty,
    StringProperty,
)
from kivy.uix.widget import Widget
from kivy.utils import escape_markup

from ui.language import words
from ui.openfonts import open_fonts
from ui.theme import theme
from ui.typeset import balanced, break_lines

_UNSIZED = [100, 100]
"""What Kivy gives a widget that no layout has sized."""


@lru_cache(maxsize=8)
def _widths(font: str, ruler: int) -> Callable[[str], float]:
    label = CoreLabel(font_name=font, font_size=ruler)
    label.resolve_font_name()

    @lru_cache(maxsize=4096)
    def measure(text: str) -> float:
        open_fonts.use(font, ruler)
        return float(label.get_extents(text)[0]) / ruler

    return measure


def _ruler(font: str, size: int) -> Callable[[str], float]:
    """Measures strings in pixels at `size`.

    Widths come from one size and are scaled, since every size of a large Chinese font that is open takes megabytes
    (ui.openfonts). Hinting rounds widths at the real size, for which one part in a hundred is kept free.
    """
    measure = _widths(font, theme.ruler)
    return lambda text: measure(text) * size * 1.01


def fitting_size(texts: Iterable[str], *, width: float, lines: int, font: str, wanted: int, floor: int) -> int:
    """The largest font size, at most `wanted` and at least `floor`, at which all texts fit `lines` lines of `width` pixels.

    For texts that must weigh the same, such as the five answers of a rating.
    """
    for size in range(int(wanted), int(floor), -1):
        broken = [break_lines(text, max(1, width), _ruler(font, size)) for text in texts]
        if all(fits and len(found) <= lines for found, fits in broken):
            return size
    return int(floor)


class Words(Widget):
    """A text of one colour and size.

    `font_size` is wanted; when the text does not fit its box it shrinks to `theme.floor` at most. `wrap` breaks lines at the box's
    width (set the height from `texture_height` to grow with the text); without it the text is one line wide (`texture_width`).
    `max_lines` (0 = any) bounds the lines, and a longer text ends in an ellipsis. `overflows` tells that it still does not fit.
    `private` content never appears in pictures of the screen (ui.picture).
    """

    text = StringProperty("")
    font_size = NumericProperty(20)
    bold = BooleanProperty(False)
    color = ColorProperty("#000000")
    halign = OptionProperty("left", options=("left", "center", "right"))
    valign = OptionProperty("middle", options=("top", "middle", "bottom"))
    wrap = BooleanProperty(True)
    shrink = BooleanProperty(True)
    max_lines = NumericProperty(0)
    line_height = NumericProperty(1.0)
    private = BooleanProperty(False)
    aloud = BooleanProperty(False)
    """Whether it may be said aloud although it, or what it stands in, is private: it tells how many, not what."""
    font = StringProperty("")
    """A font file; empty means the language's own."""
    face = StringProperty("")
    """The font file in use. Language and theme reach every text through kv rules (`face`, `floor`), because Kivy takes those
    bindings away with the widget; a binding made here would stay on the language for ever and add up over days."""
    floor = NumericProperty(1)

    texture = ObjectProperty(None, allownone=True)
    texture_width = NumericProperty(0)
    texture_height = NumericProperty(0)
    overflows = BooleanProperty(False)
    shown_size = NumericProperty(0)

    def _texture_pos(self) -> tuple[int, int]:
        spare_x, spare_y = self.width - self.texture_width, self.height - self.texture_height
        x = {"left": 0, "center": spare_x / 2, "right": spare_x}[self.halign]
        y = {"bottom": 0, "middle": spare_y / 2, "top": spare_y}[self.valign]
        return int(self.x + x), int(self.y + y)

    texture_pos = AliasProperty(_texture_pos, None, bind=("pos", "size", "texture_width", "texture_height", "halign", "valign"))

    def __init__(self, **kwargs: object) -> None:
        self._render_soon = Clock.create_trigger(self.render, -1)
        super().__init__(**kwargs)
        for name in ("text", "font_size", "bold", "halign", "wrap", "shrink", "max_lines", "line_height", "face", "floor", "size"):
            self.fbind(name, self._render_soon)
        self._render_soon()

    def render(self, *_: object) -> None:
        """Draw the text anew; happens by itself before the next frame after any change."""
        if not self.text or not self.face:
            self.texture, self.texture_width, self.texture_height, self.overflows = None, 0, 0, False
            return
        size = max(1, round(self.font_size))
        floor = min(size, max(1, int(self.floor)))
        lines, fits = self._set(size)
        # A box that layout has not sized yet shrinks nothing: the sizes that fit it would be opened for nothing.
        while self.shrink and not fits and size > floor and self.size != _UNSIZED:
            size = max([floor, *(step for step in theme.scale if step < size)])
            lines, fits = self._set(size)
        self.shown_size = size
        # A box that layout has not sized yet is no overflow; it is rendered again with its size.
        self.overflows = not fits and self.width > 1 and self.height > 1
        self._draw(lines, size)

    def _font_file(self) -> str:
        return self.face

    def _set(self, size: int) -> tuple[list[str], bool]:
        measure = _ruler(self.face, size)
        if self.wrap:
            fill = balanced if self.halign == "center" else break_lines
            lines, fits = fill(self.text, max(1, self.width), measure)
        else:
            lines = self.text.split("\n")
            # An unwrapped text usually gives its box the width; a box too narrow for it is the caller's bound.
            fits = self.size_hint_x is None or max(map(measure, lines)) <= self.width + 1
        limit = int(self.max_lines)
        if limit and len(lines) > limit:
            fits = False
        # Ink of one line is about one font size high; its 1.448 line height is mostly room that may be cut.
        height = len(lines) * size * 1.448 * self.line_height
        grows = self.wrap and self.size_hint_y is None
        if not grows and height > self.height + size * 0.35 and len(lines) > 1:
            fits = False
        if not grows and len(lines) == 1 and size > self.height + 1:
            fits = False
        return lines, fits

    def _draw(self, lines: list[str], size: int) -> None:
        limit = int(self.max_lines)
        if limit and len(lines) > limit:
            lines = [*lines[: limit - 1], lines[limit - 1][:-1] + "…"]
        text = "\n".join(lines)
        open_fonts.use(self.face, size)
        label_type, text = self._with_fallback(text)
        label = label_type(
            text=text,
            font_name=self.face,
            font_size=size,
            halign=self.halign,
            line_height=self.line_height,
            color=(1, 1, 1, 1),
        )
        label.refresh()
        self.texture = label.texture
        if label.texture is not None:
            self.texture_width, self.texture_height = label.texture.size

    def _with_fallback(self, text: str) -> tuple[type[CoreLabel], str]:
        fonts = words.fonts
        if fonts is None or self.font:
            return CoreLabel, text
        face = fonts.face(words.code, bold=self.bold)
        if not fonts.needs_fallback(text, face):
            return CoreLabel, text
        runs = fonts.runs(text, face)
        return MarkupLabel, "".join(f"[font={path}]{escape_markup(run)}[/font]" for path, run in runs)
