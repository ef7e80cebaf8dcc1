"""A small drawing that stands for a picture of a terminal's screen."""

import struct
import zlib


def sketch_png(width: int = 270, height: int = 480) -> bytes:
    """A small PNG that stands for a terminal's screen: paper, a header, six tiles, a lamp."""
    paper, card, ink, lamp = b"\xf6\xf4\xef", b"\xff\xff\xff", b"\x1b\x24\x30", b"\xe8\xa3\x3d"
    rows = []
    for y in range(height):
        row = bytearray(paper * width)
        if 20 <= y < 44:
            row[20 * 3 : 44 * 3] = ink * 24
            row[56 * 3 : 190 * 3] = ink * 134
        if 70 <= y < 110:
            row[20 * 3 : (width - 20) * 3] = card * (width - 40)
        for top in (130, 235, 340):
            if top <= y < top + 92:
                for left in (20, 140):
                    row[left * 3 : (left + 110) * 3] = card * 110
                    if 12 <= y - top < 36:
                        row[(left + 12) * 3 : (left + 36) * 3] = lamp * 24
        rows.append(b"\0" + bytes(row))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(rows))),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body
