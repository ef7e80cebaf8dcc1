"""The neutral paper language: what a receipt says, before any printer's bytes."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Literal

import msgspec

Align = Literal["left", "centre", "right"]

MAX_BLOCKS = 2000
MAX_QR_BYTES = 1000
MAX_RASTER_WIDTH = 832
MAX_RASTER_HEIGHT = 4096


class Text(msgspec.Struct, frozen=True, tag="text"):
    """One line of text. Control characters are dropped; a line too long for the paper continues on the next.

    `size` multiplies width and height alike, 1 to 4. A Hanzi or Hangul takes two columns, other characters one.
    """

    line: str
    bold: bool = False
    size: int = 1
    align: Align = "left"


class Rule(msgspec.Struct, frozen=True, tag="rule"):
    """A line across the whole paper, drawn with one repeated ASCII character."""

    char: str = "-"


class Columns(msgspec.Struct, frozen=True, tag="columns"):
    """Cells side by side; `widths` in paper columns (0 = share what is left), each cell wraps inside its own width."""

    cells: tuple[str, ...]
    widths: tuple[int, ...]
    aligns: tuple[Align, ...] = ()
    bold: bool = False


class Raster(msgspec.Struct, frozen=True, tag="raster"):
    """A picture in black and white, one bit a dot.

    Rows of ceil(width/8) bytes, most significant bit leftmost, 1 = black, so `len(data) == ceil(width/8) * height`.
    """

    width: int
    height: int
    data: bytes
    align: Align = "left"


class Qr(msgspec.Struct, frozen=True, tag="qr"):
    """A QR code of `text` (UTF-8, at most 1000 bytes); `module` is the size of one square in dots, 2 to 16."""

    text: str
    module: int = 6
    correction: Literal["L", "M", "Q", "H"] = "M"
    align: Align = "centre"


class Feed(msgspec.Struct, frozen=True, tag="feed"):
    """Blank paper, in text lines (1 to 20)."""

    lines: int = 1


class Cut(msgspec.Struct, frozen=True, tag="cut"):
    """Feed to the cutter and cut; a partial cut leaves a point, so the paper does not fall."""

    partial: bool = True


Block = Text | Rule | Columns | Raster | Qr | Feed | Cut


class TextStyle(msgspec.Struct, frozen=True):
    """How a line must look when a font draws it instead of the printer; `width_dots` is all the paper has."""

    bold: bool
    size: int
    align: Align
    width_dots: int


# Draws one line with a font into a picture at most `style.width_dots` wide; called on a hal thread, so it must not
# touch Kivy's graphics. The printer's own line at size 1 is 24 dots high.
Rasterise = Callable[[str, TextStyle], Raster]


def clean(text: str) -> str:
    """Drop control characters, so that content can never become a printer command; tab and line end become a space."""
    spaced = "".join(" " if char in "\t\r\n" else char for char in text)
    return "".join(char for char in spaced if unicodedata.category(char) not in ("Cc", "Cs"))


def in_rom(text: str) -> bool:
    """Whether a Chinese printer's own font (ASCII and GB 2312) has every character of `text`."""
    return all(_in_rom(char) for char in text)


def _in_rom(char: str) -> bool:
    # Asked by bytes and not by Python's gb2312 codec, which refuses U+2014 although A1AA prints that very dash.
    try:
        code = char.encode("gb18030")
        if len(code) == 2:
            code.decode("gb2312")
    except UnicodeError:
        return False
    return len(code) <= 2 and (len(code) == 2 or 0x20 <= code[0] < 0x7F)


def for_rom(text: str) -> str:
    """`text` with the typographic marks of Latin writing as a printer's font has them.

    A Chinese font has quotes and dashes as wide as a Hanzi, which tears English words apart, and no en dash at all.
    """
    text = text.replace("\u2013", "-").replace("\u2011", "-").replace("\u00a0", " ")
    return text if any(unicodedata.east_asian_width(char) in "WF" for char in text) else text.translate(_LATIN)


