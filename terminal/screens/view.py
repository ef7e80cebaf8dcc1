"""The base of all views, and how they speak the flow's phrases."""

from collections.abc import Iterable

from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from pack.model import Text
from terminal.flow.phrase import Phrase, joined, spoken
from terminal.flow.places import Place
from terminal.flow.visit import Visit
from ui.language import words
from ui.widgets.card import Surface, Touchable


def say(value: Phrase | str) -> str:
    """A phrase in the language of the screen."""
    return spoken(value, words.t)


def join(values: Iterable[Phrase | str]) -> str:
    """Several phrases on one line."""
    return joined(values, words.t)


def local(text: Text | None) -> str:
    """A text of the catalogue in the language of the screen."""
    return text.get(words.code) if text is not None else ""


class View(BoxLayout):
    """One place on the screen. `follow` takes a new value of the same place; `refresh` reads the flow again."""

    follows = False
    """True when the view can show another value of its place without being built anew."""

    def __init__(self, visit: Visit, place: Place | None = None, **kwargs: object) -> None:
        self.visit = visit
        self.shown = place
        super().__init__(orientation="vertical", **kwargs)

    @property
    def headline(self) -> str:
        """What this screen is about, as its title says it; empty without one, and where the title names the visitor."""
        title = self.ids.get("title")
        return title.text if title is not None and not getattr(title, "private", False) else ""

    def on_kv_post(self, base_widget: object) -> None:
        """Rules are applied and ids exist: fill in what the flow says."""
        self.build()
        self.refresh()

    def build(self) -> None:
        """Make what stays as long as the view does."""

    def refresh(self) -> None:
        """Read what may have changed: printer, ticks, answers to a call for help."""

    def follow(self, place: Place) -> None:
        """Show another value of the same place."""
        self.shown = place
        self.refresh()


class Row(Touchable, Surface):
    """One entry of a list, touched as a whole: an icon, a name, a line about it, something short at the right."""

    icon = StringProperty("")
    title = StringProperty("")
    note = StringProperty("")
    mark = StringProperty("")
    note_lines = NumericProperty(1)
    leads = BooleanProperty(True)


class Crumb(Touchable, BoxLayout):
    """The way back, and where we are."""

    text = StringProperty("")


class BannerBox(BoxLayout):
    """Holds banners and is as high as they are."""
