"""A QR code on the screen, dark on white in every palette so that phones read it."""

import segno
from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture
from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.widget import Widget


class QrImage(Widget):
    """Draws `data` as a QR code with its quiet zone, as large as whole modules fit the widget. Empty data draws nothing.

    Data beyond a QR code's capacity (2,953 bytes at the lowest correction) raises segno.DataOverflowError where it is set.
    """

    data = StringProperty("")
    alt = StringProperty("")
    """What it is, for those who cannot see it."""
    private = BooleanProperty(False)
    """A private code never appears in pictures of the screen (ui.picture)."""

    def __init__(self, **kwargs: object) -> None:
        self._texture: Texture | None = None
        super().__init__(**kwargs)
        self.fbind("data", self._encode)
        for name in ("pos", "size"):
            self.fbind(name, self._draw)
        self._encode()

    def _encode(self, *_: object) -> None:
        self._texture = None
        if self.data:
            rows = [bytes(row) for row in segno.make(self.data, error="m", micro=False, boost_error=True).matrix_iter(border=4)]
            side = len(rows)
            self._texture = Texture.create(size=(side, side), colorfmt="luminance")
            self._texture.mag_filter = self._texture.min_filter = "nearest"
            pixels = b"".join(bytes(0 if module else 255 for module in row) for row in rows)
            self._texture.blit_buffer(pixels, colorfmt="luminance", bufferfmt="ubyte")
            self._texture.flip_vertical()
        self._draw()

    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        if self._texture is None:
            return
        modules = self._texture.width
        side = max(1, int(min(self.size)) // modules) * modules
        with self.canvas:
            Color(1, 1, 1, 1)
            Rectangle(texture=self._texture, size=(side, side), pos=(int(self.center_x - side / 2), int(self.center_y - side / 2)))
