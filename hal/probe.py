"""Finds out what is on serial ports by asking harmless questions; nothing is printed and no card is read."""

from __future__ import annotations

import glob
import time

import msgspec
from serial.tools import list_ports

from hal.config import HalConfig
from hal.drivers import escpos, escpos_status, samv
from hal.drivers.escpos_fences import ASK_MODEL
from hal.drivers.line import Line, LineDown, LineSlow

ANSWER_S = 0.4
SPEEDS = (115200, 9600)


class Found(msgspec.Struct, frozen=True):
    """What one port said: `kind` is `escpos_printer`, `samv_reader` or `nothing`; `detail` in words."""

    port: str
    kind: str
    baud: int
    detail: str


def ports(config: HalConfig | None) -> list[str]:
    """Every serial port of this computer by its most stable name, and the configured ones."""
    stable = sorted(glob.glob("/dev/serial/by-id/*"))
    configured = [config.printer.port, config.id_card.port] if config else []
    plain = [] if stable else sorted(port.device for port in list_ports.comports())
    return list(dict.fromkeys(name for name in [*configured, *stable, *plain] if name))


def probe(port: str) -> Found:
    """Ask whatever is on `port` who it is, at the usual speeds; takes up to four seconds."""
    for baud in SPEEDS:
        try:
            line = Line(port, baud)
        except LineDown as down:
            return Found(port, "nothing", 0, str(down))
        try:
            found = _printer(line, port, baud) or _reader(line, port, baud)
        except (LineDown, LineSlow) as error:
            return Found(port, "nothing", 0, str(error))
        finally:
            line.close()
        if found is not None:
            return found
    return Found(port, "nothing", 0, f"no answer at {' or '.join(map(str, SPEEDS))} baud")


def _listen(line: Line, question: bytes) -> bytes:
    """Ask and collect until the answer is over."""
    line.drain()
    line.write(question, ANSWER_S)
    heard = bytearray()
    buffer = bytearray(256)
    end_s = time.monotonic() + ANSWER_S
    while (left_s := end_s - time.monotonic()) > 0:
        count = line.read_into(buffer, left_s if not heard else 0.05)
        if not count and heard:
            break
        heard += buffer[:count]
    return bytes(heard)


def _printer(line: Line, port: str, baud: int) -> Found | None:
    answers = []
    for number in (1, 2, 3, 4):
        said = escpos_status.Parser().feed(_listen(line, escpos.STATUS + bytes([number])))
        values = [one.value for one in said if isinstance(one, escpos_status.RealTime)]
        if not values:
            return None
        answers.append(values[-1])
    health = escpos_status.health_of(escpos_status.from_real_time(answers))
    said = escpos_status.Parser().feed(_listen(line, ASK_MODEL))
    name = next((one.name for one in said if isinstance(one, escpos_status.Identity)), "no name")
    return Found(port, "escpos_printer", baud, f"{name}, {health}")


def _reader(line: Line, port: str, baud: int) -> Found | None:
    answers = samv.Parser().feed(_listen(line, samv.command(b"\x11\xff")))
    if not answers:
        return None
    state = {samv.OK: "ready", 0x66: "not licensed"}.get(answers[0].status, f"status {answers[0].status:02X}")
    named = samv.Parser().feed(_listen(line, samv.command(b"\x12\xff")))
    name = samv.module_number(bytes(named[0].data)) if named else "no number"
    return Found(port, "samv_reader", baud, f"module {name}, {state}")
