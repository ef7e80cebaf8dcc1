"""Draws a simulated ticket as a picture, dot by dot as a thermal head would, for people and QR readers to look at."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from hal.sim.escpos_paper import CHAR_DOTS, COLUMN_DOTS, Ticket

# Debian's fonts-noto-cjk; face 7 of the collection is Mono CJK SC, as monospaced as a printer's ROM, for which it
# stands.
ROM_FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
ROM_FACE = 7
MARGIN = 24


def png(ticket: Ticket, width_dots: int) -> bytes:
    """The ticket as PNG, one pixel a dot, with a narrow margin."""
    height = max(1, sum(item["dots"] for item in ticket.items))
    paper = Image.new("L", (width_dots + 2 * MARGIN, height + 2 * MARGIN), 255)
    draw = ImageDraw.Draw(paper)
    top = MARGIN
    for item in ticket.items:
        if "text" in item:
            _text(draw, item, top, width_dots)
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


def _text(draw: ImageDraw.ImageDraw, item: dict[str, Any], top: int, width_dots: int) -> None:
    size = item["size"]
    cells = [COLUMN_DOTS * size * (1 if ord(char) < 0x80 else 2) for char in item["text"]]
    x = MARGIN + _left(item, sum(cells), width_dots)
    for char, cell in zip(item["text"], cells, strict=True):
        font = _font(CHAR_DOTS * size)
        # Emphasised letters are printed twice, one dot apart.
        for shift in (0, size) if item["bold"] else (0,):
            draw.text((x + shift + cell / 2, top + CHAR_DOTS * size / 2), char, fill=0, font=font, anchor="mm")
        x += cell


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
