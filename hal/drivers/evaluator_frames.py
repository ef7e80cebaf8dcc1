"""Frames of the reference evaluator protocol, version 1 (docs/evaluator-protocol.md): bytes ↔ frames, nothing about time.

`02 | LEN SEQ CMD payload CRC | 03`; between 02 and 03 every 02, 03, 10, 11 and 13 is written as 10 and the byte XOR 40.
So a 02 on the line always begins a frame and a 03 always ends one: whatever noise comes, the next whole frame is understood.
"""

from __future__ import annotations

import binascii
import struct

import msgspec

STX, ETX, ESC = 0x02, 0x03, 0x10
SPECIAL = frozenset((STX, ETX, ESC, 0x11, 0x13))
"""11 and 13 too: adapters that do software flow control would swallow them."""
FLIP = 0x40
MAX_PAYLOAD = 200
_MAX_BODY = MAX_PAYLOAD + 5

VERSION = 1
HELLO, HELLO_ANSWER, ACK = 0x01, 0x81, 0x7F
EVALUATOR, BOX, DESK = 1, 2, 3
ROLES = {EVALUATOR: "evaluator", BOX: "button box", DESK: "clerk's desk"}


class FrameError(ValueError):
    """A payload that its command does not allow; the message says what and the limit."""


class Frame(msgspec.Struct, frozen=True):
    """One frame: its number (0 for greetings, else 1–255), its command, what it carries."""

    seq: int
    cmd: int
    payload: bytes = b""


def encode(frame: Frame) -> bytes:
    """The bytes on the line.

    Raises:
        FrameError: the payload is longer than 200 bytes.
    """
    if len(frame.payload) > MAX_PAYLOAD:
        raise FrameError(f"a payload has {len(frame.payload)} bytes; a frame carries at most {MAX_PAYLOAD}")
    body = bytes((len(frame.payload), frame.seq, frame.cmd)) + frame.payload
    body += crc(body).to_bytes(2, "big")
    stuffed = bytearray((STX,))
    for byte in body:
        stuffed += bytes((ESC, byte ^ FLIP)) if byte in SPECIAL else bytes((byte,))
    stuffed.append(ETX)
    return bytes(stuffed)


def crc(data: bytes) -> int:
    """CRC-16 with polynomial 1021, first value FFFF, nothing reflected or inverted; `123456789` gives 29B1."""
    return binascii.crc_hqx(data, 0xFFFF)


class Unframer:
    """Cuts a stream into frames. Holds at most one frame; `damaged` counts what began like a frame and was none."""

    def __init__(self) -> None:
        self.damaged = 0
        self._body: bytearray | None = None
        self._escaped = False

    def feed(self, data: bytes | memoryview) -> list[Frame]:
        """The frames that these bytes complete, in order."""
        frames = []
        for byte in data:
            if byte == STX:
                if self._body is not None:
                    self._drop()
                self._body, self._escaped = bytearray(), False
            elif self._body is None:
                continue
            elif byte == ETX:
                frame = None if self._escaped else _decode(bytes(self._body))
                if frame is not None:
                    frames.append(frame)
                    self._body = None
                else:
                    self._drop()
            elif not self._append(byte):
                self._drop()
        return frames

    def _append(self, byte: int) -> bool:
        assert self._body is not None
        if self._escaped:
            byte ^= FLIP
            self._escaped = False
            if byte not in SPECIAL:
                return False
        elif byte == ESC:
            self._escaped = True
            return True
        elif byte in SPECIAL:
            # Flow control that an adapter put in between belongs to nobody.
            return True
        self._body.append(byte)
        return len(self._body) <= _MAX_BODY

    def _drop(self) -> None:
        self.damaged += 1
        self._body = None


def _decode(body: bytes) -> Frame | None:
    if len(body) < 5 or len(body) != body[0] + 5 or crc(body[:-2]) != int.from_bytes(body[-2:], "big"):
        return None
    return Frame(body[1], body[2], body[3:-2])


class Hello(msgspec.Struct, frozen=True):
    """Who is at one end. `nonce` (4 bytes) ties an answer to its question; zeros announce that somebody has just started.

    `lowest` and `highest` are the versions it speaks, `identity` 8 bytes that never change (zeros: not told), `model` at most
    24 bytes of UTF-8. What a newer version appends is passed over.
    """

    role: int
    nonce: bytes
    identity: bytes = bytes(8)
    model: str = ""
    lowest: int = VERSION
    highest: int = VERSION
    max_payload: int = MAX_PAYLOAD

    def payload(self) -> bytes:
        """The bytes of a HELLO or its answer."""
        model = self.model.encode()[:24].decode(errors="ignore").encode()
        head = bytes((self.lowest, self.highest, self.role, self.max_payload))
        return head + self.nonce + self.identity + bytes((len(model),)) + model

    def common_version(self, other: Hello) -> int | None:
        """The highest version both speak, None when there is none."""
        version = min(self.highest, other.highest)
        return version if version >= max(self.lowest, other.lowest) else None


def read_hello(payload: bytes) -> Hello:
    """A greeting from its payload.

    Raises:
        FrameError: it is too short, or its values contradict themselves.
    """
    if len(payload) < 17 or len(payload) < 17 + payload[16]:
        raise FrameError(f"a greeting has {len(payload)} bytes; it needs at least 17 and its model's name")
    lowest, highest, role, max_payload = struct.unpack_from("4B", payload)
    if not 1 <= lowest <= highest or max_payload < 32:
        raise FrameError(f"a greeting tells versions {lowest} to {highest} and payloads up to {max_payload}")
    model = payload[17 : 17 + payload[16]].decode("utf-8", "replace")
    # It is shown to technicians and kept in logs.
    shown = "".join(char if char.isprintable() else "?" for char in model)
    return Hello(role, payload[4:8], payload[8:16], shown, lowest, highest, max_payload)
