"""An identity-card reader that is not there: SAM-V bytes on a pseudo-terminal, cards laid down over a control socket."""

from __future__ import annotations

import random
import time
from functools import partial
from typing import Any

import click

from hal.sim.identities import FIELDS, KINDS, person, text_area
from hal.sim.samv_faults import FAULTS, Faults
from hal.sim.station import Command, CommandError, Station, flag, number

# Find and select differ between families; questions about a card that was read are known to some and not to others.
DIALECTS = {"standard": (b"\x20\x01", b"\x20\x02"), "prefix_00": (b"\x00\x81", b"\x00\x82")}
MANAGEMENT_NUMBER, QUESTIONS = b"\x30\x05", (b"\x30\x05", b"\x30\x03", b"\x30\x02")


class IdCardReader:
    """The device: what lies on it, what it has done with that, and how it is disturbed."""

    def __init__(
        self,
        station: Station,
        *,
        read_s: float,
        seed: int | None = None,
        serial: int = 2,
        dialect: str = "standard",
        knows: tuple[bytes, ...] = QUESTIONS,
    ) -> None:
        self._serial = serial
        self._station = station
        self._read_s = read_s
        self._find_code, self._select_code = DIALECTS[dialect]
        self._knows = knows
        self._choose = random.Random(seed)
        self._faults = Faults(self._choose)
        self._pending = bytearray()
        self._card: dict[str, str] | None = None
        self._kind = ""
        # A card goes through: new → found → selected → read; once read it is not found again until it leaves.
        self._stage = "none"
        self._reads = self._commands = 0
        self._reading = False
        self._two_cards = self._silent = self._unlicensed = False
        self._unplug_after = -1
        # When the last card was found and its answer sent, on the clock that all processes share.
        self._found_at_s = self._answered_at_s = 0.0

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
        asked = bytes([code, parameter])
        if asked in (b"\x10\xff", b"\x11\xff"):
            self._reply(0x90)
        elif asked == b"\x12\xff":
            self._reply(0x90, bytes.fromhex("050001000525350101000000") + self._serial.to_bytes(4, "little"))
        elif asked == self._find_code:
            self._find()
        elif asked == self._select_code:
            self._select()
        elif asked == b"\x30\x01":
            self._read()
        elif asked in self._knows:
            # The management number, or that there is no appended address.
            self._if_read(*((0x90, bytes(28)) if asked == MANAGEMENT_NUMBER else (0x91, b"")))
        else:
            self._reply(0x21)

    def _find(self) -> None:
        if self._card is None or self._two_cards or self._stage == "read":
            self._reply(0x80)
        else:
            self._stage, self._found_at_s = "found", time.monotonic()
            self._reply(0x9F, bytes(4))

    def _select(self) -> None:
        if self._stage == "found":
            self._stage = "selected"
            self._reply(0x90, bytes(8))
        else:
            self._reply(0x81)

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
            self._answered_at_s = time.monotonic()
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
        frame = self._faults.answer(b"\x00\x00" + bytes([status]) + data)
        if not 0 <= self._unplug_after < len(frame):
            self._station.send(frame)
            return
        self._station.send(frame[: self._unplug_after])
        self._unplug_after = -1
        self._station.unplug()
        # It takes its power from the cable, so it has forgotten what it read.
        self._stage = "new" if self._card else "none"

    def command(self, do: str, options: dict[str, Any]) -> dict[str, Any]:
        """See docs/drivers.md for the commands."""
        commands: dict[str, Command] = {
            "state": self._state,
            "insert": self._insert,
            "remove": self._remove,
            **{name: partial(self._faults.set, name) for name in FAULTS},
            "unplug_after": self._set_unplug,
            "silence": self._set_silent,
            "unlicensed": self._set_unlicensed,
            "two_cards": self._set_two_cards,
        }
        return self._station.obey(do, options, commands)

    def _state(self, options: dict[str, Any]) -> dict[str, Any]:
        card = self._card and {"kind": self._kind, "name": self._card["name"], "number": self._card["number"]}
        return {
            "card": card,
            "read": self._stage == "read",
            "reading": self._reading,
            "silent": self._silent,
            "reads": self._reads,
            "commands": self._commands,
            "found_at_s": self._found_at_s,
            "answered_at_s": self._answered_at_s,
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
        after_s = number(options, "after_ms", 0, 10_000) / 1000
        if after_s:
            self._station.later(after_s, self._take_away)
        else:
            self._take_away()
        return {}

    def _take_away(self) -> None:
        self._card, self._stage = None, "none"

    def _set_unplug(self, options: dict[str, Any]) -> dict[str, Any]:
        self._unplug_after = int(number(options, "bytes", 600, 4096))
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
@click.option("--dialect", default="standard", show_default=True, type=click.Choice(list(DIALECTS)), help="Bytes of find, select.")
@click.option("--knows", default="3005,3003,3002", show_default=True, help="Questions about a card that was read; empty = none.")
@click.option("--seed", type=int, help="Makes the made-up people the same at each start.")
@click.option("--serial", default=2, show_default=True, type=click.IntRange(0, 2**32 - 1), help="Last part of the module's number.")
def main(link: str, control: str, read_s: float, dialect: str, knows: str, seed: int | None, serial: int) -> None:
    """Simulate a SAM-V identity-card reader until SIGTERM; commands in docs/drivers.md."""
    codes = tuple(code for code in QUESTIONS if code.hex() in knows.split(","))
    station = Station(link, control)
    station.run(lambda: IdCardReader(station, read_s=read_s, seed=seed, serial=serial, dialect=dialect, knows=codes))


if __name__ == "__main__":
    main()
