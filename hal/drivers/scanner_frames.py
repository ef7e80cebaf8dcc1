"""What scanners send, found in a stream of bytes: lines that end in CR, LF or silence, SSI packets, Newland replies. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from hal.codes import MAX_BYTES


class Code(msgspec.Struct, frozen=True):
    """The bytes of one code, in a buffer that the receiver wipes."""

    data: bytearray


class TooLong(msgspec.Struct, frozen=True):
    """More bytes than a code may have came without an end; they are dropped."""


class LineParser:
    """Codes as lines: each ends with CR, LF, or when `idle` is called because nothing came for a while. Never raises."""

    def __init__(self) -> None:
        # Of fixed size, because a growing buffer leaves copies of what it held in freed memory.
        self._buffer = bytearray(MAX_BYTES)
        self._filled = 0
        self._overflowed = False

    def feed(self, data: bytes | bytearray | memoryview) -> list[Code | TooLong]:
        """Take bytes as they arrive; returns what they complete, oldest first. Lines without content are nothing."""
        found: list[Code | TooLong] = []
        for byte in data:
            if byte in (0x0D, 0x0A):
                found += self._end()
            elif self._filled < MAX_BYTES:
                self._buffer[self._filled] = byte
                self._filled += 1
            else:
                self._overflowed = True
        return found

    def idle(self) -> list[Code | TooLong]:
        """Nothing came for so long that a code without an end is over."""
        return self._end()

    def is_inside(self) -> bool:
        """Whether a code has begun and not ended."""
        return self._filled > 0

    def wipe(self) -> None:
        """Forget and overwrite what has begun."""
        self._buffer[: self._filled] = bytes(self._filled)
        self._filled, self._overflowed = 0, False

    def _end(self) -> list[Code | TooLong]:
        if not self._filled:
            return []
        found: Code | TooLong = TooLong() if self._overflowed else Code(self._buffer[: self._filled])
        self.wipe()
        return [found]


class ReplyFilter:
    """Takes a Newland scanner's replies (STX … ETX) out of the stream, so that they are never taken for a code."""

    LONGEST = 64

    def __init__(self) -> None:
        self._reply = bytearray()
        self._inside = False

    def feed(self, data: bytes | bytearray | memoryview) -> tuple[bytearray, list[bytes]]:
        """Split `data` into bytes of codes, and whole replies. What begins like a reply and never ends is dropped."""
        codes, replies = bytearray(), []
        for byte in data:
            if byte == 0x02:
                self._inside, self._reply = True, bytearray()
            elif not self._inside:
                codes.append(byte)
            elif byte == 0x03 or len(self._reply) >= self.LONGEST:
                self._inside = False
                if byte == 0x03:
                    replies.append(bytes(self._reply))
            else:
                self._reply.append(byte)
        return codes, replies

    def idle(self) -> None:
        """Nothing came for a while: a reply that has begun will not end."""
        self._inside = False


class Packet(msgspec.Struct, frozen=True):
    """One SSI packet from the decoder: opcode, status bits, and its data in a buffer that the receiver wipes."""

    opcode: int
    status: int
    data: bytearray


SSI_DECODE_DATA, SSI_ACK, SSI_NAK, SSI_REVISION = 0xF3, 0xD0, 0xD1, 0xA4
SSI_START, SSI_STOP, SSI_ASK_REVISION = 0xE4, 0xE5, 0xA3
SSI_RETRANSMIT, SSI_MORE = 0x01, 0x02
_FROM_DECODER = (SSI_DECODE_DATA, SSI_ACK, SSI_NAK, SSI_REVISION, 0xF6, 0xC6, 0xD8)
NakCause = Literal[1]


def ssi(opcode: int, data: bytes = b"") -> bytes:
    """A packet from the host: length, opcode, source 4, status 0, data, and the two's complement of the sum of all that."""
    body = bytes([4 + len(data), opcode, 0x04, 0x00]) + data
    return body + (-sum(body) & 0xFFFF).to_bytes(2, "big")


class SsiParser:
    """Finds SSI packets in a stream; never raises.

    The protocol has no mark at which a packet starts. A damaged one costs one byte, and the next whole packet behind it
    is found. `damaged` counts bytes so dropped: while it grows, the last packet was not whole.
    """

    LONGEST = 255 + 2

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.damaged = 0

    def feed(self, data: bytes | bytearray | memoryview) -> list[Packet]:
        """Take bytes as they arrive; returns the packets that are complete now, oldest first."""
        self._buffer += data
        found: list[Packet] = []
        while self._buffer:
            end = self._packet_end(0)
            if end is None:
                # A damaged length may wait for bytes that never come; a whole packet behind it is then the truth.
                later = next((at for at in range(1, len(self._buffer)) if self._packet_end(at)), None)
                if later is None:
                    break
                self._reject(later)
            elif end == 0:
                self._reject(1)
            else:
                found.append(Packet(self._buffer[1], self._buffer[3], self._buffer[4 : end - 2]))
                self._drop(end)
        return found

    def is_inside(self) -> bool:
        """Whether a packet seems to have begun."""
        return bool(self._buffer)

    def wipe(self) -> None:
        """Forget and overwrite what has begun."""
        self._drop(len(self._buffer))

    def _packet_end(self, start: int) -> int | None:
        """Where the packet at `start` ends: None while bytes are missing, 0 when there is none."""
        head = self._buffer[start : start + 4]
        wrong = head[0] < 4 or (len(head) > 1 and head[1] not in _FROM_DECODER) or (len(head) > 2 and head[2] != 0)
        if wrong:
            return 0
        end = start + head[0] + 2
        if len(head) < 4 or len(self._buffer) < end:
            return None
        total = sum(memoryview(self._buffer)[start : end - 2]) + int.from_bytes(self._buffer[end - 2 : end], "big")
        return 0 if total & 0xFFFF else end

    def _reject(self, count: int) -> None:
        self.damaged += count
        self._drop(count)

    def _drop(self, count: int) -> None:
        self._buffer[:count] = bytes(count)
        del self._buffer[:count]
