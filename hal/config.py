"""HalConfig: which peripherals a device has, on which ports and pins; every mistake is explained at once."""

from __future__ import annotations

import difflib
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

MAX_PIN = 27
"""Highest BCM number on a Raspberry Pi's 40-pin header."""

BcmPin = Annotated[int, msgspec.Meta(ge=0, le=MAX_PIN)]
Baud = Literal[9600, 19200, 38400, 57600, 115200]


class ConfigError(ValueError):
    """The configuration cannot be used; `problems` holds every mistake, each a sentence with place, limit, remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class GpioConfig(msgspec.Struct, frozen=True):
    """Where GPIO pins come from.

    `rpigpio` RPi.GPIO or its drop-in rpi-lgpio; `lgpio` the kernel's GPIO chip; `socket` pins pressed and read by
    another process over the Unix socket `socket` (the demonstration and tests); `none` the device has no pins.
    """

    driver: Literal["none", "rpigpio", "lgpio", "socket"] = "none"
    socket: str = ""


class ButtonPins(msgspec.Struct, frozen=True):
    """BCM number of each button's pin; the button connects it to ground. None = not wired."""

    level_5: BcmPin | None = 17
    level_4: BcmPin | None = 27
    level_3: BcmPin | None = 22
    level_2: BcmPin | None = 23
    level_1: BcmPin | None = 24
    call_staff: BcmPin | None = 25


class LampPins(msgspec.Struct, frozen=True):
    """BCM number of the pin that drives each button's lamp, high = on. None = not wired."""

    level_5: BcmPin | None = 5
    level_4: BcmPin | None = 6
    level_3: BcmPin | None = 13
    level_2: BcmPin | None = 19
    level_1: BcmPin | None = 26
    call_staff: BcmPin | None = 21


class ButtonsConfig(msgspec.Struct, frozen=True):
    """Rating buttons on GPIO.

    `settle_ms` how long a contact must be quiet before it counts as at rest: above the worst bounce of the switch,
    below half of the shortest press. `stuck_s` a button held longer is reported as stuck.
    """

    driver: Literal["none", "gpio"] = "none"
    pins: ButtonPins = ButtonPins()
    lamps: LampPins = LampPins()
    buzzer: BcmPin | None = 12
    settle_ms: Annotated[float, msgspec.Meta(ge=1, le=200)] = 12.0
    stuck_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 20.0


class PrinterConfig(msgspec.Struct, frozen=True):
    """Receipt printer: ESC/POS over a serial port (also a USB printer that shows itself as a serial port)."""

    driver: Literal["none", "escpos_serial"] = "none"
    port: str = ""
    baud: Baud = 115200
    profile: Literal["generic80", "generic58", "silent80", "silent58"] = "generic80"
    poll_s: Annotated[float, msgspec.Meta(ge=0.05, le=60)] = 2.0


class IdCardConfig(msgspec.Struct, frozen=True):
    """Resident ID-card reader: SAM-V over a serial port.

    `poll_ms` time between two looks for a card. `presume_removed_s` after how long a card counts as gone on readers
    that cannot be asked. `reference_key_file` a file of 32 or more random bytes, the key of `CardData.reference`;
    empty = a new key at each start, so references compare only while the program runs.
    """

    driver: Literal["none", "samv_serial"] = "none"
    port: str = ""
    baud: Baud = 115200
    profile: Literal["standard", "address_probe", "no_probe", "prefix_00"] = "standard"
    poll_ms: Annotated[int, msgspec.Meta(ge=20, le=5000)] = 300
    presume_removed_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 30.0
    reference_key_file: str = ""


class DoorConfig(msgspec.Struct, frozen=True):
    """Cabinet door contact: a reed switch, closed while the door is closed, between the pin and ground."""

    driver: Literal["none", "gpio"] = "none"
    pin: BcmPin = 16
    settle_ms: Annotated[float, msgspec.Meta(ge=1, le=2000)] = 100.0


class HalConfig(msgspec.Struct, frozen=True):
    """The peripherals of one device; a section that is left out is `driver = "none"`: explicitly absent."""

    gpio: GpioConfig = GpioConfig()
    buttons: ButtonsConfig = ButtonsConfig()
    printer: PrinterConfig = PrinterConfig()
    id_card: IdCardConfig = IdCardConfig()
    door: DoorConfig = DoorConfig()


