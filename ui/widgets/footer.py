"""The footer bar: a line, and below it what is at hand on every screen. Put pills and a ring into it."""

from kivy.properties import NumericProperty
from kivy.uix.boxlayout import BoxLayout


class Footer(BoxLayout):
    """A row as high as a touch target with room around it. An empty Widget between children pushes the rest to the right."""

    side = NumericProperty(0)
