"""SAM-V frames: building commands and finding answers in a stream of bytes that may hold anything. Pure, no port."""

from __future__ import annotations

import msgspec

PREAMBLE = b"\xaa\xaa\xaa\x96\x69"
MAX_LENGTH = 4096
"""Longest believable value of the length field; the longest real answer has 0x90A."""

OK = 0x90
FOUND = 0x9F


MANAGEMENT_NUMBER = b"\x30\x05"
APPENDED_ADDRESS = (b"\x30\x03", b"\x30\x02")
"""Published sources disagree on the bytes of this question. "No such content" proves too that the card lies there."""


class Commands(msgspec.Struct, frozen=True):
    """Command and parameter bytes of one family of readers.

    `presence`: questions that succeed only while the card that was read lies on the reader, in the order in which they are
    tried: one that the reader does not know makes room for the next; none = this reader cannot be asked.
    """

    status: bytes = b"\x11\xff"
    find: bytes = b"\x20\x01"
    select: bytes = b"\x20\x02"
    read: bytes = b"\x30\x01"
    presence: tuple[bytes, ...] = (MANAGEMENT_NUMBER, *APPENDED_ADDRESS)


PROFILES: dict[str, Commands] = {
    "standard": Commands(),
    "address_probe": Commands(presence=APPENDED_ADDRESS),
    "no_probe": Commands(presence=()),
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
        # Of fixed size and moved within itself: a buffer that grows or shrinks leaves copies of a card in freed memory.
        self._buffer = bytearray(2 * (MAX_LENGTH + 7))
        self._view = memoryview(self._buffer)
        self._end = 0
        self.damaged = 0

    def is_inside(self) -> bool:
        """Whether a frame has begun and waits for its rest."""
        return self._end >= len(PREAMBLE)

    def feed(self, data: bytes | bytearray | memoryview) -> list[Answer]:
        """Take bytes as they arrive; returns the answers that are complete now, oldest first."""
        answers: list[Answer] = []
        rest = memoryview(data)
        while rest:
            part = rest[: len(self._buffer) - self._end]
            rest = rest[len(part) :]
            self._view[self._end : self._end + len(part)] = part
            self._end += len(part)
            self._take(answers)
        return answers

    def _take(self, answers: list[Answer]) -> None:
        while self._skip_to_preamble():
            end = self._frame_end(0)
            if end is None:
                # A damaged length may promise bytes that never come; a whole frame behind it is then the truth.
                later = self._whole_frame_behind()
                if later is None:
                    return
                self._reject(later)
            elif end == 0:
                self._reject(1)
            else:
                answers.append(Answer(self._buffer[9], bytearray(self._view[10 : end - 1])))
                self._drop(end)

    def _frame_end(self, start: int) -> int | None:
        """Where the frame at `start` ends: None while bytes are missing, 0 when it is damaged."""
        if self._end < start + 7:
            return None
        length = int.from_bytes(self._view[start + 5 : start + 7], "big")
        # The shortest answer is three status bytes and the check byte.
        if not 4 <= length <= MAX_LENGTH:
            return 0
        end = start + 7 + length
        if self._end < end:
            return None
        return end if _xor(self._view[start + 5 : end - 1]) == self._buffer[end - 1] else 0

    def _whole_frame_behind(self) -> int | None:
        at = self._buffer.find(PREAMBLE, 1, self._end)
        while at >= 0:
            if self._frame_end(at):
                return at
            at = self._buffer.find(PREAMBLE, at + 1, self._end)
        return None

    def wipe(self) -> None:
        """Forget a frame that has begun, and overwrite it."""
        self._drop(self._end)

    def _skip_to_preamble(self) -> bool:
        at = self._buffer.find(PREAMBLE, 0, self._end)
        if at < 0:
            # The end of the buffer may be the start of a preamble that arrives in pieces.
            tail = bytes(self._view[max(0, self._end - 4) : self._end])
            keep = next((n for n in range(4, 0, -1) if tail.endswith(PREAMBLE[:n])), 0)
            self._drop(self._end - keep)
            return False
        self._drop(at)
        return True

    def _reject(self, count: int) -> None:
        self.damaged += 1
        self._drop(count)

    def _drop(self, count: int) -> None:
        """Take away the first `count` bytes, and overwrite where they, or what moves up, stood."""
        left = self._end - count
        if count:
            self._view[:left] = self._view[count : self._end]
            self._view[left : self._end] = bytes(count)
        self._end = left


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
