"""Pictures of the screen for operations: drawn off screen with everything personal left out, refused while somebody rates."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from kivy.graphics import ClearBuffers, ClearColor, Color, Fbo, Rectangle, Scale, Translate
from kivy.uix.widget import Widget

from ui.theme import theme


class PictureRefused(RuntimeError):
    """No picture may be taken now; `reason` is a message id."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no picture: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class Raster:
    """A finished picture: rows from the top, three bytes (red, green, blue) a pixel."""

    width: int
    height: int
    rgb: bytes

    def png(self) -> bytes:
        """The picture as a PNG file. Takes tens of milliseconds; call it on a thread that may wait."""
        row = self.width * 3
        lines = b"".join(b"\0" + self.rgb[i : i + row] for i in range(0, len(self.rgb), row))
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 6)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
        )


def take(root: Widget, *, refusal: str | None = None, scale: float = 1.0) -> Raster:
    """Draw `root` without its private widgets (`private = True`), which appear as plain blocks. Kivy thread only.

    The private content is not drawn at all in this pass; the window shows it unchanged. `scale` below 1 gives a smaller picture.

    Raises PictureRefused when `refusal` holds a reason.
    """
    if refusal is not None:
        raise PictureRefused(refusal)
    hidden = [widget for widget in visible(root) if getattr(widget, "private", False)]
    opacities = [widget.canvas.opacity for widget in hidden]
    try:
        for widget in hidden:
            widget.canvas.opacity = 0
        return _draw(root, hidden, scale)
    finally:
        for widget, opacity in zip(hidden, opacities, strict=True):
            widget.canvas.opacity = opacity


def render(root: Widget) -> Raster:
    """Draw `root` as it is, private content included: for screenshots of made-up data and for tests."""
    return _draw(root, [], 1.0)


def visible(root: Widget) -> Iterator[Widget]:
    """`root` and all widgets in it that are not faded out."""
    if root.opacity > 0:
        yield root
        for child in root.children:
            yield from visible(child)


def _draw(root: Widget, hidden: list[Widget], scale: float) -> Raster:
    width, height = max(1, int(root.width * scale)), max(1, int(root.height * scale))
    parent = root.parent
    place = parent.canvas.indexof(root.canvas) if parent is not None else -1
    if place >= 0:
        parent.canvas.remove(root.canvas)
    fbo = Fbo(size=(width, height), with_stencilbuffer=True)
    try:
        with fbo:
            ClearColor(*theme.paper)
            ClearBuffers()
            Scale(scale, -scale, 1)
            Translate(-root.x, -root.y - root.height, 0)
        fbo.add(root.canvas)
        with fbo:
            Color(*theme.edge)
            for widget in hidden:
                Rectangle(pos=widget.to_window(*widget.pos), size=widget.size)
        fbo.draw()
        pixels = fbo.pixels
        fbo.remove(root.canvas)
    finally:
        if place >= 0:
            parent.canvas.insert(place, root.canvas)
    rgb = bytearray(width * height * 3)
    for channel in range(3):
        rgb[channel::3] = pixels[channel::4]
    return Raster(width, height, bytes(rgb))
