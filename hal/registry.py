"""Which driver serves which kind of peripheral: the one table to which a new driver is added (docs/drivers.md tells how)."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from hal import api

KINDS: dict[str, type[Any]] = {
    "buttons": api.Buttons,
    "printer": api.ReceiptPrinter,
    "a4_printer": api.A4Printer,
    "id_card": api.IdCardReader,
    "door": api.Door,
    "keypad": api.Keypad,
    "tamper": api.Tamper,
    "presence": api.Presence,
    "temperature": api.Thermometer,
    "light": api.Light,
    "scanner": api.Scanner,
    "smart_card": api.SmartCardReader,
    "camera": api.Camera,
    "desk": api.ClerkDesk,
    "ups": api.Ups,
    "backlight": api.Backlight,
    "speaker": api.Speaker,
    "speech": api.Speech,
    "board": api.Board,
}
"""Every kind of peripheral with its Protocol. A section of the configuration is named after its kind."""

DRIVERS: dict[str, dict[str, str]] = {
    "buttons": {"gpio": "hal.drivers.gpio_buttons", "box": "hal.drivers.button_box"},
    "printer": {"escpos": "hal.drivers.escpos_printer"},
    "a4_printer": {"cups": "hal.drivers.cups_printer"},
    "id_card": {"samv": "hal.drivers.samv_reader"},
    "door": {"gpio": "hal.drivers.gpio_door"},
    "keypad": {"evdev": "hal.drivers.evdev_keypad", "matrix": "hal.drivers.gpio_matrix"},
    "tamper": {"gpio": "hal.drivers.gpio_tamper"},
    "presence": {"gpio": "hal.drivers.gpio_presence"},
    "temperature": {"w1": "hal.drivers.w1_temperature", "hwmon": "hal.drivers.hwmon_temperature"},
    "light": {"gpio": "hal.drivers.gpio_light"},
    "scanner": {"serial": "hal.drivers.scanner_serial", "evdev": "hal.drivers.scanner_hid"},
    "smart_card": {"pcsc": "hal.drivers.pcsc"},
    "camera": {"v4l2": "hal.drivers.camera_v4l2"},
    "desk": {"serial": "hal.drivers.clerk_desk"},
    "ups": {"nut": "hal.drivers.nut"},
    "backlight": {"sysfs": "hal.drivers.backlight"},
    "speaker": {"alsa": "hal.drivers.alsa_speaker"},
    "speech": {"espeak": "hal.drivers.espeak", "neural": "hal.drivers.neural_voice"},
    "board": {"linux": "hal.drivers.linux_board"},
}
"""Kind → name of the driver → its module, which provides `Config` and `open_driver(name, config, tools)`.

A module on a serial port also provides `SPEEDS` and `probe(line)`, which asks an open line harmless questions and gives what
answered in words, or None; and, if need be, `suggests(words)`: more settings for the section that `nw-hal probe` writes.
A module on pins provides `pins(config)`, BCM numbers by local name.
"""


def kind_of(section: str) -> str | None:
    """The kind that a section's name stands for: `printer`, `printer_2` and `printer_left` are printers; None for no kind."""
    fitting = [kind for kind in KINDS if section == kind or section.startswith(f"{kind}_")]
    return max(fitting, key=len, default=None)


def module_of(kind: str, driver: str) -> Any:
    """The driver's module; loading one never loads a library that only its hardware needs."""
    return importlib.import_module(DRIVERS[kind][driver])


def on_serial_ports() -> Iterator[tuple[str, str, Any]]:
    """Every driver that can tell who answers on a serial port, as (kind, driver, module); the printers' first.

    What a printer is asked does no harm to other devices, while anything else may come out of a printer as text.
    """
    for kind in sorted(DRIVERS, key=lambda kind: kind != "printer"):
        for driver in DRIVERS[kind]:
            module = module_of(kind, driver)
            if hasattr(module, "probe"):
                yield kind, driver, module
