"""Chip: a small label. Tag: a bigger one that is chosen and unchosen by touch."""

from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, StringProperty

from ui.widgets.card import Surface, Touchable


class Chip(Surface):
    """A few words in a rounded field, only to be read."""

    text = StringProperty("")
    color = ColorProperty("#1B2430")
    label_width = NumericProperty(0)
    font_size = NumericProperty(20)


class Tag(Touchable, Surface):
    """A reason that can be chosen; `chosen` follows whoever owns the choice, a touch only asks (`on_release`)."""

    text = StringProperty("")
    chosen = BooleanProperty(False)
