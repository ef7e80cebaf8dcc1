"""The lines of the NUT protocol (RFC 9271): a socket on which every answer has a deadline, and what status flags mean."""

from __future__ import annotations

import contextlib
import math
import re
import socket
import time

from hal.api import PowerState

MAX_LINE = 1024
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s"]+)')
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z")


class NutDown(OSError):
    """No useful connection to upsd; `reason` is a health id. The connection has to be made anew."""

    def __init__(self, reason: str, **args: str) -> None:
        super().__init__(f"{reason}: {', '.join(args.values())}")
        self.reason, self.args_of_reason = reason, args


class NutRefused(Exception):
    """upsd answered `ERR code`; the connection goes on."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_name(name: str) -> bool:
    """Whether `name` can be a UPS's name; anything else could smuggle a second command into the line."""
    return _NAME.match(name) is not None


def words(line: bytes) -> list[str]:
    r"""The words of one line without its end; `"…"` is one word, `\"` and `\\` inside it are a quote and a backslash.

    Raises ValueError for text that is no line of this protocol.
    """
    text = line.decode("utf-8")
    found, at = [], 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        match = _WORD.match(text, at)
        if match is None or not text.isprintable():
            raise ValueError("not a line of the NUT protocol")
        quoted, plain = match.groups()
        found.append(re.sub(r"\\(.)", r"\1", quoted) if plain is None else plain)
        at = match.end()
    return found


def whole(value: str | None, most: int) -> int | None:
    """A number of a UPS as a whole one from 0 to `most`; None for anything else, also for what some models make up."""
    try:
        number = float(value or "")
    except ValueError:
        return None
    return int(number) if math.isfinite(number) and 0 <= number <= most else None


def judge(status: str) -> tuple[PowerState, str]:
    """What `ups.status` means: the power state, and the reason for the UPS's health."""
    flags = set(status.split())
    if "FSD" in flags:
        return "low", "ups.battery_low"
    if "CAL" in flags:
        # A calibration empties the battery on purpose, with the mains there to take over.
        return "mains", "ups.calibrating"
    if "OB" in flags:
        return ("low", "ups.battery_low") if "LB" in flags else ("battery", "ups.on_battery")
    if "OFF" in flags:
        return "unknown", "ups.off"
    if "OL" not in flags:
        return "unknown", "ups.no_data"
    by_urgency = {"OVER": "ups.overload", "RB": "ups.replace_battery", "BYPASS": "ups.bypass", "LB": "ups.weak"}
    return "mains", next((reason for flag, reason in by_urgency.items() if flag in flags), "hal.ok")


class NutLink:
    """One connection to upsd. Not thread-safe but for `close`."""

    def __init__(self, host: str, port: int, *, deadline_s: float) -> None:
        """Connect. Raises NutDown."""
        self._place, self._deadline_s = f"{host}:{port}", deadline_s
        self._pending = bytearray()
        try:
            self._socket = socket.create_connection((host, port), timeout=deadline_s)
        except OSError as error:
            raise NutDown("ups.unreachable", place=self._place) from error

    def close(self) -> None:
        """End the connection; wakes a thread that waits for an answer."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def variable(self, ups: str, name: str) -> str | None:
        """The value of one variable; None when this UPS does not have it.

        Raises NutDown (silence, a line that is no answer to this question), NutRefused (any other ERR).
        """
        answer = self._ask(f"GET VAR {ups} {name}")
        if answer[:1] == ["ERR"] and len(answer) >= 2:
            if answer[1] == "VAR-NOT-SUPPORTED":
                return None
            raise NutRefused(answer[1])
        if len(answer) != 4 or answer[:3] != ["VAR", ups, name]:
            raise NutDown("ups.garbled", place=self._place)
        return answer[3]

    def names(self) -> list[str]:
        """The UPSes that this upsd knows. Raises NutDown, NutRefused."""
        answer = self._ask("LIST UPS")
        if answer[:1] == ["ERR"] and len(answer) >= 2:
            raise NutRefused(answer[1])
        if answer != ["BEGIN", "LIST", "UPS"]:
            raise NutDown("ups.garbled", place=self._place)
        found: list[str] = []
        until_s = time.monotonic() + self._deadline_s
        while (line := self._line(until_s)) != ["END", "LIST", "UPS"]:
            if line[:1] != ["UPS"] or len(line) != 3 or len(found) >= 64:
                raise NutDown("ups.garbled", place=self._place)
            found.append(line[1])
        return found

    def _ask(self, question: str) -> list[str]:
        if self._pending:
            # An answer to nothing: whatever comes next could be taken for the answer to the wrong question.
            raise NutDown("ups.garbled", place=self._place)
        try:
            self._socket.settimeout(self._deadline_s)
            self._socket.sendall(question.encode() + b"\n")
        except OSError as error:
            raise NutDown("ups.unreachable", place=self._place) from error
        return self._line(time.monotonic() + self._deadline_s)

    def _line(self, until_s: float) -> list[str]:
        while b"\n" not in self._pending:
            try:
                self._socket.settimeout(max(0.001, until_s - time.monotonic()))
                data = self._socket.recv(MAX_LINE)
            except OSError as error:
                raise NutDown("ups.unreachable", place=self._place) from error
            self._pending += data
            if not data or time.monotonic() > until_s:
                raise NutDown("ups.unreachable", place=self._place)
            if len(self._pending) > 4 * MAX_LINE:
                raise NutDown("ups.garbled", place=self._place)
        line, _, rest = bytes(self._pending).partition(b"\n")
        self._pending[:] = rest
        try:
            if len(line) > MAX_LINE:
                raise ValueError("a line is too long")
            return words(line)
        except ValueError as error:
            raise NutDown("ups.garbled", place=self._place) from error
