"""What goes wrong with a card reader's answers on their way: noise, flipped and lost bytes, wrong lengths and check bytes."""

from __future__ import annotations

import random
from typing import Any

from hal.sim.station import flag, hex_bytes, number

FAULTS = ("noise", "wrong_checksum", "wrong_length", "flip", "drop", "lose")


class Faults:
    """How the next answers are disturbed; each fault by itself, for a number of answers."""

    def __init__(self, choose: random.Random) -> None:
        self._choose = choose
        self._left = dict.fromkeys(FAULTS, 0)
        # Only answers with so many bytes are disturbed: an answer to find has 7, the content of a card 1,287.
        self._over = dict.fromkeys(FAULTS, 0)
        self._noise, self._noise_inside = b"", False
        self._bytes = {"flip": 1, "drop": 1}

    def set(self, what: str, options: dict[str, Any]) -> dict[str, Any]:
        """A control command; raises `CommandError`."""
        self._left[what] = int(number(options, "times", 1, 10_000))
        self._over[what] = int(number(options, "over", 0, 4096))
        if what == "noise":
            self._noise = hex_bytes(options, "bytes")
            self._noise_inside = flag({"on": options.get("inside", False)})
        elif what in self._bytes:
            self._bytes[what] = int(number(options, "bytes", 1, 2000))
        return {}

    def answer(self, body: bytes) -> bytes:
        """The frame of an answer with the status and data in `body`, as it arrives; empty when it is lost."""
        size = len(body)
        if self._is_due("lose", size):
            return b""
        length = size + 1 + (5 if self._is_due("wrong_length", size) else 0)
        framed = length.to_bytes(2, "big") + body
        check = 0x5A if self._is_due("wrong_checksum", size) else 0
        for byte in framed:
            check ^= byte
        return self._on_the_way(bytearray(b"\xaa\xaa\xaa\x96\x69" + framed + bytes([check])), size)

    def _on_the_way(self, frame: bytearray, size: int) -> bytes:
        if self._is_due("flip", size):
            for _ in range(self._bytes["flip"]):
                frame[self._choose.randrange(len(frame))] ^= self._choose.randrange(1, 256)
        if self._is_due("drop", size):
            for _ in range(min(self._bytes["drop"], len(frame) - 1)):
                del frame[self._choose.randrange(len(frame))]
        if self._is_due("noise", size):
            at = self._choose.randrange(len(frame)) if self._noise_inside else 0
            frame[at:at] = self._noise
        return bytes(frame)

    def _is_due(self, what: str, size: int) -> bool:
        if not self._left[what] or size < self._over[what]:
            return False
        self._left[what] -= 1
        return True
