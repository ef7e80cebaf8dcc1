"""Interprets ESC/POS bytes the way a printer does, from the command set alone, into what stands on the paper."""

from __future__ import annotations

import hashlib
from typing import Any

import segno

CHAR_DOTS = 24
COLUMN_DOTS = 12
ALIGNS = ("left", "centre", "right")


class Ticket:
    """A piece of paper: what stands on it from top to bottom, each item with its height in dots."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.dots = 0
        self.cut = False
        self.taken = False

    def add(self, item: dict[str, Any], dots: int) -> None:
        item["dots"] = dots
        self.items.append(item)
        self.dots += dots

    def told(self, dots_per_mm: int) -> dict[str, Any]:
        """As the control socket tells it: pictures by size and digest, blank feeds left out."""
        items = []
        for item in self.items:
            if "text" in item:
                items.append({key: item[key] for key in ("text", "bold", "size", "align")})
            elif "raster" in item:
                digest = hashlib.sha256(bytes(item["data"])).hexdigest()
                items.append({"raster": [item["raster"][0], len(item["data"]) // item["stride"]], "sha256": digest})
            elif "qr" in item:
                items.append({"qr": item["qr"]})
        return {"items": items, "cut": self.cut, "mm": round(self.dots / dots_per_mm), "taken": self.taken}


class Interpreter:
    """Takes one command after the other from a buffer; the paper it needs is asked for before anything is printed.

    `step` consumes one command, or one row of a picture, and returns what the mechanism must do: `("paper", dots)` was
    printed, `("cut", dots)`, `("fence", n)`, `("identify", n)`, `("auto_status", n)`, `("none", 0)`. It consumes nothing
    and returns None while bytes are missing, or `("need", dots)` when there is not paper enough.
    """

    def __init__(self, width_dots: int, *, cutter: str = "partial", cutter_dots: int = 120, hanzi: bool = True) -> None:
        """`cutter` `partial`: knows both cuts, `full`: only the full one, `none`: a tear bar; `hanzi`: has a Chinese font."""
        self.width_dots = width_dots
        self._cutter = cutter
        self._cutter_dots = cutter_dots
        self._has_hanzi = hanzi
        self.ticket = Ticket()
        self.finished: list[Ticket] = []
        self.reset()

    def reset(self) -> None:
        """ESC @, or power: styles and the unfinished line are forgotten."""
        self._line: list[str] = []
        self._line_columns = 0
        self._line_style = (False, 1, "left")
        self._bold = False
        self._size = 1
        self._align = "left"
        self._chinese = self._has_hanzi
        self._spacing = 30
        self._qr_data = b""
        self._qr_module = 3
        self._qr_level = "L"
        self._rows_left = 0
        self._stride = 0

    def step(self, buffer: bytearray, paper_dots: int) -> tuple[str, int] | None:
        """See the class."""
        if self._rows_left:
            return self._raster_row(buffer, paper_dots)
        if not buffer:
            return None
        lead = buffer[0]
        if lead == 0x0A:
            return self._end_line(buffer, paper_dots)
        if lead in (0x1B, 0x1C, 0x1D, 0x10):
            return self._command(buffer, paper_dots)
        return self._character(buffer, paper_dots)

    def _character(self, buffer: bytearray, paper_dots: int) -> tuple[str, int] | None:
        size = 1
        if buffer[0] < 0x20:
            char = ""
        elif buffer[0] < 0x80:
            char = chr(buffer[0])
        elif self._chinese and 0x81 <= buffer[0] <= 0xFE:
            if len(buffer) < 2:
                return None
            size = 2
            char = _rom_char(bytes(buffer[:2]))
        else:
            char = "�"
        columns = len(char) * size * self._size
        if (self._line_columns + columns) * COLUMN_DOTS > self.width_dots:
            done = self._print_line(paper_dots)
            if done[0] == "need":
                return done
            return done
        del buffer[:size]
        if char:
            self._line.append(char)
            self._line_columns += columns
            self._line_style = (self._bold, self._size, self._align)
        return ("none", 0)

    def _end_line(self, buffer: bytearray, paper_dots: int) -> tuple[str, int]:
        done = self._print_line(paper_dots)
        if done[0] != "need":
            del buffer[:1]
        return done

    def _print_line(self, paper_dots: int) -> tuple[str, int]:
        bold, size, align = self._line_style if self._line else (False, 1, "left")
        dots = max(self._spacing, CHAR_DOTS * size) if self._line else self._spacing
        if dots > paper_dots:
            return ("need", dots)
        self.ticket.add({"text": "".join(self._line), "bold": bold, "size": size, "align": align}, dots)
        self._line, self._line_columns = [], 0
        return ("paper", dots)

    def _command(self, buffer: bytearray, paper_dots: int) -> tuple[str, int] | None:
        if len(buffer) < 2:
            return None
        match buffer[0], buffer[1]:
            case 0x1D, 0x76:
                return self._raster_head(buffer)
            case 0x1D, 0x28:
                return self._block(buffer, paper_dots)
            case 0x1D, 0x56:
                return self._cut(buffer, paper_dots)
            case 0x1B, 0x40:
                del buffer[:2]
                self.reset()
                return ("none", 0)
            case (0x1B, 0x32) | (0x1C, 0x26) | (0x1C, 0x2E):
                code = buffer[1]
                del buffer[:2]
                self._spacing = 30 if code == 0x32 else self._spacing
                self._chinese = (code == 0x26 and self._has_hanzi) if code != 0x32 else self._chinese
                return ("none", 0)
            case 0x10, 0x14:
                # Real-time commands were obeyed when they arrived; here they are only stepped over.
                length = 10 if len(buffer) > 2 and buffer[2] == 0x08 else 5
                return self._skip(buffer, length)
            case 0x10, 0x04 | 0x05:
                return self._skip(buffer, 3)
            case 0x10, _:
                return self._skip(buffer, 1)
        if len(buffer) < 3:
            return None
        return self._setting(buffer, paper_dots)

    def _skip(self, buffer: bytearray, count: int) -> tuple[str, int] | None:
        if len(buffer) < count:
            return None
        del buffer[:count]
        return ("none", 0)

    def _setting(self, buffer: bytearray, paper_dots: int) -> tuple[str, int]:
        """Commands of three bytes."""
        group, code, n = buffer[:3]
        if (group, code) == (0x1B, 0x64) or (group, code) == (0x1B, 0x4A):
            dots = n * self._spacing if code == 0x64 else n
            if dots > paper_dots:
                return ("need", dots)
            self.ticket.add({"feed": n}, dots)
            del buffer[:3]
            return ("paper", dots)
        del buffer[:3]
        match group, code:
            case 0x1B, 0x61:
                self._align = ALIGNS[n % 48 if n % 48 < 3 else 0]
            case 0x1B, 0x45:
                self._bold = bool(n & 1)
            case 0x1B, 0x33:
                self._spacing = n
            case 0x1C, 0x21:
                self._size = 2 if n & 0x0C == 0x0C else 1
            case 0x1D, 0x21:
                self._size = (n & 7) + 1
            case 0x1D, 0x61:
                return ("auto_status", n)
            case 0x1D, 0x72:
                return ("fence", n)
            case 0x1D, 0x49:
                return ("identify", n)
            case _:
                pass
        return ("none", 0)

    def _cut(self, buffer: bytearray, paper_dots: int) -> tuple[str, int] | None:
        if len(buffer) < 3:
            return None
        feeds = buffer[2] in (0x41, 0x42)
        if feeds and len(buffer) < 4:
            return None
        full = buffer[2] in (0x41, 0x00, 0x30)
        if self._cutter == "none" or (self._cutter == "full" and not full):
            return self._skip(buffer, 4 if feeds else 3)
        dots = self._cutter_dots + buffer[3] if feeds else 0
        if dots > paper_dots:
            return ("need", dots)
        return ("cut", dots)

    def cut_done(self, buffer: bytearray, dots: int) -> None:
        """The mechanism has cut; the ticket is finished."""
        del buffer[: 4 if buffer[2] in (0x41, 0x42) else 3]
        self.ticket.add({"feed": 0}, dots)
        self.ticket.cut = True
        self.finished.append(self.ticket)
        self.ticket = Ticket()

    def _raster_head(self, buffer: bytearray) -> tuple[str, int] | None:
        if len(buffer) < 8:
            return None
        self._stride = buffer[4] | buffer[5] << 8
        self._rows_left = buffer[6] | buffer[7] << 8
        del buffer[:8]
        if self._stride == 0:
            self._rows_left = 0
        if self._rows_left:
            size = [self._stride * 8, self._rows_left]
            item = {"raster": size, "stride": self._stride, "data": bytearray(), "align": self._align}
            self.ticket.add(item, 0)
        return ("none", 0)

    def _raster_row(self, buffer: bytearray, paper_dots: int) -> tuple[str, int] | None:
        if len(buffer) < self._stride:
            return None
        if paper_dots < 1:
            return ("need", 1)
        item = self.ticket.items[-1]
        item["data"] += buffer[: self._stride]
        item["dots"] += 1
        self.ticket.dots += 1
        del buffer[: self._stride]
        self._rows_left -= 1
        return ("paper", 1)

    def _block(self, buffer: bytearray, paper_dots: int) -> tuple[str, int] | None:
        if len(buffer) < 5:
            return None
        length = buffer[3] | buffer[4] << 8
        if len(buffer) < 5 + length:
            return None
        body = bytes(buffer[5 : 5 + length])
        if buffer[2] == 0x6B and body[:2] == b"\x31\x51":
            dots = self._print_qr(paper_dots)
            if dots > paper_dots:
                return ("need", dots)
            del buffer[: 5 + length]
            return ("paper", dots)
        if buffer[2] == 0x6B and body[:1] == b"\x31":
            self._set_qr(body[1], body[2:])
        del buffer[: 5 + length]
        return ("none", 0)

    def _set_qr(self, function: int, data: bytes) -> None:
        if function == 0x43 and data:
            self._qr_module = data[0]
        elif function == 0x45 and data:
            self._qr_level = "LMQH"[data[0] & 3]
        elif function == 0x50:
            self._qr_data = data[1:]

    def _print_qr(self, paper_dots: int) -> int:
        """Put the stored QR code on the paper; returns its height, 0 for one that is wider than the paper."""
        if not self._qr_data:
            return 0
        symbol = segno.make(self._qr_data, error=self._qr_level, mode="byte", micro=False, boost_error=False)
        matrix = [[bool(square) for square in row] for row in symbol.matrix]
        dots = len(matrix) * self._qr_module
        if dots > self.width_dots:
            return 0
        if dots <= paper_dots:
            text = self._qr_data.decode("utf-8", "replace")
            self.ticket.add({"qr": text, "matrix": matrix, "module": self._qr_module, "align": self._align}, dots)
        return dots


def _rom_char(code: bytes) -> str:
    """What the Chinese font of the printer has for two bytes: GB 2312, a box for anything else."""
    if code == b"\xa1\xaa":
        return "—"
    if code == b"\xa1\xa4":
        return "·"
    try:
        return code.decode("gb2312")
    except UnicodeDecodeError:
        return "□"
