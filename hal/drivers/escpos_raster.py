"""Pictures for an ESC/POS printer: lines side by side, QR codes, and dots that contain no command. Pure."""

from __future__ import annotations

import segno

from hal.paper import Align, Raster


def drawn_qr(symbol: segno.QRCode, module: int, align: Align) -> Raster:
    """A QR code as a picture, for printers that do not draw one themselves."""
    width = len(symbol.matrix) * module
    stride = (width + 7) // 8
    rows = bytearray()
    for squares in symbol.matrix:
        bits = "".join("1" * module if dark else "0" * module for dark in squares)
        rows += int(bits.ljust(stride * 8, "0"), 2).to_bytes(stride, "big") * module
    return Raster(width, len(symbol.matrix) * module, bytes(rows), align)


def padded(raster: Raster, height: int) -> Raster:
    """`raster` with blank rows below, so that drawn lines keep the distance of printed ones."""
    missing = max(0, height - raster.height)
    stride = (raster.width + 7) // 8
    return Raster(raster.width, raster.height + missing, raster.data + bytes(stride * missing), raster.align)


def side_by_side(pieces: list[tuple[int, Raster]], width: int, least_height: int) -> Raster:
    """One picture `width` dots wide with each piece at its distance from the left."""
    height = max([least_height, *(piece.height for _, piece in pieces)])
    stride = (width + 7) // 8
    rows = [0] * height
    for left, piece in pieces:
        piece_stride = (piece.width + 7) // 8
        # Rows as whole numbers: a shift puts a piece at any dot, not only at whole bytes.
        shift = (stride - piece_stride) * 8 - left
        for row in range(piece.height):
            dots = int.from_bytes(piece.data[row * piece_stride : (row + 1) * piece_stride], "big")
            rows[row] |= dots << shift if shift >= 0 else dots >> -shift
    return Raster(width, height, b"".join(row.to_bytes(stride, "big") for row in rows))


def without_commands(data: bytes) -> bytes:
    """Dots without the byte pairs that a printer obeys at once even in the middle of a picture.

    DLE followed by EOT, ENQ or DC4 asks for status, recovers, or clears the buffer. One black dot more (8 a millimetre)
    cannot be seen; a lost ticket can.
    """
    for second in (b"\x04", b"\x05", b"\x14"):
        data = data.replace(b"\x10" + second, b"\x10" + bytes([second[0] | 0x80]))
    return data
