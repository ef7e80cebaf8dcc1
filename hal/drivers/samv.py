"""SAM-V frames: building commands and finding answers in a stream of bytes that may hold anything. Pure, no port."""

from __future__ import annotations

import msgspec

PREAMBLE = b"\xaa\xaa\xaa\x96\x69"
MAX_LENGTH = 4096
"""Longest believable value of the length field; the longest real answer has 0x90A."""

OK = 0x90
FOUND = 0x9F


class Commands(msgspec.Struct, frozen=True):
    """Command and parameter bytes of one family of readers. `presence` None: this reader cannot be asked."""

    status: bytes = b"\x11\xff"
    find: bytes = b"\x20\x01"
    select: bytes = b"\x20\x02"
    read: bytes = b"\x30\x01"
    presence: bytes | None = b"\x30\x05"


# `presence` is a question that succeeds only while the card that was read lies on the reader: its management number,
# or its appended address (also "no such content" proves that it lies there).
PROFILES: dict[str, Commands] = {
    "standard": Commands(),
    "address_probe": Commands(presence=b"\x30\x03"),
    "no_probe": Commands(presence=None),
    # One SDK's header has find and select with a leading zero byte.
    "prefix_00": Commands(find=b"\x00\x81", select=b"\x00\x82"),
}


def command(code: bytes) -> bytes:
    """The whole frame of a command (two bytes) without data."""
    body = (len(code) + 1).to_bytes(2, "big") + code
    return PREAMBLE + body + bytes([_xor(body)])


class Answer:
    """One answer: status byte SW3, and its data in a buffer that the receiver wipes."""

    def __init__(self, status: int, data: bytearray) -> None:
        self.status = status
        self.data = data

    def wipe(self) -> None:
        """Overwrite the data with zeros."""
        self.data[:] = bytes(len(self.data))


class Parser:
    """Finds answers in the bytes of a reader; never raises, whatever arrives.

    After a damaged frame it goes on one byte behind that frame's preamble, so the next whole frame is found.
    `damaged` counts frames with a wrong check byte or an impossible length.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.damaged = 0

    def feed(self, data: bytes | bytearray | memoryview) -> list[Answer]:
        """Take bytes as they arrive; returns the answers that are complete now, oldest first."""
        self._buffer += data
        answers: list[Answer] = []
        while self._skip_to_preamble():
            end = self._frame_end(0)
            if end is None:
                # A damaged length may promise bytes that never come; a whole frame behind it is then the truth.
                later = self._whole_frame_behind()
                if later is None:
                    return answers
                self._reject(later)
            elif end == 0:
                self._reject(1)
            else:
                answers.append(Answer(self._buffer[9], self._buffer[10 : end - 1]))
                self._drop(end)
        return answers

    def _frame_end(self, start: int) -> int | None:
        """Where the frame at `start` ends: None while bytes are missing, 0 when it is damaged."""
        buffer = self._buffer
        if len(buffer) < start + 7:
            return None
        length = int.from_bytes(buffer[start + 5 : start + 7], "big")
        # The shortest answer is three status bytes and the check byte.
        if not 4 <= length <= MAX_LENGTH:
            return 0
        end = start + 7 + length
        if len(buffer) < end:
            return None
        return end if _xor(memoryview(buffer)[start + 5 : end - 1]) == buffer[end - 1] else 0

    def _whole_frame_behind(self) -> int | None:
        at = self._buffer.find(PREAMBLE, 1)
        while at >= 0:
            if self._frame_end(at):
                return at
            at = self._buffer.find(PREAMBLE, at + 1)
        return None

    def wipe(self) -> None:
        """Forget a frame that has begun, and overwrite it."""
        self._drop(len(self._buffer))

    def _skip_to_preamble(self) -> bool:
        at = self._buffer.find(PREAMBLE)
        if at < 0:
            # The end of the buffer may be the start of a preamble that arrives in pieces.
            keep = next((n for n in range(4, 0, -1) if self._buffer.endswith(PREAMBLE[:n])), 0)
            self._drop(len(self._buffer) - keep)
            return False
        self._drop(at)
        return True

    def _reject(self, count: int) -> None:
        self.damaged += 1
        self._drop(count)

    def _drop(self, count: int) -> None:
        # Overwritten before it is cut off, because cutting leaves the old bytes in freed memory.
        self._buffer[:count] = bytes(count)
        del self._buffer[:count]


def _xor(data: bytes | bytearray | memoryview) -> int:
    check = 0
    for byte in data:
        check ^= byte
    return check


def module_number(data: bytes) -> str:
    """The security module's number as it is printed on it, from the 16 bytes of the answer to `12 FF`."""
    if len(data) < 16:
        return data.hex()
    kind, sort = int.from_bytes(data[0:2], "little"), int.from_bytes(data[2:4], "little")
    date, first, second = (int.from_bytes(data[at : at + 4], "little") for at in (4, 8, 12))
    return f"{kind:02}.{sort:02}-{date:08}-{first:010}-{second:010}"
