"""An identity-card reader that is not there: SAM-V bytes on a pseudo-terminal, cards laid down over a control socket."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import click

from hal.sim.identities import FIELDS, person, text_area
from hal.sim.station import CommandError, Station, flag, hex_bytes, number

KINDS = ("resident", "hmt_resident", "foreigner_2017", "foreigner_2023")


class IdCardReader:
    """The device: what lies on it, what it has done with that, and how it is disturbed."""

    def __init__(self, station: Station, *, read_s: float, seed: int | None = None, serial: int = 2) -> None:
        self._serial = serial
        self._station = station
        self._read_s = read_s
        self._choose = random.Random(seed)
        self._pending = bytearray()
        self._card: dict[str, str] | None = None
        self._kind = ""
        # A card goes through: new → found → selected → read; once read it is not found again until it leaves.
        self._stage = "none"
        self._reads = self._commands = 0
        self._reading = False
        self._two_cards = self._silent = self._unlicensed = False
        self._noise = b""
        self._noise_left = self._wrong_check_left = self._wrong_length_left = 0
        self._split = 0

    def received(self, data: bytes) -> None:
        """Cut the stream into commands: AA AA AA 96 69, length, command, parameter, data, exclusive or."""
        self._pending += data
        while (at := self._pending.find(b"\xaa\xaa\xaa\x96\x69")) >= 0:
            del self._pending[:at]
            if len(self._pending) < 7:
                return
            length = self._pending[5] << 8 | self._pending[6]
            if len(self._pending) < 7 + length:
                return
            frame = bytes(self._pending[5 : 7 + length])
            del self._pending[: 7 + length]
            check = 0
            for byte in frame[:-1]:
                check ^= byte
            if length < 3:
                self._reply(0x11)
            elif check != frame[-1]:
                self._reply(0x10)
            else:
                self._execute(frame[2], frame[3])

    def _execute(self, code: int, parameter: int) -> None:
        self._commands += 1
        if self._unlicensed:
            self._reply(0x66)
            return
        match code, parameter:
            case 0x10 | 0x11, 0xFF:
                self._reply(0x90)
            case 0x12, 0xFF:
                self._reply(0x90, bytes.fromhex("050001000525350101000000") + self._serial.to_bytes(4, "little"))
            case 0x20, 0x01:
                self._find()
            case 0x20, 0x02:
                if self._stage == "found":
                    self._stage = "selected"
                    self._reply(0x90, bytes(8))
                else:
                    self._reply(0x81)
            case 0x30, 0x01:
                self._read()
            case 0x30, 0x05:
                self._if_read(0x90, bytes(28))
            case 0x30, 0x02 | 0x03:
                self._if_read(0x91)
            case _:
                self._reply(0x21)

    def _find(self) -> None:
        if self._card is None or self._two_cards or self._stage == "read":
            self._reply(0x80)
        else:
            self._stage = "found"
            self._reply(0x9F, bytes(4))

    def _read(self) -> None:
        if self._stage != "selected" or self._card is None:
            self._reply(0x41)
            return
        card = self._card
        self._reading = True

        def finish() -> None:
            self._reading = False
            # The card may have been pulled, or exchanged, while it was being read.
            if self._card is not card:
                self._reply(0x41)
                return
            self._stage = "read"
            self._reads += 1
            photo = b"WLf\x00" + bytes(self._choose.randrange(256) for _ in range(1020))
            self._reply(0x90, b"\x01\x00\x04\x00" + text_area(self._kind, card) + photo)

        self._station.later(self._read_s, finish) if self._read_s else finish()

    def _if_read(self, status: int, data: bytes = b"") -> None:
        if self._card is not None and self._stage in ("selected", "read"):
            self._reply(status, data)
        else:
            self._reply(0x41)

    def _reply(self, status: int, data: bytes = b"") -> None:
        if self._silent:
            return
        body = b"\x00\x00" + bytes([status]) + data
        length = len(body) + 1
        if self._wrong_length_left:
            self._wrong_length_left -= 1
            length += 5
        framed = length.to_bytes(2, "big") + body
        check = 0
        for byte in framed:
            check ^= byte
        if self._wrong_check_left:
            self._wrong_check_left -= 1
            check ^= 0x5A
        frame = b"\xaa\xaa\xaa\x96\x69" + framed + bytes([check])
        if self._noise_left:
            self._noise_left -= 1
            frame = self._noise + frame
        self._send(frame)

    def _send(self, frame: bytes) -> None:
        if not self._split:
            self._station.send(frame)
            return
        pieces = [frame[at : at + self._split] for at in range(0, len(frame), self._split)]
        for index, piece in enumerate(pieces):
            self._station.later(0.0005 * index, lambda piece=piece: self._station.send(piece))  # type: ignore[misc]

    def command(self, do: str, options: dict[str, Any]) -> dict[str, Any]:
        """See docs/hardware.md for the commands."""
        commands: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "state": self._state,
            "insert": self._insert,
            "remove": self._remove,
            "noise": self._set_noise,
            "wrong_checksum": self._set_wrong_check,
            "wrong_length": self._set_wrong_length,
            "split": self._set_split,
            "silence": self._set_silent,
            "unlicensed": self._set_unlicensed,
            "two_cards": self._set_two_cards,
        }
        if do not in commands:
            raise CommandError(f"{do!r} is not known; use one of {', '.join(commands)}, plug, unplug, reset")
        return commands[do](options)

    def _state(self, options: dict[str, Any]) -> dict[str, Any]:
        card = self._card and {"kind": self._kind, "name": self._card["name"], "number": self._card["number"]}
        return {
            "card": card,
            "read": self._stage == "read",
            "reading": self._reading,
            "silent": self._silent,
            "reads": self._reads,
            "commands": self._commands,
        }

    def _insert(self, options: dict[str, Any]) -> dict[str, Any]:
        kind = options.get("kind", "resident")
        if kind not in KINDS:
            raise CommandError(f"kind is {kind!r}; use one of {', '.join(KINDS)}")
        given = {key: value for key, value in options.items() if key != "kind"}
        wrong = [key for key, value in given.items() if key not in FIELDS or not isinstance(value, str)]
        if wrong:
            raise CommandError(f"{', '.join(wrong)}: give text for some of {', '.join(FIELDS)}")
        card = person(kind, self._choose) | given
        # Tried now, so that a value too long for its field is told to who gave it.
        text_area(kind, card)
        self._card, self._kind, self._stage = card, kind, "new"
        return {"kind": kind, "card": card}

    def _remove(self, options: dict[str, Any]) -> dict[str, Any]:
        self._card, self._stage = None, "none"
        return {}

    def _set_noise(self, options: dict[str, Any]) -> dict[str, Any]:
        self._noise, self._noise_left = hex_bytes(options, "bytes"), int(number(options, "times", 1, 10_000))
        return {}

    def _set_wrong_check(self, options: dict[str, Any]) -> dict[str, Any]:
        self._wrong_check_left = int(number(options, "times", 1, 10_000))
        return {}

    def _set_wrong_length(self, options: dict[str, Any]) -> dict[str, Any]:
        self._wrong_length_left = int(number(options, "times", 1, 10_000))
        return {}

    def _set_split(self, options: dict[str, Any]) -> dict[str, Any]:
        self._split = int(number(options, "bytes", 7, 2000))
        return {}

    def _set_silent(self, options: dict[str, Any]) -> dict[str, Any]:
        self._silent = flag(options)
        return {}

    def _set_unlicensed(self, options: dict[str, Any]) -> dict[str, Any]:
        self._unlicensed = flag(options)
        return {}

    def _set_two_cards(self, options: dict[str, Any]) -> dict[str, Any]:
        self._two_cards = flag(options)
        return {}


@click.command()
@click.option("--link", required=True, help="Path that becomes a symbolic link to the simulated port.")
@click.option("--control", required=True, help="Path of the control socket.")
@click.option("--read-s", default=1.0, show_default=True, type=click.FloatRange(0, 10), help="Time a read takes.")
@click.option("--seed", type=int, help="Makes the made-up people the same at each start.")
@click.option("--serial", default=2, show_default=True, type=click.IntRange(0, 2**32 - 1), help="Last part of the module's number.")
def main(link: str, control: str, read_s: float, seed: int | None, serial: int) -> None:
    """Simulate a SAM-V identity-card reader until SIGTERM; commands in docs/hardware.md."""
    station = Station(link, control)
    station.run(lambda: IdCardReader(station, read_s=read_s, seed=seed, serial=serial))


if __name__ == "__main__":
    main()
