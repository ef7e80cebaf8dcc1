"""Draws one line of paper with the screen's fonts, for Hangul and rare Hanzi that a printer's ROM lacks (facts D2)."""

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from hal.paper import Raster, TextStyle
from ui.fonts import Face, Fonts

LINE_DOTS = 24
"""Height of the printer's own line at size 1."""
_SPACING_DOTS = 6
_INK = 128
"""Grey below which a dot is burnt: thin strokes of a screen font stay whole on thermal paper."""


class LineDrawer:
    """The rasteriser handed to hal's printer. Pure of Kivy, so any thread may call it."""

    def __init__(self, fonts: Fonts) -> None:
        self._fonts = fonts

    def __call__(self, line: str, style: TextStyle) -> Raster:
        """`line` as a picture; wider text continues below, so that nothing is cut off."""
        face = self._face(line, bold=style.bold)
        size = LINE_DOTS * style.size
        rows = self._rows(line, face, size, style.width_dots)
        height = (size + _SPACING_DOTS) * len(rows)
        image = Image.new("L", (style.width_dots, height), 255)
        draw = ImageDraw.Draw(image)
        for index, row in enumerate(rows):
            left = _left(self._width(row, face, size), style)
            top = index * (size + _SPACING_DOTS)
            self._draw(draw, row, face, left=left, top=top, size=size)
        return to_raster(image)

    def _face(self, line: str, *, bold: bool) -> Face:
        # Korean shapes when there is Hangul: a Hanzi beside it then looks as Korean readers expect.
        hangul = any("\uac00" <= char <= "\ud7a3" or "\u1100" <= char <= "\u11ff" for char in line)
        return self._fonts.face("ko" if hangul else "zh", bold=bold)

    def _rows(self, line: str, face: Face, size: int, width: int) -> list[str]:
        rows, row = [], ""
        pieces = [piece for word in _pieces(line) for piece in ([word] if self._width(word, face, size) <= width else word)]
        for word in pieces:
            if row and self._width(row + word, face, size) > width:
                rows.append(row.rstrip())
                row = word.lstrip()
            else:
                row += word
        return [*rows, row.rstrip()]

    def _width(self, text: str, face: Face, size: int) -> int:
        return round(sum(_font(str(path), size).getlength(run) for path, run in self._fonts.runs(text, face)))

    def _draw(self, draw: ImageDraw.ImageDraw, text: str, face: Face, *, left: int, top: int, size: int) -> None:
        # All runs stand on one base line, whatever the fonts' own heights are.
        base = top + round(size * 0.88)
        x: float = left
        for path, run in self._fonts.runs(text, face):
            font = _font(str(path), size)
            draw.text((x, base), run, fill=0, font=font, anchor="ls")
            x += font.getlength(run)


def to_raster(image: Image.Image) -> Raster:
    """A grey picture as dots; what is darker than half is black."""
    dots = image.point(lambda grey: 0 if grey < _INK else 255).convert("1")
    # Pillow's 1 is white and hal's 1 is black; rows are padded to whole bytes alike.
    data = bytes(byte ^ 0xFF for byte in dots.tobytes())
    width, height = dots.size
    spare = -width % 8
    if spare:
        row = (width + 7) // 8
        mask = 0xFF << spare & 0xFF
        data = b"".join(data[i : i + row - 1] + bytes([data[i + row - 1] & mask]) for i in range(0, len(data), row))
    return Raster(width=width, height=height, data=data)


def _pieces(line: str) -> list[str]:
    """Where a row may end: after a space, and around every wide character."""
    pieces = [""]
    for char in line:
        wide = ord(char) > 0x2E7F and not "\uac00" <= char <= "\ud7a3"
        if pieces[-1] and (wide or pieces[-1][-1] == " "):
            pieces.append(char)
        else:
            pieces[-1] += char
    return pieces


def _left(width: int, style: TextStyle) -> int:
    room = max(0, style.width_dots - width)
    return {"left": 0, "centre": room // 2, "right": room}[style.align]


@lru_cache(maxsize=32)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    # Pillow's basic layout, because Raqm refuses a run that has only a selector or mark in it.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