_LATIN = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2014": "-", "\u2026": "..."})


def columns_of(text: str) -> int:
    """Columns that `text` takes at size 1."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    # What GB 2312 encodes in two bytes is printed full width even where Unicode calls its width ambiguous.
    return 2 if unicodedata.east_asian_width(char) in "WF" or (ord(char) > 0x7F and _in_rom(char)) else 1


def wrap(text: str, columns: int) -> list[str]:
    """Split `text` into lines of at most `columns`, at spaces where Latin words allow it; never empty."""
    lines: list[str] = []
    line, width = "", 0
    for word in _words(text):
        size = columns_of(word)
        if width + size > columns and line.strip():
            lines.append(line.rstrip(" "))
            line, width = "", 0
            word = word.lstrip(" ")
            size = columns_of(word)
        for char in word if size > columns else [word]:
            step = columns_of(char)
            if width + step > columns and line:
                lines.append(line)
                line, width = "", 0
            line, width = line + char, width + step
    return [*lines, line.rstrip(" ") if lines else line]


def _words(text: str) -> list[str]:
    """Pieces that may not be split: Latin words with the spaces before them, and every wide character alone."""
    words: list[str] = []
    joins = False
    for char in text:
        narrow = _columns(char) < 2
        begins = char == " " and bool(words) and not words[-1].endswith(" ")
        if narrow and joins and not begins:
            words[-1] += char
        else:
            words.append(char)
        joins = narrow
    return words


def fit(text: str, columns: int, align: Align = "left") -> str:
    """Pad `text` with spaces to exactly `columns`; what is too long stays too long."""
    room = max(0, columns - columns_of(text))
    left = {"left": 0, "centre": room // 2, "right": room}[align]
    return " " * left + text + " " * (room - left)


def problems(blocks: tuple[Block, ...]) -> list[str]:
    """Everything about `blocks` that no printer can print, each with its place, the limit and the remedy."""
    if not 1 <= len(blocks) <= MAX_BLOCKS:
        return [f"the job has {len(blocks)} blocks; print 1 to {MAX_BLOCKS}"]
    found = []
    for index, block in enumerate(blocks):
        found += [f"block {index} ({type(block).__name__}): {text}" for text in _block_problems(block)]
    return found


def _block_problems(block: Block) -> list[str]:
    match block:
        case Text(size=size) if not 1 <= size <= 4:
            return [f"size is {size}; use 1 to 4"]
        case Rule(char=char) if len(char) != 1 or not 0x20 < ord(char) < 0x7F:
            return [f"char is {char!r}; use one visible ASCII character"]
        case Columns(cells=cells, widths=widths, aligns=aligns):
            if not cells or len(cells) != len(widths) or (aligns and len(aligns) != len(cells)):
                return [f"{len(cells)} cells, {len(widths)} widths, {len(aligns)} aligns; give each cell its own"]
            return [f"width {width} is negative; use 0 or more" for width in widths if width < 0]
        case Raster(width=width, height=height, data=data):
            if not (1 <= width <= MAX_RASTER_WIDTH and 1 <= height <= MAX_RASTER_HEIGHT):
                return [f"{width}x{height} dots; use up to {MAX_RASTER_WIDTH}x{MAX_RASTER_HEIGHT}"]
            if len(data) != (width + 7) // 8 * height:
                return [f"{len(data)} bytes; {width}x{height} dots need {(width + 7) // 8 * height}"]
        case Qr(text=text, module=module):
            if not 2 <= module <= 16:
                return [f"module is {module}; use 2 to 16"]
            if not text or len(text.encode()) > MAX_QR_BYTES:
                return [f"text has {len(text.encode())} bytes; use 1 to {MAX_QR_BYTES}"]
        case Feed(lines=lines) if not 1 <= lines <= 20:
            return [f"lines is {lines}; use 1 to 20"]
        case _:
            pass
    return []
