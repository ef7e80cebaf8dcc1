"""The header: the lamp in the window, the hall and device by name, and the clock."""

from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget


class Logo(Widget):
    """Four panes, one of them lit."""


class Header(BoxLayout):
    """`hall` in bold over `label`; `clock` (14:26) over `date` at the right, when `show_clock`."""

    hall = StringProperty("")
    label = StringProperty("")
    clock = StringProperty("")
    date = StringProperty("")
    show_clock = BooleanProperty(True)
