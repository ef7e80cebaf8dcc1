"""From the neutral paper language to ESC/POS bytes. Pure: no port, no font (lines the printer lacks come as pictures)."""

from __future__ import annotations

import msgspec
import segno

from hal.drivers import escpos_raster
from hal.drivers.escpos_fences import Fences
from hal.drivers.escpos_profiles import Profile
from hal.paper import (
    Align,
    Block,
    Columns,
    Cut,
    Feed,
    Qr,
    Raster,
    Rasterise,
    Rule,
    Text,
    TextStyle,
    clean,
    fit,
    for_rom,
    in_rom,
    problems,
    wrap,
)

CHAR_DOTS = 24
LINE_DOTS = 34
"""Height of a text line at size 1 with its gap; the printers' usual 30 stands too tight for old eyes."""
LARGE_GAP_DOTS = 8
"""Below a line of larger letters, which the printer would set without any gap."""
COLUMN_DOTS = 12
RASTER_ROWS = 64
"""Rows of one picture command; few, because so many must be sent again as zeros when one was cut off."""

# Switches automatic status on, which is also the proof that the printer has begun with this job.
BEGIN = b"\x1b\x40\x1d\x61\xff\x1b\x33" + bytes([LINE_DOTS])
HANZI_ON = b"\x1c\x26"
STATUS = b"\x10\x04"
AUTO_STATUS = b"\x1d\x61\xff"
# Recover from an error without printing the rest; then drop everything received (answered by 37 25 00).
DROP_REST = b"\x10\x05\x02\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"

_ALIGNS: dict[Align, bytes] = {"left": b"\x1b\x61\x00", "centre": b"\x1b\x61\x01", "right": b"\x1b\x61\x02"}
_CORRECTION = {"L": 0x30, "M": 0x31, "Q": 0x32, "H": 0x33}


