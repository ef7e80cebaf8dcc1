"""The cable between a clerk's PC and an evaluator that is not there: two pseudo-terminals and whatever happens between them.

Both ends are real programs: `nw-desk` at `--desk-link`, the evaluator's driver at `--link`. Written from
docs/evaluator-protocol.md alone; it looks into frames only to lose some of them and to count.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from typing import Any

import click

from hal.sim.frames import Cutter
from hal.sim.ports import SerialPort
from hal.sim.station import Command, Station, flag, hex_bytes, number

HEARD = 2000


class Cable:
    """Carries bytes both ways. `heard` keeps what the evaluator said, in frames and in bytes: what a clerk could record."""

    def __init__(self, station: Station, desk_link: str) -> None:
        self._station = station
        self._desk = SerialPort(desk_link)
        self._desk.plug()
        station.watch(self._desk.wire, self._from_desk)
        self._to_evaluator, self._to_desk = Cutter(), Cutter()
        self.heard: deque[tuple[int, int, bytes]] = deque(maxlen=HEARD)
        self._recorded: deque[bytes] = deque(maxlen=200)
        self._drop_acks_left = self._spoil_left = 0
        self._silent = False

    def close(self) -> None:
        """Take the desk's end away."""
        self._station.unwatch(self._desk.wire)
        self._desk.unplug()

    def received(self, data: bytes) -> None:
        """The evaluator says something; the desk hears it, unless an acknowledgement gets lost."""
        frames = list(self._to_desk.feed(data))
        self.heard.extend(frames)
        acks = sum(cmd == 0x7F for _, cmd, _ in frames)
        if self._silent:
            return
        if acks and self._drop_acks_left:
            self._drop_acks_left -= 1
            return
        with contextlib.suppress(BlockingIOError):
            os.write(self._desk.wire, data)

    def _from_desk(self) -> None:
        with contextlib.suppress(OSError):
            data = os.read(self._desk.wire, 4096)
            self._recorded.append(data)
            if self._silent:
                return
            if self._spoil_left and len(data) > 5:
                self._spoil_left -= 1
                data = data[:4] + bytes((data[4] ^ 0x20,)) + data[5:]
            self._station.send(data)

    def command(self, do: str, options: dict[str, Any]) -> dict[str, Any]:
        """See docs/drivers.md for the commands."""
        commands: dict[str, Command] = {
            "state": lambda _: {"frames": len(self.heard)},
            "heard": self._tell_heard,
            "say": self._say,
            "replay": self._replay,
            "spoil": self._set_spoil,
            "drop_acks": self._set_drop_acks,
            "cut_frame": self._cut_frame,
            "silence": self._set_silent,
            "desk_unplug": self._desk_unplug,
            "desk_plug": self._desk_plug,
        }
        return self._station.obey(do, options, commands)

    def _tell_heard(self, _: dict[str, Any]) -> dict[str, Any]:
        """Every frame the evaluator sent since the last `heard`: number, command, payload in hexadecimal."""
        told = [[seq, cmd, payload.hex()] for seq, cmd, payload in self.heard]
        self.heard.clear()
        return {"frames": told}

    def _say(self, options: dict[str, Any]) -> dict[str, Any]:
        """Any bytes to the evaluator, as a hostile program at the clerk's PC would send them."""
        self._station.send(hex_bytes(options, "hex"))
        return {}

    def _replay(self, _: dict[str, Any]) -> dict[str, Any]:
        """Everything the desk said, once more."""
        for data in self._recorded:
            self._station.send(data)
        return {"pieces": len(self._recorded)}

    def _set_spoil(self, options: dict[str, Any]) -> dict[str, Any]:
        self._spoil_left = int(number(options, "times", 1, 10_000))
        return {}

    def _set_drop_acks(self, options: dict[str, Any]) -> dict[str, Any]:
        self._drop_acks_left = int(number(options, "times", 1, 10_000))
        return {}

    def _cut_frame(self, _: dict[str, Any]) -> dict[str, Any]:
        """The beginning of an invitation, then the cable is out at the evaluator."""
        self._station.send(b"\x02\x20\x01\x10\x43\x00\x00\x01")
        self._station.later(0.02, self._station.unplug)
        return {}

    def _set_silent(self, options: dict[str, Any]) -> dict[str, Any]:
        self._silent = flag(options)
        return {}

    def _desk_unplug(self, _: dict[str, Any]) -> dict[str, Any]:
        self.close()
        return {}

    def _desk_plug(self, _: dict[str, Any]) -> dict[str, Any]:
        self._desk.plug()
        self._station.unwatch(self._desk.wire)
        self._station.watch(self._desk.wire, self._from_desk)
        return {}


@click.command()
@click.option("--link", required=True, help="Path that becomes a symbolic link to the evaluator's end.")
@click.option("--desk-link", help="The same for the clerk's PC; by default LINK with .pc at its end.")
@click.option("--control", required=True, help="Path of the control socket.")
def main(link: str, desk_link: str | None, control: str) -> None:
    """Simulate the cable from a clerk's PC to an evaluator until SIGTERM; commands in docs/drivers.md."""
    station = Station(link, control)
    cables: list[Cable] = []

    def make() -> Cable:
        while cables:
            cables.pop().close()
        cables.append(Cable(station, desk_link or f"{link}.pc"))
        return cables[-1]

    try:
        station.run(make)
    finally:
        for cable in cables:
            cable.close()


if __name__ == "__main__":
    main()
