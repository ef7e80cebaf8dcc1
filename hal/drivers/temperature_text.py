"""What the kernel's files of temperature sensors say, as °C; pure, since the text comes from a wire that may be anything."""

from __future__ import annotations

import re

LOWEST_C, HIGHEST_C = -55.0, 125.0
"""What sensors of this kind can measure."""


class SensorError(Exception):
    """No reading: the sensor is missing, or what it says is damaged; the message says which."""


def thousandths(text: str) -> float:
    """°C from thousandths as text (`21500`, as in hwmon's `temp1_input`).

    Raises:
        SensorError: it is no whole number, or no temperature that a sensor can have.
    """
    said = text.strip()
    if not re.fullmatch(r"-?[0-9]{1,6}", said):
        raise SensorError(f"the sensor says {said[:40]!r}, which is no number")
    celsius = int(said) / 1000
    if not LOWEST_C <= celsius <= HIGHEST_C:
        raise SensorError(f"the sensor says {celsius} °C; it measures {LOWEST_C:.0f} to {HIGHEST_C:.0f} °C")
    return celsius


def w1_slave(text: str) -> float:
    """°C from the two lines of a DS18B20's `w1_slave`: the bytes with `crc=… YES`, then the bytes with `t=` thousandths.

    Raises:
        SensorError: the checksum is wrong, or it is anything else.
    """
    lines = text.splitlines()
    found = re.fullmatch(r"(?:[0-9a-f]{2} ){9}t=(-?[0-9]{1,6})", lines[1].strip()) if len(lines) >= 2 else None
    if found is None:
        raise SensorError(f"the sensor's file says {text[:80]!r}; it should be two lines, the second with t=")
    if not lines[0].rstrip().endswith("YES"):
        raise SensorError("the checksum of the reading is wrong; look at the wire and its 4.7 kΩ resistor")
    return thousandths(found[1])
