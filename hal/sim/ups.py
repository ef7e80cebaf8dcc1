"""A UPS as an upsd serves it, written from RFC 9271; it can also answer wrong, late, in pieces, for another UPS, or not at all."""

from __future__ import annotations

from typing import Any

import click

from hal.sim.station import LINE, CommandError, Station, flag, number

COMMANDS = ("state", "mains", "battery", "flags", "error", "rename", "silence", "ragged", *LINE)


class Ups:
    """One upsd with one UPS behind it."""

    def __init__(self, station: Station, name: str) -> None:
        self._station, self._name = station, name
        self._mains = True
        self._charge, self._runtime_s = 100.0, 1800.0
        self._extra = ""
        self._error = ""
        self._errors_left = 0
        self._silent = self._ragged = False
        self._questions = 0
        self._pending = bytearray()

    def received(self, data: bytes) -> None:
        """See `Device`."""
        self._pending += data
        while b"\n" in self._pending:
            line, _, rest = bytes(self._pending).partition(b"\n")
            self._pending[:] = rest
            self._questions += 1
            if not self._silent:
                self._say(self._answer(line.decode("utf-8", "replace").split()))

    def _say(self, text: str) -> None:
        data = text.encode() + b"\n"
        # A ragged answer ends before its last bytes, and nothing follows.
        self._station.send(data[:-3] if self._ragged else data)

    def _answer(self, words: list[str]) -> str:
        if self._errors_left:
            self._errors_left -= 1
            return f"ERR {self._error}"
        match words:
            case ["VER"]:
                return "Network UPS Tools upsd 0.0 (simulated)"
            case ["LIST", "UPS"]:
                return f'BEGIN LIST UPS\nUPS {self._name} "A UPS that is \\"simulated\\""\nEND LIST UPS'
            case ["GET", "VAR", name, variable]:
                return self._variable(name, variable)
            case ["LOGOUT"]:
                return "OK Goodbye"
        return "ERR UNKNOWN-COMMAND"

    def _variable(self, name: str, variable: str) -> str:
        if name != self._name:
            return "ERR UNKNOWN-UPS"
        values = {
            "ups.status": self._status(), "battery.charge": f"{self._charge:g}", "battery.runtime": f"{self._runtime_s:g}",
        }  # fmt: skip
        if variable not in values:
            return "ERR VAR-NOT-SUPPORTED"
        return f'VAR {name} {variable} "{values[variable]}"'

    def _status(self) -> str:
        flags = ["OL", "CHRG"] if self._mains else ["OB", "DISCHRG"]
        if self._charge < 15:
            flags.append("LB")
        return " ".join([*flags, *self._extra.split()])

    def command(self, do: str, options: dict[str, Any]) -> dict[str, Any]:
        """See `Device`; docs/drivers.md lists them."""
        if do in LINE:
            return self._station.line(do, options)
        match do:
            case "state":
                return {
                    "status": self._status(),
                    "charge": self._charge,
                    "runtime_s": self._runtime_s,
                    "questions": self._questions,
                }
            case "mains":
                self._mains = flag(options)
            case "battery":
                self._charge = number(options, "charge", self._charge, 100)
                self._runtime_s = number(options, "runtime_s", self._runtime_s, 1e9)
            case "flags":
                self._extra = _text(options, "text")
            case "error":
                self._error = _text(options, "code")
                self._errors_left = int(number(options, "times", 1, 1_000_000))
            case "rename":
                self._name = _text(options, "name")
            case "silence":
                self._silent = flag(options)
            case "ragged":
                self._ragged = flag(options)
            case _:
                raise CommandError(f"{do!r} is not known; use one of {', '.join(COMMANDS)}")
        return {}


def _text(options: dict[str, Any], key: str) -> str:
    value = options.get(key, "")
    if not isinstance(value, str) or len(value) > 200:
        raise CommandError(f"{key} is {value!r}; write a text of up to 200 characters")
    return value


@click.command()
@click.option(
    "--link", required=True, help="Where upsd listens: tcp:ADDRESS:PORT; port 0 takes a free one, told by the command port."
)
@click.option("--control", required=True, help="Path of the control socket.")
@click.option("--name", default="ups", show_default=True, help="What the UPS is called.")
def main(link: str, control: str, name: str) -> None:
    """Simulate a UPS behind upsd until SIGTERM; commands in docs/drivers.md."""
    station = Station(link, control)
    station.run(lambda: Ups(station, name))


if __name__ == "__main__":
    main()
