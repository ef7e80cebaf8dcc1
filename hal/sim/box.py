"""A button box that is not there: the reference evaluator protocol on a pseudo-terminal, presses in a file for its flash.

Written from docs/evaluator-protocol.md alone. The flash file survives a kill: each press is on the disk before anything else
happens. `--log FILE` gets a line for every press that the box took, so that a test knows what a citizen's finger did.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hal.sim.box_flash import Flash
from hal.sim.frame_faults import FrameFaults
from hal.sim.frames import ACK, HELLO, Cutter
from hal.sim.station import Command, CommandError, Station, number

BUTTONS = {"level_1": 1, "level_2": 2, "level_3": 3, "level_4": 4, "level_5": 5, "call_staff": 0}
LAMP_WORDS = ("off", "on", "blink")


class ButtonBox:
    """The box: its link, its lamps, and how it is disturbed."""

    def __init__(self, station: Station, flash: Flash, *, identity: bytes, log: Path | None) -> None:
        self._station, self._flash, self._identity, self._log = station, flash, identity, log
        self._faults = FrameFaults(station)
        self._role, self._versions = 2, (1, 1)
        self._flags = self._stuck = self._life = 0
        self._power_on()

    def _power_on(self) -> None:
        """What a box does when it gets power: everything but the flash begins anew."""
        self._life += 1
        self._start_s = time.monotonic()
        self._cutter = Cutter()
        self._greeted = False
        self._send_seq = self._expect = 1
        self._last_in = 0
        self._flying: tuple[int, bytes] | None = None
        self._tries, self._sent_s = 0, 0.0
        self._offered_s = -60.0
        self._lamps = {"levels": "off", "call_staff": "off"}
        self._buzzed_ms: list[int] = []
        self._every(0.05, self._work)
        self._every(5.0, self._heartbeat)
        self._station.later(0.05, self._announce)

    def _announce(self) -> None:
        if not self._greeted:
            self._faults.send(0, HELLO, self._hello(bytes(4)))

    def _every(self, seconds: float, do: Callable[[], object]) -> None:
        """Do it again and again, until the power is cut."""
        life = self._life

        def again() -> None:
            if life == self._life:
                self._station.later(seconds, again)
                do()

        self._station.later(seconds, again)

    # Frames

    def received(self, data: bytes) -> None:
        """Bytes from the evaluator."""
        for seq, cmd, payload in self._cutter.feed(data):
            self._take(seq, cmd, payload)

    def _take(self, seq: int, cmd: int, payload: bytes) -> None:
        if self._faults.silent:
            return
        if cmd == 0x01:
            self._greeted, self._flying, self._offered_s = True, None, -60.0
            self._send_seq = self._expect = 1
            self._last_in = 0
            self._faults.send(0, HELLO, self._hello(payload[4:8]))
        elif cmd == ACK:
            if self._flying is not None and seq == self._flying[0]:
                self._flying = None
        elif not self._greeted:
            self._faults.send(0, HELLO, self._hello(bytes(4)))
        elif seq == self._expect:
            self._expect, self._last_in = seq % 255 + 1, seq
            self._faults.send(seq, ACK, b"")
            self._obey(cmd, payload)
        elif seq == self._last_in:
            self._faults.send(seq, ACK, b"")

    def _obey(self, cmd: int, payload: bytes) -> None:
        if cmd == 0x05 and len(payload) >= 4:
            levels, call, buzz_ms = struct.unpack_from(">BBH", payload)
            if levels < 3 and call < 3:
                self._lamps = {"levels": LAMP_WORDS[levels], "call_staff": LAMP_WORDS[call]}
            if buzz_ms:
                self._buzzed_ms.append(buzz_ms)
        elif cmd == 0x0A and len(payload) >= 4:
            self._flash.taken(int.from_bytes(payload[:4], "big"))
            self._offered_s = -60.0
            self._work()

    def _hello(self, nonce: bytes) -> bytes:
        model = b"NW-SIM box"
        return bytes((*self._versions, self._role, 200)) + nonce + self._identity + bytes((len(model),)) + model

    # What it says by itself

    @property
    def _uptime_ms(self) -> int:
        return round((time.monotonic() - self._start_s) * 1000) & 0xFFFFFFFF

    def _heartbeat(self) -> None:
        waiting, lost = len(self._flash.waiting), self._flash.lost
        beat = struct.pack(">IHHHBB", self._uptime_ms, self._flash.boot, waiting, lost, self._stuck, self._flags)
        if self._greeted and self._flying is None:
            self._transmit(0x86, beat)

    def _work(self) -> None:
        """Repeat what was not acknowledged; offer the oldest press that was not taken, one at a time."""
        now_s = time.monotonic()
        if not self._greeted:
            return
        if self._flying is not None:
            if now_s - self._sent_s > 0.4:
                self._repeat(now_s)
        elif self._flash.waiting and now_s - self._offered_s > 5.0:
            self._offered_s = now_s
            press = min(self._flash.waiting)
            boot, uptime_ms, button = self._flash.waiting[press]
            age_ms = self._uptime_ms - uptime_ms if boot == self._flash.boot else 0xFFFFFFFF
            self._transmit(0x83, struct.pack(">IHIIB", press, boot, uptime_ms, age_ms, button))

    def _transmit(self, cmd: int, payload: bytes) -> None:
        self._flying, self._tries, self._sent_s = (self._send_seq, bytes((cmd,)) + payload), 1, time.monotonic()
        self._send_seq = self._send_seq % 255 + 1
        self._faults.send(self._flying[0], cmd, payload)

    def _repeat(self, now_s: float) -> None:
        assert self._flying is not None
        if self._tries >= 3:
            # Nobody is there: wait to be greeted.
            self._greeted, self._flying = False, None
            self._lamps = {"levels": "off", "call_staff": "off"}
            self._faults.send(0, HELLO, self._hello(bytes(4)))
            return
        self._tries, self._sent_s = self._tries + 1, now_s
        seq, data = self._flying
        self._faults.send(seq, data[0], data[1:])

    # Hands

    def press(self, name: str) -> int | None:
        """A finger; the number of the press, or None when the flash is full."""
        press = self._flash.press(BUTTONS[name], self._uptime_ms)
        if press is not None and self._log is not None:
            with self._log.open("a") as log:
                log.write(f"{press} {name}\n")
        self._work()
        return press

    def command(self, do: str, options: dict[str, Any]) -> dict[str, Any]:
        """See docs/drivers.md for the commands."""
        commands: dict[str, Command] = {
            "state": self._state,
            "press": self._press,
            "power_cut": self._power_cut,
            "stuck": self._set_stuck,
            "flags": self._set_flags,
            "role": self._set_role,
            "versions": self._set_versions,
            **self._faults.commands(),
        }
        return self._station.obey(do, options, commands)

    def _state(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "waiting": sorted(self._flash.waiting),
            "last": self._flash.last_number,
            "lost": self._flash.lost,
            "boot": self._flash.boot,
            "greeted": self._greeted,
            "lamps": self._lamps,
            "buzzed_ms": self._buzzed_ms[-20:],
        }

    def _press(self, options: dict[str, Any]) -> dict[str, Any]:
        if options.get("button") not in BUTTONS:
            raise CommandError(f"button is {options.get('button')!r}; use one of {', '.join(BUTTONS)}")
        return {"number": self.press(options["button"])}

    def _power_cut(self, _: dict[str, Any]) -> dict[str, Any]:
        self._flash = self._flash.again()
        self._power_on()
        return {"boot": self._flash.boot}

    def _set_stuck(self, options: dict[str, Any]) -> dict[str, Any]:
        self._stuck = int(number(options, "mask", 0, 63))
        return {}

    def _set_flags(self, options: dict[str, Any]) -> dict[str, Any]:
        self._flags = int(number(options, "flags", 0, 3))
        self._heartbeat()
        return {}

    def _set_role(self, options: dict[str, Any]) -> dict[str, Any]:
        self._role = int(number(options, "role", 2, 255))
        return {}

    def _set_versions(self, options: dict[str, Any]) -> dict[str, Any]:
        self._versions = (int(number(options, "lowest", 1, 255)), int(number(options, "highest", 1, 255)))
        return {}


@click.command()
@click.option("--link", required=True, help="Path that becomes a symbolic link to the simulated port.")
@click.option("--control", required=True, help="Path of the control socket.")
@click.option("--flash", type=click.Path(path_type=Path), help="File that stands for the flash; by default beside the socket.")
@click.option("--log", type=click.Path(path_type=Path), help="File that gets a line for every press the box took.")
@click.option("--capacity", default=1000, show_default=True, type=click.IntRange(1, 100_000), help="Presses the flash holds.")
@click.option("--identity", default="b0c5000000000001", show_default=True, help="Number of the box, 16 hexadecimal digits.")
def main(link: str, control: str, flash: Path | None, log: Path | None, capacity: int, identity: str) -> None:
    """Simulate a button box until SIGTERM; commands in docs/drivers.md. The flash outlives the process."""
    if len(identity) != 16 or not set(identity) <= set("0123456789abcdef"):
        raise click.BadParameter(f"{identity!r}; give 16 hexadecimal digits", param_hint="--identity")
    path = flash or Path(f"{control}.flash")
    station = Station(link, control)
    lives = 0

    def make() -> ButtonBox:
        nonlocal lives
        lives += 1
        if lives > 1:
            # `reset` asks for a box fresh from the factory.
            path.unlink(missing_ok=True)
        return ButtonBox(station, Flash(path, capacity=capacity), identity=bytes.fromhex(identity), log=log)

    station.run(make)


if __name__ == "__main__":
    main()
