"""One row of a checklist: a box to tick, what it is, and one line about it."""

from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from ui.widgets.card import Touchable


class CheckRow(Touchable, BoxLayout):
    """A row that is ticked by touching it anywhere. It grows with its words; `ticked` changes before `on_release` is sent."""

    title = StringProperty("")
    note = StringProperty("")
    ticked = BooleanProperty(False)

    def on_press(self) -> None:
        """Tick or untick at once, so that the finger sees what it did."""
        self.ticked = not self.ticked
