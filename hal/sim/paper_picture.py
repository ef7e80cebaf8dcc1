"""Draws a simulated ticket as a picture, dot by dot as a thermal head would, for people and QR readers to look at."""

from __future__ import annotations

import io
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from hal.sim.escpos_paper import CHAR_DOTS, COLUMN_DOTS, Ticket

# Debian's fonts-noto-cjk; face 7 of the collection is Mono CJK SC, as monospaced as a printer's ROM, for which it
# stands.
ROM_FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
ROM_FACE = 7
MARGIN = 24
OVERHANG = 6
"""So far this font's letters reach above and below the line that they stand for, at size 1."""


def png(ticket: Ticket, width_dots: int) -> bytes:
    """The ticket as PNG, one pixel a dot, with a narrow margin."""
    height = max(1, sum(item["dots"] for item in ticket.items))
    paper = Image.new("L", (width_dots + 2 * MARGIN, height + 2 * MARGIN), 255)
    draw = ImageDraw.Draw(paper)
    top = MARGIN
    for item in ticket.items:
        if "text" in item:
            _text(paper, item, top, width_dots)
        elif "raster" in item:
            rows = len(item["data"]) // item["stride"]
            if rows:
                size = (item["stride"] * 8, rows)
                picture = Image.frombytes("1", size, bytes(255 - byte for byte in item["data"]))
                paper.paste(picture, (MARGIN + _left(item, size[0], width_dots), top))
        elif "qr" in item:
            _squares(draw, item, top, width_dots)
        top += item["dots"]
    out = io.BytesIO()
    paper.save(out, "PNG")
    return out.getvalue()


def _left(item: dict[str, Any], width: int, width_dots: int) -> int:
    room = max(0, width_dots - width)
    return {"left": 0, "centre": room // 2, "right": room}[item["align"]]


def _text(paper: Image.Image, item: dict[str, Any], top: int, width_dots: int) -> None:
    size = item["size"]
    cells = [COLUMN_DOTS * size * (1 if ord(char) < 0x80 else 2) for char in item["text"]]
    x = MARGIN + _left(item, sum(cells), width_dots)
    for char, cell in zip(item["text"], cells, strict=True):
        # Emphasised letters are printed twice, one dot apart.
        for shift in (0, size) if item["bold"] else (0,):
            paper.paste(0, (x + shift, top - OVERHANG * size), _glyph(char, cell, CHAR_DOTS * size, OVERHANG * size))
        x += cell


@lru_cache(maxsize=4096)
def _glyph(char: str, cell: int, height: int, overhang: int) -> Image.Image:
    """One letter as a mask; drawing it anew each time would take a second for a long ticket."""
    mask = Image.new("L", (cell, height + 2 * overhang), 0)
    ImageDraw.Draw(mask).text((cell / 2, height / 2 + overhang), char, fill=255, font=_font(height), anchor="mm")
    return mask


def _squares(draw: ImageDraw.ImageDraw, item: dict[str, Any], top: int, width_dots: int) -> None:
    module = item["module"]
    left = MARGIN + _left(item, len(item["matrix"]) * module, width_dots)
    for y, row in enumerate(item["matrix"]):
        for x, dark in enumerate(row):
            if dark:
                corner = (left + x * module, top + y * module)
                draw.rectangle((*corner, corner[0] + module - 1, corner[1] + module - 1), fill=0)


@cache
def _font(height: int) -> Any:
    if ROM_FONT.exists():
        return ImageFont.truetype(str(ROM_FONT), height, index=ROM_FACE)
    return ImageFont.load_default(height)
