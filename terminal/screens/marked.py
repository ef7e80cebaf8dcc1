"""A text with some of its characters marked, for search results: what matched is coloured and bold."""

from collections.abc import Iterator

from kivy.core.text import Label as CoreLabel
from kivy.core.text.markup import MarkupLabel
from kivy.properties import ColorProperty, ListProperty
from kivy.utils import escape_markup, get_hex_from_color

from ui.language import words
from ui.widgets.text import Words


class MarkedWords(Words):
    """Words of which `spans`, (start, end) pairs into `text`, are marked."""

    spans = ListProperty()
    ink = ColorProperty("#000000")
    mark = ColorProperty("#000000")

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        for name in ("spans", "ink", "mark"):
            self.fbind(name, self._render_soon)

    def _with_fallback(self, text: str) -> tuple[type[CoreLabel], str]:
        # The texture holds the colours itself here, so the widget draws it untinted.
        fonts = words.fonts
        pieces = []
        for marked, run in self._runs(text):
            colour = get_hex_from_color(self.mark if marked else self.ink)
            face = fonts.face(words.code, bold=self.bold or marked) if fonts else None
            fallback = fonts.runs(run, face) if fonts and face else [(self.face, run)]
            pieces += [f"[color={colour}][font={path}]{escape_markup(part)}[/font][/color]" for path, part in fallback]
        return MarkupLabel, "".join(pieces)

    def _runs(self, broken: str) -> Iterator[tuple[bool, str]]:
        """Cut the text, already broken into lines, at the marks, which count characters of the unbroken text."""
        run, state, at = "", False, 0
        for char in broken:
            if char != "\n":
                while at < len(self.text) and self.text[at] != char and self.text[at].isspace():
                    at += 1
                marked = any(start <= at < end for start, end in self.spans)
                at += 1
                if marked != state and run:
                    yield state, run
                    run = ""
                state = marked
            run += char
        if run:
            yield state, run
