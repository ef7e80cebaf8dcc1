"""Reads a screen aloud: takes from the widgets that are drawn what they say and what can be touched, for 语音键盘.

There is no second set of texts: what is drawn is what is told, in the order in which it stands. What is only a picture, or says
something else to the ear, has it in its property `alt`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from kivy.uix.widget import Widget

from terminal.flow.reading import Choice, Line, Reading
from terminal.screens.pager import PageBar
from terminal.screens.view import Crumb
from ui.language import words
from ui.widgets.card import Touchable
from ui.widgets.icon import Icon
from ui.widgets.keyboard import Keyboard
from ui.widgets.qr import QrImage
from ui.widgets.ring import Ring
from ui.widgets.text import Words

HEADLINES = ("title", "ask", "name", "state")
"""Ids under which views and panels keep what they are about; the others have it in bold, or in the way back."""


@dataclass
class Found:
    """What was found on a screen, and the widget behind each choice."""

    lines: list[Line] = field(default_factory=list)
    bold: list[Line] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    bar: list[Choice] = field(default_factory=list)
    behind: dict[str, Widget] = field(default_factory=dict)
    pager: PageBar | None = None

    def walk(self, widget: Widget, *, private: bool = False, foot: bool = False) -> None:
        """Take in `widget` and what is in it, as it stands on the screen."""
        if widget.opacity <= 0 or isinstance(widget, Keyboard | Icon | Ring):
            return
        private = private or bool(getattr(widget, "private", False))
        if isinstance(widget, Touchable):
            self._touchable(widget, private=private, foot=foot)
        elif isinstance(widget, QrImage):
            self._line(widget.alt if widget.data else "", private=False)
        elif isinstance(widget, Words):
            self._line(widget.text, private=private and not widget.aloud, bold=widget.bold)
        else:
            for child in reversed(widget.children):
                if not isinstance(widget, PageBar) or isinstance(child, Touchable):
                    self.walk(child, private=private, foot=foot)
            if isinstance(widget, PageBar) and self.pager is None:
                self.pager = widget

    def _line(self, text: str, *, private: bool, bold: bool = False) -> None:
        if said := heard(text):
            self.lines.append(Line(said, private))
            if bold:
                self.bold.append(self.lines[-1])

    def _touchable(self, widget: Touchable, *, private: bool, foot: bool) -> None:
        if isinstance(widget, Crumb):
            self._line(widget.text, private=private)
        line = Line(widget.alt or words.t("keys.comma").join(texts(widget)), private)
        if widget.disabled:
            self._line(line.text, private=private)
            return
        ticked = getattr(widget, "ticked", getattr(widget, "chosen", None))
        name = widget.name
        while name in self.behind:
            name += "+"
        self.behind[name] = widget
        choice = Choice(name, line, lambda: touch(widget), ticked)
        (self.bar if foot or isinstance(widget, Crumb) else self.choices).append(choice)


def heard(text: str) -> str:
    """A text without the marks that only the eye understands."""
    comma = words.t("keys.comma")
    for mark in (" · ", " → ", "\n"):
        text = text.replace(mark, comma)
    return text.strip()


def texts(widget: Widget) -> Iterator[str]:
    """The words in a widget, in order."""
    if isinstance(widget, Words) and not isinstance(widget, Icon) and (said := heard(widget.text)):
        yield said
    for child in reversed(widget.children):
        yield from texts(child)


def touch(widget: Touchable) -> None:
    """What a finger does that lands on a widget and leaves inside it."""
    widget.dispatch("on_press")
    widget.dispatch("on_release")


def read(stage: Widget) -> tuple[Reading, dict[str, Widget]]:
    """The screen as it is now (a `terminal.screens.frame.TerminalStage`), and the widgets of its choices by name."""
    found = Found()
    frame, panel = stage.frame, stage.panel
    if panel is None:
        found.walk(stage.view)
        found.walk(frame.ids.foot, foot=True)
    else:
        found.walk(panel)
    headline = _headline(panel or stage.view, found)
    pager = found.pager
    place = stage.visit.place
    writes = panel is None and hasattr(place, "query") and stage.visit.phase == "visiting"
    reading = Reading(
        key=stage.telling_key,
        headline=headline,
        # What somebody writes is told by how much it is, and is nobody else's business.
        lines=tuple(line for line in found.lines if line != headline and not (writes and line.private)),
        choices=tuple(found.choices),
        bar=tuple(found.bar),
        panel=stage.panel_name,
        machine=heard(words.t("keys.comma").join(filter(None, (frame.hall, frame.label, frame.date, frame.clock)))),
        page=int(pager.page) if pager else 0,
        pages=int(pager.pages) if pager else 1,
        turn=pager.turn if pager else None,
        writes=writes,
        written=len(place.query) if writes else 0,
    )
    return reading, found.behind


def _headline(about: Widget, found: Found) -> Line:
    for name in HEADLINES:
        widget = about.ids.get(name)
        if widget is not None and isinstance(widget, Words) and widget.text:
            return Line(heard(widget.text), bool(widget.private))
    crumb = about.ids.get("crumb") or next((child for child in about.children[::-1] if isinstance(child, Crumb)), None)
    if crumb is not None:
        return Line(heard(crumb.text))
    return next(iter([*found.bold, *found.lines]), Line(""))