class JobInvalid(ValueError):
    """The job cannot become bytes: `reason` is `job.invalid` or `job.no_font`; the message says what and why."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Encoded(msgspec.Struct, frozen=True):
    """A job as bytes; `paper_mm` is the length of the paper, `cuts` whether it ends with a cut."""

    data: bytes
    paper_mm: int
    cuts: bool


def encode(
    blocks: tuple[Block, ...],
    profile: Profile,
    rasterise: Rasterise | None,
    fences: Fences,
    *,
    after_unfinished: bool = False,
) -> Encoded:
    """Bytes for `blocks`, with the questions of `fences` before the last cut and at the end.

    `after_unfinished`: the printer may be in the middle of an earlier job's picture. So many zeros come first that it ends,
    white; outside of a picture a printer skips them.

    Raises:
        JobInvalid: a block is impossible, or a line needs a font and `rasterise` is None.
    """
    wrong = problems(blocks)
    if wrong:
        raise JobInvalid("job.invalid", "; ".join(wrong))
    encoder = _Encoder(profile, rasterise)
    if after_unfinished:
        encoder.before(bytes(RASTER_ROWS * ((profile.width_dots + 7) // 8)))
    cut_last = isinstance(blocks[-1], Cut)
    for block in blocks[:-1] if cut_last else blocks:
        encoder.block(block)
    encoder.raw(fences.ask_content)
    if cut_last:
        encoder.block(blocks[-1])
    encoder.raw(fences.ask_end)
    return Encoded(encoder.data(), round(encoder.dots / profile.dots_per_mm), cut_last and profile.cutter != "none")


class _Encoder:
    def __init__(self, profile: Profile, rasterise: Rasterise | None) -> None:
        self._profile = profile
        self._rasterise = rasterise
        self._out = bytearray(BEGIN + (HANZI_ON if profile.hanzi else b""))
        self.dots = 0

    def data(self) -> bytes:
        return bytes(self._out)

    def raw(self, data: bytes) -> None:
        self._out += data

    def before(self, data: bytes) -> None:
        self._out[:0] = data

    def block(self, block: Block) -> None:
        match block:
            case Text():
                self._text(block)
            case Rule(char=char):
                self._rom_line(char * self._profile.columns, TextStyle(False, 1, "left", self._profile.width_dots))
            case Columns():
                self._columns(block)
            case Raster():
                self._raster(block)
            case Qr():
                self._qr(block)
            case Feed(lines=lines):
                self._out += b"\x1b\x64" + bytes([lines])
                self.dots += lines * LINE_DOTS
            case Cut(partial=partial):
                self._cut(partial)

    def _cut(self, partial: bool) -> None:
        """Feed to the cutter and cut; a tear bar is fed to as well, and the visitor tears."""
        if self._profile.cutter == "none":
            for part in _parts(self._profile.cutter_dots, 255):
                self._out += b"\x1b\x4a" + bytes([part])
        else:
            # The printer itself feeds from its head to its cutter.
            self._out += b"\x1d\x56" + (b"\x42" if partial and self._profile.cutter == "partial" else b"\x41") + b"\x00"
        self.dots += self._profile.cutter_dots

    def _has(self, text: str) -> bool:
        """Whether the printer's own font has every character."""
        return in_rom(text) if self._profile.hanzi else all(" " <= char <= "~" for char in text)

    def _text(self, block: Text) -> None:
        style = TextStyle(block.bold, block.size, block.align, self._profile.width_dots)
        for line in wrap(for_rom(clean(block.line)), self._profile.columns // block.size):
            if self._has(line):
                self._rom_line(line, style)
            else:
                self._raster(escpos_raster.padded(self._drawn(line, style), _line_dots(block.size)))

    def _rom_line(self, line: str, style: TextStyle) -> None:
        larger = style.size - 1
        out = self._out
        out += _ALIGNS[style.align]
        out += b"\x1b\x45" + bytes([style.bold])
        # Some printers size Hanzi only by their own command; the general one comes last and wins where both hold.
        if self._profile.hanzi:
            out += b"\x1c\x21" + (b"\x0c" if larger else b"\x00")
        out += b"\x1d\x21" + bytes([larger << 4 | larger])
        out += line.encode("gb18030") + b"\n"
        if larger:
            out += b"\x1b\x4a" + bytes([LARGE_GAP_DOTS])
        self.dots += _line_dots(style.size)

    def _drawn(self, line: str, style: TextStyle) -> Raster:
        if self._rasterise is None:
            # The characters alone are named: a line may tell about a person, and messages end up in logs.
            lacking = "".join(sorted({char for char in line if not self._has(char)})[:10])
            raise JobInvalid("job.no_font", f"the printer lacks the characters {lacking!r}, and no font was given")
        drawn = self._rasterise(line, style)
        wrong = problems((drawn,))
        if wrong or drawn.width > style.width_dots:
            raise JobInvalid("job.invalid", f"the font drew a line {drawn.width} dots wide of {style.width_dots}")
        return drawn

    def _columns(self, block: Columns) -> None:
        widths = _shared(block.widths, self._profile.columns)
        left: Align = "left"
        aligns = block.aligns or (left,) * len(widths)
        cells = [wrap(for_rom(clean(cell)), width) for cell, width in zip(block.cells, widths, strict=True)]
        for row in range(max(len(lines) for lines in cells)):
            texts = [lines[row] if row < len(lines) else "" for lines in cells]
            if all(map(self._has, texts)):
                line = "".join(fit(text, w, align) for text, w, align in zip(texts, widths, aligns, strict=True))
                self._rom_line(line, TextStyle(block.bold, 1, "left", self._profile.width_dots))
            else:
                self._drawn_row(texts, widths, aligns, block.bold)

    def _drawn_row(self, texts: list[str], widths: list[int], aligns: tuple[Align, ...], bold: bool) -> None:
        """A row of cells as one picture, so that the columns stand where those of the printer's own rows do."""
        pieces = []
        at = 0
        for text, width, align in zip(texts, widths, aligns, strict=True):
            if text:
                drawn = self._drawn(text, TextStyle(bold, 1, align, width * COLUMN_DOTS))
                room = width * COLUMN_DOTS - drawn.width
                pieces.append((at + {"left": 0, "centre": room // 2, "right": room}[align], drawn))
            at += width * COLUMN_DOTS
        self._raster(escpos_raster.side_by_side(pieces, self._profile.width_dots, LINE_DOTS))

    def _raster(self, raster: Raster) -> None:
        if raster.width > self._profile.width_dots:
            raise JobInvalid("job.invalid", f"a picture is {raster.width} dots wide of {self._profile.width_dots}")
        self._out += _ALIGNS[raster.align]
        stride = (raster.width + 7) // 8
        data = escpos_raster.without_commands(raster.data)
        for row in range(0, raster.height, RASTER_ROWS):
            rows = min(RASTER_ROWS, raster.height - row)
            self._out += b"\x1d\x76\x30\x00" + stride.to_bytes(2, "little") + rows.to_bytes(2, "little")
            self._out += data[row * stride : (row + rows) * stride]
        self.dots += raster.height

    def _qr(self, block: Qr) -> None:
        data = clean(block.text).encode()
        symbol = segno.make(data, error=block.correction, mode="byte", micro=False, boost_error=False)
        squares = int(symbol.symbol_size(border=0)[0])
        # A code wider than the paper is not printed at all, without any error, so it is made to fit here.
        module = min(block.module, self._profile.width_dots // squares)
        if module < 2:
            raise JobInvalid("job.invalid", f"a QR code of {len(data)} bytes does not fit the paper; shorten its text")
        out = self._out
        # A reader needs a quiet margin of four squares; left and right the paper gives it, above and below this does.
        margin = b"\x1b\x4a" + bytes([4 * module])
        if not self._profile.qr:
            out += margin
            self._raster(escpos_raster.drawn_qr(symbol, module, block.align))
            out += margin
            self.dots += 8 * module
            return
        out += margin + _ALIGNS[block.align]
        out += b"\x1d\x28\x6b\x04\x00\x31\x41\x32\x00"
        out += b"\x1d\x28\x6b\x03\x00\x31\x43" + bytes([module])
        out += b"\x1d\x28\x6b\x03\x00\x31\x45" + bytes([_CORRECTION[block.correction]])
        out += b"\x1d\x28\x6b" + (len(data) + 3).to_bytes(2, "little") + b"\x31\x50\x30" + data
        out += b"\x1d\x28\x6b\x03\x00\x31\x51\x30" + margin
        self.dots += (squares + 8) * module


def _line_dots(size: int) -> int:
    """Height of a text line with its gap."""
    return LINE_DOTS if size == 1 else max(LINE_DOTS, CHAR_DOTS * size) + LARGE_GAP_DOTS


def _parts(total: int, most: int) -> list[int]:
    """`total` in parts of at most `most`."""
    return [most] * (total // most) + ([total % most] if total % most else [])


def _shared(widths: tuple[int, ...], columns: int) -> list[int]:
    """Widths with what is left shared among the zeros."""
    left = columns - sum(widths)
    open_cells = widths.count(0)
    if left < open_cells:
        raise JobInvalid("job.invalid", f"cells need {sum(widths)} of {columns} columns; make them narrower")
    shares = iter([left // open_cells + (index < left % open_cells) for index in range(open_cells)])
    return [width or next(shares) for width in widths]
