"""The flash of a simulated button box: a file that survives a kill at any byte."""

from __future__ import annotations

import binascii
import os
import struct
from pathlib import Path

_TAKEN, _PRESSED = b"T", b"P"


class Flash:
    """An append-only file of presses and of what was taken of them. Keeps at most `capacity` presses that wait.

    A record: kind, press number, boot, uptime in ms, button, CRC; one cut off by a power cut is passed over.
    """

    RECORD = struct.Struct(">cIHIBH")

    def __init__(self, path: Path, *, capacity: int) -> None:
        self._path, self._capacity = path, capacity
        self.waiting: dict[int, tuple[int, int, int]] = {}
        """Presses by number: boot, uptime in ms, button."""
        self.last_number = self.lost = 0
        boot = 0
        raw = path.read_bytes() if path.exists() else b""
        whole = len(raw) - len(raw) % self.RECORD.size
        for at in range(0, whole, self.RECORD.size):
            record = raw[at : at + self.RECORD.size]
            kind, press, record_boot, uptime_ms, button, check = self.RECORD.unpack(record)
            if check != binascii.crc_hqx(record[:-2], 0):
                continue
            boot = max(boot, record_boot)
            self.last_number = max(self.last_number, press)
            if kind == _PRESSED:
                self.waiting[press] = (record_boot, uptime_ms, button)
            else:
                self.waiting.pop(press, None)
        self.boot = boot + 1 & 0xFFFF
        self._file = open(path, "r+b" if path.exists() else "w+b", buffering=0)  # noqa: SIM115
        self._file.truncate(whole)
        self._file.seek(whole)
        # A start is written too, so that the next one has another number even if nothing is pressed.
        self._write(_TAKEN, 0, 0, 0)

    def _write(self, kind: bytes, press: int, uptime_ms: int, button: int) -> None:
        record = self.RECORD.pack(kind, press, self.boot, uptime_ms, button, 0)
        self._file.write(record[:-2] + binascii.crc_hqx(record[:-2], 0).to_bytes(2, "big"))
        os.fsync(self._file.fileno())

    def press(self, button: int, uptime_ms: int) -> int | None:
        """Keep a press; its number, or None when the flash is full, which is counted."""
        if len(self.waiting) >= self._capacity:
            self.lost += 1
            return None
        self._write(_PRESSED, self.last_number + 1, uptime_ms, button)
        self.last_number += 1
        self.waiting[self.last_number] = (self.boot, uptime_ms, button)
        return self.last_number

    def taken(self, press: int) -> None:
        """Forget a press."""
        if press in self.waiting:
            self._write(_TAKEN, press, 0, 0)
            del self.waiting[press]

    def again(self) -> Flash:
        """What is found after the power came back."""
        self._file.close()
        return Flash(self._path, capacity=self._capacity)
