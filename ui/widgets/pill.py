"""Pill and PrimaryButton: round buttons as wide as their words, with an optional icon."""

from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from ui.widgets.card import Surface, Touchable


class Pill(Touchable, Surface):
    """A button. `primary` fills it with the action colour; one of them a screen at most.

    It is as wide as its words, or `min_width`; with `size_hint_x` it is as wide as it is told, and its words shrink to fit.
    """

    text = StringProperty("")
    icon = StringProperty("")
    primary = BooleanProperty(False)
    bold = BooleanProperty(False)
    font_size = NumericProperty(20)
    min_width = NumericProperty(0)


class PrimaryButton(Pill):
    """The one thing a screen wants: a pill in the action colour."""
