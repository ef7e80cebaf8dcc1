"""Frames of the reference evaluator protocol as simulators know them, written from docs/evaluator-protocol.md alone."""

from __future__ import annotations

from collections.abc import Iterator

ACK, HELLO = 0x7F, 0x81
"""Commands of frames that every end of the line says itself, outside of what is acknowledged."""
SPECIAL = (0x02, 0x03, 0x10, 0x11, 0x13)


class Cutter:
    """Cuts a stream: 02 begins, 03 ends, 10 says that the next byte is XORed with 40."""

    def __init__(self) -> None:
        self._body: bytearray | None = None
        self._escaped = False

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Number, command and payload of every whole frame."""
        for byte in data:
            if byte == 0x02:
                self._body, self._escaped = bytearray(), False
            elif self._body is None:
                continue
            elif byte == 0x03:
                body, self._body = bytes(self._body), None
                if not self._escaped and len(body) >= 5 and len(body) == body[0] + 5 and crc16(body[:-2]) == body[-2:]:
                    yield body[1], body[2], body[3:-2]
            elif self._escaped:
                self._escaped = False
                self._body.append(byte ^ 0x40)
                if byte ^ 0x40 not in SPECIAL:
                    self._body = None
            elif byte == 0x10:
                self._escaped = True
            elif byte not in SPECIAL:
                self._body.append(byte)
            if self._body is not None and len(self._body) > 260:
                self._body = None


def frame(seq: int, cmd: int, payload: bytes, *, spoilt: str = "") -> bytes:
    """The bytes of a frame; `spoilt` "check": its check is wrong, "length": its length, with a check that fits the wrong one."""
    body = bytes((len(payload) ^ (spoilt == "length"), seq, cmd)) + payload
    check = crc16(body)
    if spoilt == "check":
        check = bytes((check[0] ^ 0x5A, check[1]))
    out = bytearray(b"\x02")
    for byte in body + check:
        out += bytes((0x10, byte ^ 0x40)) if byte in SPECIAL else bytes((byte,))
    return bytes(out) + b"\x03"


def crc16(data: bytes) -> bytes:
    """CRC-16, polynomial 1021, first value FFFF, most significant byte first; bit by bit, as a small controller does it."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value.to_bytes(2, "big")
