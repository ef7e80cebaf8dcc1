"""The countdown ring: how much time is left, drawn once a second and never blinking."""

from kivy.properties import NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout


class Ring(BoxLayout):
    """A ring whose `share` (1 = all time left, 0 = none) is lit, with words beside it.

    Give it `left_s` and `of_s` and it works out the share; `text` is what stands beside, usually with the seconds in it.
    """

    left_s = NumericProperty(0)
    of_s = NumericProperty(1)
    text = StringProperty("")
