"""Card and Tile: the white surface with a rounded border, still or to be touched."""

from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout


class Surface(BoxLayout):
    """A rounded rectangle with a border of `stroke` pixels; `fill` and `border` are colours, `radius` pixels."""

    fill = ColorProperty("#FFFFFF")
    border = ColorProperty("#E0DBD0")
    stroke = NumericProperty(2)
    radius = NumericProperty(16)
    rim = NumericProperty(1)
    """Half the width of the line that is the border, a little of which lies under the fill. A second filled rectangle would do too,
    but a computer without a graphics processor draws every pixel: a screen of cards took half as long again."""
    inset = NumericProperty(2)
    """Where the fill begins; 0 when fill and border are one colour."""


class Card(Surface):
    """A surface that holds other widgets, one below the other."""


class Touchable(ButtonBehavior):
    """What can be touched: `on_press` when the finger lands, `on_release` when it leaves inside. `name` tells tests what it is.

    `target` False excuses a widget from the smallest touch size, for example one row of a list that is touched as a whole.
    """

    name = StringProperty("")
    alt = StringProperty("")
    """What is said of it aloud, where that is not simply its words."""
    target = BooleanProperty(True)


class Tile(Touchable, Surface):
    """A big card with an icon, a name and one line about it. A tile that cannot be used says so in `note` and is `disabled`."""

    icon = StringProperty("")
    title = StringProperty("")
    note = StringProperty("")
