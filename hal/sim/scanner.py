"""A code scanner that is not there: plain lines, Honeywell, Zebra SSI or Newland bytes, codes held up over a control socket."""

from __future__ import annotations

import time
from typing import Any

import click

from hal.sim.station import Command, CommandError, Station, flag, hex_bytes, number

PROFILES = ("plain", "honeywell", "ssi", "newland")
ENDS = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n", "none": b""}
MOST_IN_PACKET = 250
CHARACTER_TIMEOUT_S = 0.2


class Scanner:
    """The device: whether its light is on, what it still has to deliver, and how it is disturbed."""

    def __init__(self, station: Station, *, profile: str) -> None:
        self._station = station
        self._profile = profile
        self._pending = bytearray()
        self._lit = profile == "plain"
        self._silent = self._refuses = False
        self._wrong_check_left = self._wrong_length_left = self._lost_acks_left = 0
        self._unplug_after = -1
        self._last_byte_s = 0.0
        # SSI: packets that were not acknowledged yet; the first one is on its way.
        self._queue: list[bytes] = []
        self._scans = self._acks = self._naks = self._commands = 0

    def received(self, data: bytes) -> None:
        """Bytes from the host, by profile."""
        if self._silent:
            return
        # What stopped in its middle is forgotten, as these devices do after their character time-out.
        if time.monotonic() - self._last_byte_s > CHARACTER_TIMEOUT_S:
            self._pending.clear()
        self._last_byte_s = time.monotonic()
        self._pending += data
        {"plain": self._pending.clear, "honeywell": self._honeywell, "newland": self._newland, "ssi": self._ssi}[self._profile]()

    def _honeywell(self) -> None:
        """Commands: SYN T CR lights up, SYN U CR puts the light out."""
        while (end := self._pending.find(b"\r")) >= 0:
            command = bytes(self._pending[: end + 1])
            del self._pending[: end + 1]
            if command.endswith((b"\x16T\r", b"\x16U\r")):
                self._commands += 1
                self._lit = command.endswith(b"T\r")

    def _newland(self) -> None:
        """Commands: ~ SOH 0000 # NAME ; ETX, answered STX SOH 0000 # NAME ACK ; ETX."""
        while (end := self._pending.find(b"\x03")) >= 0:
            command = bytes(self._pending[: end + 1])
            del self._pending[: end + 1]
            start = command.rfind(b"~\x010000#")
            name = command[start + 7 : -2]
            if start < 0 or command[-2:] != b";\x03":
                continue
            self._commands += 1
            known = name in (b"SCNTRG0", b"SCNTRG1") and not self._refuses
            if known:
                self._lit = name == b"SCNTRG1"
            self._station.send(b"\x02\x010000#" + name + (b"\x06" if known else b"\x15") + b";\x03")

    def _ssi(self) -> None:
        """Packets: length, opcode, source, status, data, two bytes that make the sum zero."""
        while self._pending:
            length = self._pending[0]
            if length < 4:
                del self._pending[:1]
                continue
            if len(self._pending) < length + 2:
                return
            packet = bytes(self._pending[: length + 2])
            if (sum(packet[:length]) + int.from_bytes(packet[length:], "big")) & 0xFFFF:
                del self._pending[:1]
                continue
            del self._pending[: length + 2]
            self._obey(packet[1], packet[4:length])

    def _obey(self, opcode: int, data: bytes) -> None:
        self._commands += 1
        if opcode == 0xD0:
            if self._lost_acks_left:
                self._lost_acks_left -= 1
                self._deliver(again=True)
                return
            self._acks += 1
            if self._queue:
                self._queue.pop(0)
                self._deliver()
        elif opcode == 0xD1:
            self._naks += 1
            self._deliver(again=True)
        elif self._refuses:
            self._say(0xD1, b"\x06")
        elif opcode == 0xA3:
            self._say(0xA4, b"NW-SIM-SSI 1.0")
        elif opcode in (0xE4, 0xE5):
            self._lit = opcode == 0xE4
            self._say(0xD0)
        else:
            self._say(0xD1, b"\x02")

    def _say(self, opcode: int, data: bytes = b"", status: int = 0) -> None:
        body = bytes([4 + len(data), opcode, 0, status]) + data
        self._send(body + (0x10000 - sum(body) & 0xFFFF).to_bytes(2, "big"))

    def _deliver(self, *, again: bool = False) -> None:
        """The packet at the head of the queue."""
        if self._queue:
            kind_and_text = self._queue[0]
            more = 0x02 if len(self._queue) > 1 else 0
            self._say(0xF3, kind_and_text, more | (0x01 if again else 0))

    def _send(self, frame: bytes) -> None:
        if self._wrong_length_left:
            self._wrong_length_left -= 1
            frame = bytes([frame[0] + 3 & 0xFF]) + frame[1:]
        if self._wrong_check_left:
            self._wrong_check_left -= 1
            frame = frame[:-1] + bytes([frame[-1] ^ 0x5A])
        if 0 <= self._unplug_after < len(frame):
            frame, self._unplug_after = frame[: self._unplug_after], -1
            self._station.send(frame)
            self._station.unplug()
            # It takes its power from the cable.
            self._queue.clear()
            return
        self._station.send(frame)

    def command(self, do: str, options: dict[str, Any]) -> dict[str, Any]:
        """See docs/drivers.md for the commands."""
        commands: dict[str, Command] = {
            "state": self._state,
            "scan": self._scan,
            "silence": self._set_silent,
            "refuse": self._set_refuses,
            "wrong_checksum": self._set_wrong_check,
            "wrong_length": self._set_wrong_length,
            "lose_ack": self._set_lost_acks,
            "unplug_after": self._set_unplug,
        }
        return self._station.obey(do, options, commands)

    def _state(self, options: dict[str, Any]) -> dict[str, Any]:
        counts = {"scans": self._scans, "acks": self._acks, "naks": self._naks, "commands": self._commands}
        return {"lit": self._lit, "waiting": len(self._queue), "silent": self._silent, **counts}

    def _scan(self, options: dict[str, Any]) -> dict[str, Any]:
        """Hold a code up: seen only while the light is on."""
        text = options.get("text", "")
        if not isinstance(text, str):
            raise CommandError(f"text is {text!r}; give text, or bytes in hexadecimal")
        end = options.get("end", "cr")
        if end not in ENDS:
            raise CommandError(f"end is {end!r}; use one of {', '.join(ENDS)}")
        data = hex_bytes(options, "bytes") or text.encode()
        if self._silent or not self._lit:
            return {"seen": False}
        self._scans += 1
        if self._profile == "ssi":
            parts = [data[at : at + MOST_IN_PACKET] for at in range(0, len(data), MOST_IN_PACKET)] or [b""]
            was_idle = not self._queue
            self._queue += [b"\x1c" + part for part in parts]
            if was_idle:
                self._deliver()
            # A decode ends the session that START_DECODE began.
            self._lit = False
        else:
            self._send(data + ENDS[end])
        return {"seen": True}

    def _set_silent(self, options: dict[str, Any]) -> dict[str, Any]:
        self._silent = flag(options)
        return {}

    def _set_refuses(self, options: dict[str, Any]) -> dict[str, Any]:
        self._refuses = flag(options)
        return {}

    def _set_wrong_check(self, options: dict[str, Any]) -> dict[str, Any]:
        self._wrong_check_left = int(number(options, "times", 1, 10_000))
        return {}

    def _set_wrong_length(self, options: dict[str, Any]) -> dict[str, Any]:
        self._wrong_length_left = int(number(options, "times", 1, 10_000))
        return {}

    def _set_lost_acks(self, options: dict[str, Any]) -> dict[str, Any]:
        self._lost_acks_left = int(number(options, "times", 1, 10_000))
        return {}

    def _set_unplug(self, options: dict[str, Any]) -> dict[str, Any]:
        self._unplug_after = int(number(options, "bytes", 3, 4096))
        return {}


@click.command()
@click.option("--link", required=True, help="Path that becomes a symbolic link to the simulated port.")
@click.option("--control", required=True, help="Path of the control socket.")
@click.option("--profile", default="plain", show_default=True, type=click.Choice(PROFILES), help="Family of scanners.")
def main(link: str, control: str, profile: str) -> None:
    """Simulate a code scanner until SIGTERM; commands in docs/drivers.md."""
    station = Station(link, control)
    station.run(lambda: Scanner(station, profile=profile))


if __name__ == "__main__":
    main()
