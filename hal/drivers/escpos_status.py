"""What an ESC/POS printer says back: sorting its status bytes out of one stream, and what they mean. Pure, no port."""

from __future__ import annotations

from typing import Literal

import msgspec

from hal.api import PrinterStatus
from hal.drivers.escpos_profiles import NearEnd


class RealTime(msgspec.Struct, frozen=True):
    """One byte, the answer to DLE EOT n; it does not tell which n."""

    value: int


class AutoStatus(msgspec.Struct, frozen=True):
    """Four bytes that the printer sends by itself when something changes (ASB)."""

    value: bytes


class FenceReply(msgspec.Struct, frozen=True):
    """One byte, the answer to GS r 1, sent when the printer has worked through everything before that command."""

    value: int


class Cleared(msgspec.Struct, frozen=True):
    """The printer confirms that it dropped all data it had not printed."""


class Identity(msgspec.Struct, frozen=True):
    """The printer's name, the answer to GS I; like a fence's, it comes when everything before was worked through."""

    name: str


Said = RealTime | AutoStatus | FenceReply | Cleared | Identity
MAX_NAME = 80


class Parser:
    """Sorts a printer's bytes by their fixed bits; never raises, and bytes that fit nowhere are dropped.

    Real-time answer: b & 0x93 == 0x12. First byte of an ASB: b & 0x93 == 0x10, its other three and a fence's answer:
    b & 0x90 == 0. Block answers: 37 25 00 (cleared), 5F name 00 (identity). An ASB that a real-time answer interrupts
    goes on behind it. `dropped` counts bytes that belong to no answer.
    """

    def __init__(self) -> None:
        self._auto = bytearray()
        self._block = bytearray()
        self.dropped = 0

    def feed(self, data: bytes | bytearray | memoryview) -> list[Said]:
        """Take bytes as they arrive; returns what they say, in order."""
        said = []
        for byte in data:
            one = self._byte(byte)
            if one is not None:
                said.append(one)
        return said

    def _byte(self, byte: int) -> Said | None:
        if self._block:
            fits = byte == 0 or (0x20 <= byte < 0x7F if self._block[0] == 0x5F else byte == 0x25)
            if fits and len(self._block) < MAX_NAME:
                return self._block_byte(byte)
            # The block was none, or was cut short; this byte stands for itself.
            self.dropped += len(self._block)
            self._block.clear()
        if byte in (0x37, 0x5F):
            self._block[:] = bytes([byte])
        elif byte & 0x93 == 0x12:
            return RealTime(byte)
        elif byte & 0x93 == 0x10:
            self.dropped += len(self._auto)
            self._auto[:] = bytes([byte])
        elif byte & 0x90:
            # Noise; it may have replaced a byte of what had begun, which therefore cannot be trusted.
            self.dropped += 1 + len(self._auto)
            self._auto.clear()
        elif self._auto:
            return self._auto_byte(byte)
        else:
            return FenceReply(byte)
        return None

    def _auto_byte(self, byte: int) -> Said | None:
        self._auto.append(byte)
        if len(self._auto) < 4:
            return None
        value = bytes(self._auto)
        self._auto.clear()
        return AutoStatus(value)

    def _block_byte(self, byte: int) -> Said | None:
        self._block.append(byte)
        if byte != 0:
            return None
        whole = bytes(self._block)
        self._block.clear()
        if whole[0] == 0x5F:
            return Identity(whole[1:-1].decode("ascii"))
        if whole == b"\x37\x25\x00":
            return Cleared()
        self.dropped += len(whole)
        return None


def _paper(out: bool, near_bits: int, near_end: NearEnd) -> Literal["ok", "near_end", "out"]:
    near = {"sensor": bool(near_bits), "inverted": not near_bits, "none": False}[near_end]
    return "out" if out else "near_end" if near else "ok"


def from_real_time(answers: list[int], near_end: NearEnd = "sensor") -> PrinterStatus:
    """Status from the answers to DLE EOT 1, 2, 3 and 4, in this order; `near_end` as in `Profile`."""
    printer, cause, error, roll = answers
    paper_out = bool(cause & 0x20 or roll & 0x60)
    return PrinterStatus(
        answered=True,
        online=not printer & 0x08,
        paper=_paper(paper_out, roll & 0x0C, near_end),
        cover_open=bool(cause & 0x04),
        cutter_error=bool(error & 0x08),
        mechanical_error=bool(error & 0x04),
        unrecoverable=bool(error & 0x20),
        head_hot=bool(error & 0x40),
        raw=bytes(answers).hex(),
    )


def from_auto(value: bytes, near_end: NearEnd = "sensor") -> PrinterStatus:
    """Status from the four bytes of an ASB; `near_end` as in `Profile`."""
    printer, error, roll, _ = value
    return PrinterStatus(
        answered=True,
        online=not printer & 0x08,
        paper=_paper(bool(roll & 0x0C), roll & 0x03, near_end),
        cover_open=bool(printer & 0x20),
        cutter_error=bool(error & 0x08),
        mechanical_error=bool(error & 0x04),
        unrecoverable=bool(error & 0x20),
        head_hot=bool(error & 0x40),
        raw=value.hex(),
    )


def trouble(status: PrinterStatus) -> str | None:
    """The health id of what keeps the printer from printing, the most useful first; None when it can print."""
    checks = (
        (not status.answered, "printer.silent"),
        (status.cover_open, "printer.cover_open"),
        (status.paper == "out", "printer.paper_out"),
        (status.cutter_error, "printer.cutter_jam"),
        (status.unrecoverable, "printer.unrecoverable"),
        (status.mechanical_error, "printer.mechanical"),
        (status.head_hot, "printer.head_hot"),
        (not status.online, "printer.offline"),
    )
    return next((reason for holds, reason in checks if holds), None)


def health_of(status: PrinterStatus) -> str:
    """The health id for `status`."""
    return trouble(status) or ("printer.paper_near_end" if status.paper == "near_end" else "hal.ok")