def load(path: Path) -> HalConfig:
    """Read a TOML file whose table `[hal]`, or whose top level, is a `HalConfig`.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or is wrong; all mistakes in one error.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path} cannot be read ({error.strerror}); give the path of a readable TOML file"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path} is not valid TOML: {error}; correct that line"]) from error
    return from_table(table["hal"] if isinstance(table.get("hal"), dict) else table)


def from_table(table: Mapping[str, Any], place: str = "hal") -> HalConfig:
    """Build a `HalConfig` from parsed TOML or JSON, naming mistakes as `place.section.key`.

    Raises:
        ConfigError: unknown keys, values of the wrong type or out of range, pins used twice, ports missing.
    """
    mistakes: list[str] = []
    config: HalConfig = _struct(HalConfig, table, place, mistakes)
    mistakes += check(config, place)
    if mistakes:
        raise ConfigError(mistakes)
    return config


def check(config: HalConfig, place: str = "hal") -> list[str]:
    """What no device can have although each value alone is right; empty when `config` is usable."""
    found = []
    for name, section in (("printer", config.printer), ("id_card", config.id_card)):
        if section.driver != "none" and not section.port:
            found.append(f"{place}.{name}.port is empty; give a stable path such as /dev/serial/by-id/usb-…")
    both = config.printer.driver != "none" and config.id_card.driver != "none"
    if both and config.printer.port and config.printer.port == config.id_card.port:
        found.append(f"{place}.printer.port and {place}.id_card.port are both {config.printer.port}; give each its own")
    for name, driver in (("buttons", config.buttons.driver), ("door", config.door.driver)):
        if driver == "gpio" and config.gpio.driver == "none":
            found.append(f'{place}.{name} needs pins but {place}.gpio.driver is "none"; set it to rpigpio, lgpio or socket')
    if config.gpio.driver == "socket" and not config.gpio.socket:
        found.append(f"{place}.gpio.socket is empty; give the path of the Unix socket to listen on")
    return found + _pins_used_twice(config, place)


def named_pins(config: HalConfig) -> dict[str, int]:
    """Every wired pin by its name: buttons `level_5` …, lamps `lamp.level_5` …, `buzzer`, `door`."""
    pins: dict[str, int | None] = {}
    if config.buttons.driver == "gpio":
        pins |= msgspec.structs.asdict(config.buttons.pins)
        pins |= {f"lamp.{name}": pin for name, pin in msgspec.structs.asdict(config.buttons.lamps).items()}
        pins["buzzer"] = config.buttons.buzzer
    if config.door.driver == "gpio":
        pins["door"] = config.door.pin
    return {name: pin for name, pin in pins.items() if pin is not None}


def _pins_used_twice(config: HalConfig, place: str) -> list[str]:
    users: dict[int, list[str]] = {}
    for name, pin in named_pins(config).items():
        users.setdefault(pin, []).append(name)
    return [
        f"{place}: BCM pin {pin} is used by {' and '.join(names)}; give each its own"
        for pin, names in sorted(users.items())
        if len(names) > 1
    ]


def _struct(kind: type[Any], table: object, place: str, mistakes: list[str]) -> Any:
    """`kind` from what is right in `table`, after adding each mistake; msgspec alone would stop at the first."""
    if not isinstance(table, Mapping):
        mistakes.append(f"{place} is {table!r}; make it a table: [{place}]")
        return kind()
    hints = typing.get_type_hints(kind, include_extras=True)
    values = {}
    for key, value in table.items():
        if key not in hints:
            near = difflib.get_close_matches(str(key), hints, 1)
            remedy = f"did you mean {near[0]}?" if near else f"known here: {', '.join(hints)}"
            mistakes.append(f"{place}.{key} is not known; {remedy}")
        elif isinstance(hints[key], type) and issubclass(hints[key], msgspec.Struct):
            values[key] = _struct(hints[key], value, f"{place}.{key}", mistakes)
        elif value == "none" and _may_be_none(hints[key]):
            # TOML has no null, so "none" says that a pin is not wired.
            values[key] = None
        else:
            try:
                values[key] = msgspec.convert(value, hints[key])
            except msgspec.ValidationError as error:
                mistakes.append(f"{place}.{key} is {value!r}; {_allowed(hints[key]) or error}")
    return kind(**values)


def _may_be_none(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def _allowed(hint: Any) -> str:
    """What `hint` allows, in words; empty when its own error says it better."""
    if typing.get_origin(hint) is Literal:
        return f"use one of {', '.join(str(choice) for choice in typing.get_args(hint))}"
    for part in (hint, *typing.get_args(hint)):
        for meta in getattr(part, "__metadata__", ()):
            what = "a whole number" if int in typing.get_args(part) else "a number"
            or_none = ' or "none"' if _may_be_none(hint) else ""
            return f"use {what} from {meta.ge} to {meta.le}{or_none}"
    return ""
