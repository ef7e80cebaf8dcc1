"""Temperature sensors as Linux shows them: writes the files of a DS18B20 or a hwmon chip, from data sheet and kernel docs.

The files are all there is to such a sensor, so no process has to run: each call leaves them as the kernel would.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

SENSOR = "28-0316a2795a2b"


def show_w1(root: Path, celsius: float, *, sensor: str = SENSOR, damaged: bool = False) -> None:
    """A DS18B20 that measured `celsius` (-55 to 125) on the bus below `root`; `damaged` its checksum does not fit."""
    raw = round(celsius * 16)
    # Scratchpad: temperature low and high, alarm high and low, configuration for 12 bits, three reserved bytes, CRC.
    pad = bytes((raw & 0xFF, raw >> 8 & 0xFF, 0x4B, 0x46, 0x7F, 0xFF, 0x0C, 0x10))
    pad += bytes((crc8(pad) ^ (0x5A if damaged else 0),))
    told = " ".join(f"{byte:02x}" for byte in pad)
    state = "NO" if damaged else "YES"
    text = f"{told} : crc={crc8(pad[:8]):02x} {state}\n{told} t={raw * 1000 // 16}\n"
    _write(root / sensor / "w1_slave", text)


def show_hwmon(root: Path, celsius: float, *, chip: str = "lm75", number: int = 0) -> None:
    """A hwmon chip that measured `celsius`, as `hwmonNUMBER` below `root`."""
    folder = root / f"hwmon{number}"
    _write(folder / "name", f"{chip}\n")
    _write(folder / "temp1_input", f"{round(celsius * 1000)}\n")


def crc8(data: bytes) -> int:
    """Checksum of the 1-wire bus: x⁸ + x⁵ + x⁴ + 1, lowest bit first (Dallas)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc


def _write(path: Path, text: str) -> None:
    """Replace the file at once; a reader never sees half of it, as with the kernel's files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="ascii")
    os.replace(new, path)


@click.command()
@click.option("--root", required=True, type=click.Path(path_type=Path), help="The folder that the configuration names as root.")
@click.option("--bus", default="w1", show_default=True, type=click.Choice(["w1", "hwmon"]), help="Which kind of sensor.")
@click.option("--celsius", type=click.FloatRange(-55, 125), help="What it measures. Without it, the sensor is taken away.")
@click.option("--damaged", is_flag=True, help="The reading's checksum does not fit (w1).")
def main(root: Path, bus: str, celsius: float | None, damaged: bool) -> None:
    """Show a temperature sensor below ROOT, or take it away."""
    if celsius is None:
        shutil.rmtree(root / (SENSOR if bus == "w1" else "hwmon0"), ignore_errors=True)
    elif bus == "w1":
        show_w1(root, celsius, damaged=damaged)
    else:
        show_hwmon(root, celsius)


if __name__ == "__main__":
    main()
