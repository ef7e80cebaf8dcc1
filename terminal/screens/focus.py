"""What 语音键盘 shows: a thick ring around what enter would choose, and for a helper beside, what was said."""

from kivy.graphics import Color, InstructionGroup, SmoothLine
from kivy.properties import StringProperty
from kivy.uix.widget import Widget

from ui.theme import theme
from ui.widgets.card import Surface


class SaidLine(Surface):
    """What the keys said last that stands nowhere else on the screen."""

    text = StringProperty("")


class FocusRing:
    """A ring that goes from widget to widget. It is drawn in the widget's own canvas, so it stays with it."""

    def __init__(self) -> None:
        self._widget: Widget | None = None
        self._drawn = InstructionGroup()

    def put(self, widget: Widget | None) -> None:
        """Around this widget, or none."""
        if self._widget is not None:
            self._widget.canvas.after.remove(self._drawn)
            self._widget.unbind(pos=self._draw, size=self._draw)
        self._widget = widget
        if widget is not None:
            widget.canvas.after.add(self._drawn)
            widget.bind(pos=self._draw, size=self._draw)
            self._draw()

    def _draw(self, *_: object) -> None:
        widget = self._widget
        if widget is None:
            return
        self._drawn.clear()
        # The gap keeps it apart from what is drawn in the same colour.
        for colour, far, thick in ((theme.paper, 0.8, 0.9), (theme.lamp, 1.8, 0.8)):
            out, width = theme.mm(far), theme.mm(thick)
            radius = max(1, min(float(getattr(widget, "radius", theme.radius)), min(widget.size) / 2) + out)
            box = (widget.x - out, widget.y - out, widget.width + 2 * out, widget.height + 2 * out, radius)
            self._drawn.add(Color(*colour))
            self._drawn.add(SmoothLine(rounded_rectangle=box, width=width))
