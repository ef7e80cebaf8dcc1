"""A box with the code point for a character that no installed font can draw, as a font: nobody's name may vanish."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

_EM = 1000
# Seven-segment shapes of hexadecimal digits: a top, b upper right, c lower right, d bottom, e lower left, f upper left, g middle.
_SEGMENTS = {
    "0": "abcdef",
    "1": "bc",
    "2": "abged",
    "3": "abgcd",
    "4": "fgbc",
    "5": "afgcd",
    "6": "afgedc",
    "7": "abc",
    "8": "abcdefg",
    "9": "abcdfg",
    "A": "abcefg",
    "B": "fgedc",
    "C": "afed",
    "D": "bcdeg",
    "E": "afged",
    "F": "afge",
}


def box_font(char: str, cache: Path) -> Path:
    """The font file, in `cache`, whose only glyph is the box for `char`; made when it is not there yet."""
    path = cache / f"box-{ord(char):05X}.ttf"
    if not path.is_file():
        _make(ord(char), path)
    return path


def _make(code: int, path: Path) -> None:
    from fontTools.fontBuilder import FontBuilder

    builder = FontBuilder(_EM, isTTF=True)
    builder.setupGlyphOrder([".notdef", "box"])
    builder.setupCharacterMap({code: "box"})
    glyph = _glyph(f"{code:04X}" if code < 0x10000 else f"{code:06X}")
    builder.setupGlyf({".notdef": glyph, "box": glyph})
    builder.setupHorizontalMetrics({".notdef": (_EM, 40), "box": (_EM, 40)})
    builder.setupHorizontalHeader(ascent=1160, descent=-288)
    builder.setupNameTable({"familyName": "Nightwindow Box", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=880, sTypoDescender=-120, usWinAscent=1160, usWinDescent=288)
    builder.setupPost()
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
        builder.save(part.name)
    os.replace(part.name, path)


def _glyph(digits: str) -> object:
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)

    def rectangle(left: int, bottom: int, right: int, top: int) -> None:
        pen.moveTo((left, bottom))
        pen.lineTo((left, top))
        pen.lineTo((right, top))
        pen.lineTo((right, bottom))
        pen.closePath()

    for side in ((40, -100, 80, 860), (920, -100, 960, 860), (40, 820, 960, 860), (40, -100, 960, -60)):
        rectangle(*side)
    across = len(digits) // 2
    width = 780 // across
    for place, digit in enumerate(digits):
        left = 110 + (place % across) * width + width // 8
        bottom = 440 if place < across else -10
        _digit(rectangle, digit, left, bottom, width * 3 // 4, 330)
    return pen.glyph()


def _digit(rectangle: Callable[[int, int, int, int], None], digit: str, left: int, bottom: int, width: int, height: int) -> None:
    pen = 40
    right, top, middle = left + width, bottom + height, bottom + height // 2
    shapes = {
        "a": (left, top - pen, right, top),
        "b": (right - pen, middle, right, top),
        "c": (right - pen, bottom, right, middle),
        "d": (left, bottom, right, bottom + pen),
        "e": (left, bottom, left + pen, middle),
        "f": (left, middle, left + pen, top),
        "g": (left, middle - pen // 2, right, middle + pen // 2),
    }
    for segment in _SEGMENTS[digit]:
        rectangle(*shapes[segment])
