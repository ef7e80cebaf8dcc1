"""A receipt printer that is not there: ESC/POS on a pseudo-terminal, real paper in memory, faults over a control socket."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import click

from hal.sim.escpos_paper import DOTS_PER_MM, Interpreter, Ticket
from hal.sim.station import CommandError, Station, flag, number

BUFFER_BYTES = 4096
NEAR_END_MM = 2000
FULL_ROLL_MM = 50_000
MAX_TICKETS = 500
# So much is printed between two looks at the clock.
SLICE_S = 0.01


class Printer:
    """The device: its buffer, its mechanism, its sensors, and the paper that came out."""

    def __init__(self, station: Station, *, width_dots: int, mm_per_s: float, plain: bool = False) -> None:
        self._station = station
        self._paper = Interpreter(width_dots)
        self._mm_per_s = mm_per_s
        self._plain = plain
        self._buffer = bytearray()
        self._tail = b""
        self._roll_dots = FULL_ROLL_MM * DOTS_PER_MM
        self._cover_open = self._jam = self._cutter_error = self._head_hot = False
        self._silent = self._prints_silently = False
        self._silent_at_dots: int | None = None
        self._printed_dots = 0
        self._auto_status = False
        self._told = b""
        self._working = False
        self._count = 0

    # What the sensors say.

    @property
    def _paper_out(self) -> bool:
        return self._roll_dots <= 0

    @property
    def _near_end(self) -> bool:
        return self._roll_dots <= NEAR_END_MM * DOTS_PER_MM

    @property
    def _stopped(self) -> bool:
        return self._paper_out or self._cover_open or self._cutter_error or self._head_hot

    def _real_time(self, n: int) -> int:
        byte = 0x12
        match n:
            case 1:
                byte |= 0x08 if self._stopped else 0
            case 2:
                byte |= 0x04 if self._cover_open else 0
                byte |= 0x20 if self._paper_out else 0
                byte |= 0x40 if self._cutter_error or self._head_hot else 0
            case 3:
                byte |= 0x08 if self._cutter_error else 0
                byte |= 0x40 if self._head_hot else 0
            case 4:
                byte |= 0x0C if self._near_end else 0
                byte |= 0x60 if self._paper_out else 0
        return byte

    def _auto_bytes(self) -> bytes:
        first = 0x10 | (0x08 if self._stopped else 0) | (0x20 if self._cover_open else 0)
        second = (0x08 if self._cutter_error else 0) | (0x40 if self._head_hot else 0)
        third = (0x03 if self._near_end else 0) | (0x0C if self._paper_out else 0)
        return bytes([first, second, third, 0])

    # What arrives.

    def received(self, data: bytes) -> None:
        """Obey real-time commands at once, wherever they stand, and keep everything for its turn."""
        if self._silent and not self._prints_silently:
            return
        for byte in data:
            self._tail = (self._tail + bytes([byte]))[-10:]
            self._buffer.append(byte)
            self._at_once()
        room = BUFFER_BYTES if self._stopped else 16 * BUFFER_BYTES
        del self._buffer[room:]
        self._work()

    def _at_once(self) -> None:
        tail = self._tail
        if tail[-3:-1] == b"\x10\x04" and 1 <= tail[-1] <= 4:
            self._say(bytes([self._real_time(tail[-1])]))
        elif tail[-3:] == b"\x10\x05\x02" and self._cutter_error:
            self._drop()
            self._cutter_error = self._jam
        elif tail[-3:] == b"\x10\x05\x01":
            self._cutter_error = self._cutter_error and self._jam
        elif tail == b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08":
            self._drop()
            self._say(b"\x37\x25\x00")
        self._changed()

    def _drop(self) -> None:
        self._buffer.clear()
        self._paper.reset()

    def _say(self, data: bytes) -> None:
        if not self._silent:
            self._station.send(data)

    def _changed(self) -> None:
        """Automatic status: said whenever it differs from what was said last."""
        now = self._auto_bytes()
        if self._auto_status and now != self._told:
            self._told = now
            self._say(now)

    # What the mechanism does.

    def _work(self) -> None:
        """Print what is in the buffer for a slice of time, then come back."""
        if self._working:
            return
        spent_s = 0.0
        while not self._stopped and not (self._silent and not self._prints_silently):
            done = self._paper.step(self._buffer, self._roll_dots)
            if done is None:
                break
            dots = self._act(*done)
            spent_s += dots / DOTS_PER_MM / self._mm_per_s if self._mm_per_s else 0.0
            if spent_s >= SLICE_S:
                self._working = True
                self._station.later(spent_s, self._resume)
                break
        self._changed()
        # Flow control: a printer that prints makes the host wait; one that has stopped loses what does not fit.
        self._station.read_more(self._stopped or len(self._buffer) < BUFFER_BYTES)

    def _resume(self) -> None:
        self._working = False
        self._work()

    def _act(self, what: str, value: int) -> int:
        """Do what the interpreter found; returns the dots of paper that moved."""
        if what == "need":
            # What is left is too short for the next line; it is pulled out, and the sensor sees the end.
            self._roll_dots = 0
            return 0
        if what == "cut":
            if self._jam:
                self._cutter_error = True
                return 0
            self._paper.cut_done(self._buffer, value)
            self._count += 1
            del self._paper.finished[:-MAX_TICKETS]
        elif what == "fence":
            self._say(bytes([(0x03 if self._near_end else 0) | (0x0C if self._paper_out else 0)]))
        elif what == "identify":
            self._say(self._identity(value))
        elif what == "auto_status":
            self._auto_status, self._told = value != 0, b""
            self._changed()
        if what not in ("paper", "cut"):
            return 0
        self._roll_dots = max(0, self._roll_dots - value)
        self._printed_dots += value
        if self._silent_at_dots is not None and self._printed_dots >= self._silent_at_dots:
            self._fall_silent()
        return value

    def _identity(self, n: int) -> bytes:
        """GS I: one byte for the old numbers, a name between 5F and 00 for the new ones."""
        if n in (1, 2, 3, 49, 50, 51):
            return b"\x20"
        names = {0x42: b"NIGHTWINDOW", 0x43: b"NW-SIM"}
        return b"\x5f" + names[n] + b"\x00" if n in names and not self._plain else b""

    def _fall_silent(self) -> None:
        self._silent, self._silent_at_dots = True, None
        if not self._prints_silently:
            self._drop()

    # What people do to it.

    def command(self, do: str, options: dict[str, Any]) -> dict[str, Any]:
        """See docs/hardware.md for the commands."""
        commands: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "state": self._state,
            "paper_out": self._end_roll,
            "paper_near_end": self._near_end_roll,
            "load_paper": self._load,
            "cover": self._set_cover,
            "cutter_jam": self._set_jam,
            "head_hot": self._set_hot,
            "silence": self._set_silence,
            **{do: partial(self._station.line, do) for do in ("noise", "delay", "split", "merge")},
            "paper": self._show,
            "take_paper": self._take,
        }
        if do not in commands:
            raise CommandError(f"{do!r} is not known; use one of {', '.join(commands)}, plug, unplug, reset")
        answer = commands[do](options)
        self._changed()
        self._work()
        return answer

    def _state(self, options: dict[str, Any]) -> dict[str, Any]:
        return {
            "paper_mm": self._roll_dots // DOTS_PER_MM,
            "near_end": self._near_end,
            "paper_out": self._paper_out,
            "cover_open": self._cover_open,
            "cutter_jammed": self._cutter_error or self._jam,
            "head_hot": self._head_hot,
            "silent": self._silent,
            "tickets": self._count,
        }

    def _end_roll(self, options: dict[str, Any]) -> dict[str, Any]:
        self._roll_dots = int(number(options, "after_mm", 0, FULL_ROLL_MM) * DOTS_PER_MM)
        return {}

    def _near_end_roll(self, options: dict[str, Any]) -> dict[str, Any]:
        self._roll_dots = NEAR_END_MM * DOTS_PER_MM
        return {}

    def _load(self, options: dict[str, Any]) -> dict[str, Any]:
        self._roll_dots = int(number(options, "mm", FULL_ROLL_MM, 10 * FULL_ROLL_MM) * DOTS_PER_MM)
        return {}

    def _set_cover(self, options: dict[str, Any]) -> dict[str, Any]:
        self._cover_open = flag(options, "open")
        return {}

    def _set_jam(self, options: dict[str, Any]) -> dict[str, Any]:
        self._jam = flag(options)
        return {}

    def _set_hot(self, options: dict[str, Any]) -> dict[str, Any]:
        self._head_hot = flag(options)
        return {}

    def _set_silence(self, options: dict[str, Any]) -> dict[str, Any]:
        silent, self._prints_silently = flag(options), flag({"on": options.get("prints", False)})
        if silent and "after_mm" in options:
            after_mm = number(options, "after_mm", 0, FULL_ROLL_MM)
            self._silent_at_dots = self._printed_dots + int(after_mm * DOTS_PER_MM)
        elif silent:
            self._fall_silent()
        else:
            self._silent, self._silent_at_dots = False, None
        return {}

    def _show(self, options: dict[str, Any]) -> dict[str, Any]:
        # Imported at the first picture, because most simulators never draw one.
        from hal.sim.paper_picture import png

        tickets = self._paper.finished[-int(number(options, "last", MAX_TICKETS, MAX_TICKETS)) :]
        hanging = self._paper.ticket
        shown: Ticket = tickets[-1] if tickets else hanging
        return {
            "tickets": [ticket.told() for ticket in tickets],
            "hanging": hanging.told(),
            "png": base64.b64encode(png(shown, self._paper.width_dots)).decode("ascii"),
        }

    def _take(self, options: dict[str, Any]) -> dict[str, Any]:
        taken = 0
        for ticket in self._paper.finished:
            taken += not ticket.taken
            ticket.taken = True
        # Paper that was not cut comes along when somebody tears it off.
        if self._paper.ticket.items and self._cutter_error:
            self._paper.ticket.taken = True
            self._paper.finished.append(self._paper.ticket)
            self._paper.ticket = Ticket()
            taken += 1
        return {"taken": taken, "at_s": time.monotonic()}


@click.command()
@click.option("--link", required=True, help="Where the port appears: a path, usb:VID:PID:SERIAL@FOLDER, or tcp:ADDRESS:PORT.")
@click.option("--control", required=True, help="Path of the control socket.")
@click.option("--width", default="80", show_default=True, type=click.Choice(["80", "58"]), help="Paper width in mm.")
@click.option("--mm-per-s", default=150.0, show_default=True, type=click.FloatRange(0, 1000), help="Speed; 0 = at once.")
@click.option("--plain", is_flag=True, help="A simple model, that does not tell its name (GS I).")
def main(link: str, control: str, width: str, mm_per_s: float, plain: bool) -> None:
    """Simulate an ESC/POS receipt printer until SIGTERM; commands in docs/hardware.md."""
    station = Station(link, control)
    width_dots = 576 if width == "80" else 384
    station.run(lambda: Printer(station, width_dots=width_dots, mm_per_s=mm_per_s, plain=plain))


if __name__ == "__main__":
    main()
