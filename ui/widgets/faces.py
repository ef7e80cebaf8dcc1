"""The five faces, drawn as vectors by us: five shapes that differ without colour."""

from collections.abc import Iterable

from kivy.graphics import Color, SmoothEllipse, SmoothLine
from kivy.properties import BooleanProperty, NumericProperty
from kivy.uix.widget import Widget
from kivy.utils import get_color_from_hex

from ui.theme import theme

FILL = {5: "#2E7D5B", 4: "#5A8732", 3: "#E3B93A", 2: "#C0651F", 1: "#B23A30"}
"""Level to colour; white strokes reach 3:1 on all but the yellow one, which has dark strokes."""
STROKE = {5: "#FFFFFF", 4: "#FFFFFF", 3: "#1B2430", 2: "#FFFFFF", 1: "#FFFFFF"}
# Mouths as cubic curves on a field of 100 × 100 with y downwards: start, two handles, end.
_MOUTH = {
    4: (32, 60, 40, 72, 60, 72, 68, 60),
    3: (32, 64, 44, 64, 56, 64, 68, 64),
    2: (32, 70, 40, 58, 60, 58, 68, 70),
    1: (30, 74, 38, 54, 62, 54, 70, 74),
}


class Face(Widget):
    """A face for `level` 5 (非常满意) to 1 (非常不满意), as large as the widget allows. `muted` draws it in one colour."""

    level = NumericProperty(5)
    muted = BooleanProperty(False)
    plain = BooleanProperty(False)
    """Black on white, for high contrast; set by the rule."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        for name in ("pos", "size", "level", "muted", "plain"):
            self.fbind(name, self._draw)
        self._draw()

    def _draw(self, *_: object) -> None:
        level = int(self.level)
        self.canvas.clear()
        side = min(self.size)
        if side < 4:
            return
        contrast = self.plain
        with self.canvas:
            # On black, a white disc with black strokes is the strongest contrast there is; shapes tell the levels apart.
            Color(*(theme.ink if contrast else theme.soft if self.muted else get_color_from_hex(FILL[level])))
            self._disc(50, 50, 46)
            Color(*(get_color_from_hex("#000000") if contrast else get_color_from_hex(STROKE[level])))
            self._disc(35, 43, 5.6)
            self._disc(65, 43, 5.6)
            if level == 5:
                self._open_mouth()
            else:
                self._stroke(_curve(_MOUTH[level]), 5)
            if level == 1:
                self._stroke((28, 31, 40, 36), 4.5)
                self._stroke((72, 31, 60, 36), 4.5)

    def _place(self, x: float, y: float) -> tuple[float, float]:
        unit = min(self.size) / 100
        return self.center_x + (x - 50) * unit, self.center_y + (50 - y) * unit

    def _disc(self, x: float, y: float, radius: float) -> None:
        unit = min(self.size) / 100
        left, bottom = self._place(x - radius, y + radius)
        SmoothEllipse(pos=(left, bottom), size=(2 * radius * unit, 2 * radius * unit), segments=72)

    def _open_mouth(self) -> None:
        unit = min(self.size) / 100
        left, bottom = self._place(28.5, 78)
        SmoothEllipse(pos=(left, bottom), size=(43 * unit, 41 * unit), angle_start=90, angle_end=270, segments=72)
        self._stroke((31, 58, 69, 58), 5)

    def _stroke(self, points: Iterable[float], width: float) -> None:
        flat = list(points)
        unit = min(self.size) / 100
        placed = [coordinate for i in range(0, len(flat), 2) for coordinate in self._place(flat[i], flat[i + 1])]
        SmoothLine(points=placed, width=max(1.0, width / 2 * unit))
        for x, y in (flat[:2], flat[-2:]):
            self._disc(x, y, width / 2)


def _curve(handles: tuple[float, ...], steps: int = 24) -> list[float]:
    x0, y0, x1, y1, x2, y2, x3, y3 = handles
    points: list[float] = []
    for step in range(steps + 1):
        t = step / steps
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        points += [a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3]
    return points
