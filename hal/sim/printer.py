"""A receipt printer that is not there: ESC/POS on any port, real paper in memory, faults over a control socket."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import click

from hal.sim.escpos_paper import Interpreter, Ticket
from hal.sim.printer_sensors import FULL_ROLL_MM, NEAR_END_MM, TONGUES, Model, Sensors
from hal.sim.station import Command, CommandError, Station, flag, number

BUFFER_BYTES = 4096
MAX_TICKETS = 500
# So much is printed between two looks at the clock.
SLICE_S = 0.01


class Printer:
    """The device: its buffer, its mechanism, its sensors, and the paper that came out."""

    def __init__(self, station: Station, model: Model) -> None:
        self._station = station
        self._model = model
        self._paper = Interpreter(model.width_dots, cutter=model.cutter, cutter_dots=15 * model.dots_per_mm, hanzi=model.hanzi)
        self._mm_per_s = model.mm_per_s
        self._buffer = bytearray()
        self._tail = b""
        self._sees = Sensors(model)
        self._jam = False
        self._silent = self._prints_silently = False
        self._printed_dots = 0
        self._triggers: list[tuple[int, Callable[[], object]]] = []
        self._auto_status = False
        self._told = b""
        self._working = False
        self._count = 0

    # What arrives.

    def received(self, data: bytes) -> None:
        """Obey real-time commands at once, wherever they stand, and keep everything for its turn."""
        if self._silent and not self._prints_silently:
            return
        for byte in data:
            self._tail = (self._tail + bytes([byte]))[-10:]
            self._buffer.append(byte)
            self._at_once()
        room = BUFFER_BYTES if self._sees.stopped else 16 * BUFFER_BYTES
        del self._buffer[room:]
        self._work()

    def _at_once(self) -> None:
        tail = self._tail
        if tail[-3:-1] == b"\x10\x04" and 1 <= tail[-1] <= 4:
            self._say(bytes([self._sees.real_time(tail[-1])]), real_time=True)
        elif tail[-3:] == b"\x10\x05\x02" and self._sees.cutter_error:
            self._drop()
            self._sees.cutter_error = self._jam
        elif tail[-3:] == b"\x10\x05\x01":
            self._sees.cutter_error = self._sees.cutter_error and self._jam
        elif tail == b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08" and self._model.tongue != "realtime":
            self._drop()
            self._say(b"\x37\x25\x00")
        self._changed()

    def _drop(self) -> None:
        self._buffer.clear()
        self._paper.reset()

    def _say(self, data: bytes, *, real_time: bool = False) -> None:
        mute = self._model.tongue == "mute" or (self._model.tongue == "realtime" and not real_time)
        if not self._silent and not mute:
            self._station.send(data)

    def _changed(self) -> None:
        """Automatic status: said whenever it differs from what was said last."""
        now = self._sees.auto_bytes()
        if self._auto_status and now != self._told:
            self._told = now
            self._say(now)

    # What the mechanism does.

    def _work(self) -> None:
        """Print what is in the buffer for a slice of time, then come back."""
        if self._working:
            return
        spent_s = 0.0
        while not self._sees.stopped and not (self._silent and not self._prints_silently):
            done = self._paper.step(self._buffer, self._sees.roll_dots)
            if done is None:
                break
            dots = self._act(*done)
            spent_s += dots / self._model.dots_per_mm / self._mm_per_s if self._mm_per_s else 0.0
            if spent_s >= SLICE_S:
                self._working = True
                self._station.later(spent_s, self._resume)
                break
        self._changed()
        # Flow control: a printer that prints makes the host wait; one that has stopped loses what does not fit.
        self._station.read_more(self._sees.stopped or len(self._buffer) < BUFFER_BYTES)

    def _resume(self) -> None:
        self._working = False
        self._work()

    def _act(self, what: str, value: int) -> int:
        """Do what the interpreter found; returns the dots of paper that moved."""
        if what == "need":
            # What is left is too short for the next line; it is pulled out, and the sensor sees the end.
            self._sees.roll_dots = 0
            return 0
        if what == "cut":
            if self._jam:
                self._sees.cutter_error = True
                return 0
            self._paper.cut_done(self._buffer, value)
            self._count += 1
            del self._paper.finished[:-MAX_TICKETS]
        elif what == "fence":
            self._say(bytes([self._sees.paper_byte()]))
        elif what == "identify":
            self._say(self._model.identity(value))
        elif what == "auto_status":
            self._auto_status, self._told = value != 0, b""
            self._changed()
        if what not in ("paper", "cut"):
            return 0
        self._sees.roll_dots = max(0, self._sees.roll_dots - value)
        self._printed_dots += value
        for trigger in [one for one in self._triggers if one[0] <= self._printed_dots]:
            self._triggers.remove(trigger)
            trigger[1]()
        return value

    def _fall_silent(self) -> None:
        self._silent = True
        if not self._prints_silently:
            self._drop()

    # What people do to it.

    def command(self, do: str, options: dict[str, Any]) -> dict[str, Any]:
        """See docs/drivers.md for the commands."""
        commands: dict[str, Command] = {
            "state": self._state,
            "paper_out": self._end_roll,
            "paper_near_end": self._near_end_roll,
            "load_paper": self._load,
            "cover": self._set_cover,
            "cutter_jam": self._set_jam,
            "head_hot": self._set_hot,
            "silence": self._set_silence,
            "speed": self._set_speed,
            "after_mm": self._set_trigger,
            "paper": self._show,
            "take_paper": self._take,
        }
        answer = self._station.obey(do, options, commands)
        self._changed()
        self._work()
        return answer

    def _state(self, options: dict[str, Any]) -> dict[str, Any]:
        return {
            "paper_mm": self._sees.roll_dots // self._model.dots_per_mm,
            "printed_mm": self._printed_dots // self._model.dots_per_mm,
            "near_end": self._sees.near_end,
            "paper_out": self._sees.paper_out,
            "cover_open": self._sees.cover_open,
            "cutter_jammed": self._sees.cutter_error or self._jam,
            "head_hot": self._sees.head_hot,
            "silent": self._silent,
            "tickets": self._count,
        }

    def _end_roll(self, options: dict[str, Any]) -> dict[str, Any]:
        self._sees.roll_dots = int(number(options, "after_mm", 0, FULL_ROLL_MM) * self._model.dots_per_mm)
        return {}

    def _near_end_roll(self, options: dict[str, Any]) -> dict[str, Any]:
        self._sees.roll_dots = NEAR_END_MM * self._model.dots_per_mm
        return {}

    def _load(self, options: dict[str, Any]) -> dict[str, Any]:
        self._sees.roll_dots = int(number(options, "mm", FULL_ROLL_MM, 10 * FULL_ROLL_MM) * self._model.dots_per_mm)
        return {}

    def _set_cover(self, options: dict[str, Any]) -> dict[str, Any]:
        self._sees.cover_open = flag(options, "open")
        return {}

    def _set_jam(self, options: dict[str, Any]) -> dict[str, Any]:
        self._jam = flag(options)
        return {}

    def _set_hot(self, options: dict[str, Any]) -> dict[str, Any]:
        self._sees.head_hot = flag(options)
        return {}

    def _set_silence(self, options: dict[str, Any]) -> dict[str, Any]:
        silent, self._prints_silently = flag(options), flag({"on": options.get("prints", False)})
        if silent and "after_mm" in options:
            self._trigger(number(options, "after_mm", 0, FULL_ROLL_MM), self._fall_silent)
        elif silent:
            self._fall_silent()
        else:
            self._silent = False
            self._triggers.clear()
        return {}

    def _set_speed(self, options: dict[str, Any]) -> dict[str, Any]:
        self._mm_per_s = number(options, "mm_per_s", self._model.mm_per_s, 1000)
        return {}

    def _trigger(self, after_mm: float, do: Callable[[], object]) -> None:
        self._triggers.append((self._printed_dots + int(after_mm * self._model.dots_per_mm), do))

    def _set_trigger(self, options: dict[str, Any]) -> dict[str, Any]:
        then = options.get("then")
        if not isinstance(then, dict) or not isinstance(then.get("do"), str):
            raise CommandError('give the command to carry out then, as "then": {"do": …}')
        # Carried out after the present step, because it may take the port away.
        self._trigger(number(options, "mm", 0, FULL_ROLL_MM), lambda: self._station.soon(then))
        return {}

    def _show(self, options: dict[str, Any]) -> dict[str, Any]:
        # Imported at the first picture, because most simulators never draw one.
        from hal.sim.paper_picture import png

        tickets = self._paper.finished[-int(number(options, "last", MAX_TICKETS, MAX_TICKETS)) :]
        hanging = self._paper.ticket
        shown: Ticket = tickets[-1] if tickets else hanging
        return {
            "tickets": [ticket.told(self._model.dots_per_mm) for ticket in tickets],
            "hanging": hanging.told(self._model.dots_per_mm),
            "png": base64.b64encode(png(shown, self._paper.width_dots)).decode("ascii"),
        }

    def _take(self, options: dict[str, Any]) -> dict[str, Any]:
        taken = 0
        for ticket in self._paper.finished:
            taken += not ticket.taken
            ticket.taken = True
        # Paper that was not cut comes along when somebody tears it off.
        if self._paper.ticket.items and (self._sees.cutter_error or self._model.cutter == "none"):
            self._paper.ticket.taken = True
            self._paper.finished.append(self._paper.ticket)
            self._paper.ticket = Ticket()
            taken += 1
        return {"taken": taken, "at_s": time.monotonic()}


@click.command()
@click.option("--link", required=True, help="Where the port appears: a path, usb:VID:PID:SERIAL@FOLDER, or tcp:ADDRESS:PORT.")
@click.option("--control", required=True, help="Path of the control socket.")
@click.option("--width", default="80", show_default=True, type=click.Choice(["80", "58"]), help="Paper width in mm.")
@click.option("--dpi", default="203", show_default=True, type=click.Choice(["203", "180"]), help="Dots an inch.")
@click.option("--mm-per-s", default=150.0, show_default=True, type=click.FloatRange(0, 1000), help="Speed; 0 = at once.")
@click.option("--tongue", default="named", show_default=True, type=click.Choice(TONGUES), help="What it answers.")
@click.option("--cutter", default="partial", show_default=True, type=click.Choice(["partial", "full", "none"]))
@click.option("--no-hanzi", is_flag=True, help="Has no Chinese font.")
@click.option("--inverted", is_flag=True, help="The near-end sensor's bits mean the opposite.")
def main(
    link: str, control: str, width: str, dpi: str, mm_per_s: float, tongue: str, cutter: str, no_hanzi: bool, inverted: bool
) -> None:
    """Simulate an ESC/POS receipt printer until SIGTERM; commands in docs/drivers.md."""
    station = Station(link, control)
    width_dots = {"80203": 576, "58203": 384, "80180": 512, "58180": 360}[width + dpi]
    model = Model(width_dots, 8 if dpi == "203" else 7, mm_per_s, tongue, cutter, not no_hanzi, inverted)
    station.run(lambda: Printer(station, model))


if __name__ == "__main__":
    main()
