"""HalConfig: which peripherals a device has, by which driver and with which settings; every mistake is explained at once."""

from __future__ import annotations

import difflib
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from hal import registry

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


class Section(msgspec.Struct, frozen=True):
    """One configured peripheral: its name (`printer_left`), kind (`printer`), driver, and the driver's own `Config`."""

    name: str
    kind: str
    driver: str
    settings: Any

    @property
    def module(self) -> Any:
        """The driver's module."""
        return registry.module_of(self.kind, self.driver)

    @property
    def port(self) -> str:
        """The port it is connected to; empty for what has none."""
        return str(getattr(self.settings, "port", ""))

    def pins(self) -> dict[str, int]:
        """BCM numbers by the names under which they are known on the device: of a section that is named like its kind as the
        driver names them (`level_5`, `lamp.level_5`; a single pin as its kind, `door`), else with the section before them."""
        local: dict[str, int] = self.module.pins(self.settings) if hasattr(self.module, "pins") else {}
        if self.name == self.kind:
            return {name or self.name: pin for name, pin in local.items()}
        return {f"{self.name}.{name}" if name else self.name: pin for name, pin in local.items()}


class HalConfig(msgspec.Struct, frozen=True):
    """The peripherals of one device. What has no section, or one with `driver = "none"`, is explicitly absent."""

    gpio: GpioConfig = GpioConfig()
    sections: tuple[Section, ...] = ()

    def section(self, name: str) -> Section | None:
        """The section of that name."""
        return next((one for one in self.sections if one.name == name), None)

    def pins(self) -> dict[str, int]:
        """Every wired pin by its name."""
        return {name: pin for one in self.sections for name, pin in one.pins().items()}


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
        ConfigError: unknown sections, drivers or keys, values of the wrong type or out of range, pins used twice, ports
            missing.
    """
    mistakes: list[str] = []
    gpio: GpioConfig = read(GpioConfig, table.get("gpio", {}), f"{place}.gpio", mistakes)
    read_sections = [_section(name, value, place, mistakes) for name, value in table.items() if name != "gpio"]
    config = HalConfig(gpio, tuple(one for one in read_sections if one is not None))
    mistakes += check(config, place)
    if mistakes:
        raise ConfigError(mistakes)
    return config


def _section(name: str, table: object, place: str, mistakes: list[str]) -> Section | None:
    kind = registry.kind_of(name)
    if kind is None:
        mistakes.append(_unknown(f"{place}.{name}", name, [*registry.KINDS, "gpio"]))
        return None
    if not isinstance(table, Mapping):
        mistakes.append(f"{place}.{name} is {table!r}; make it a table: [{place}.{name}]")
        return None
    known = ["none", *registry.DRIVERS[kind]]
    settings = {key: value for key, value in table.items() if key != "driver"}
    driver = table.get("driver", "none" if not settings else None)
    if driver not in known:
        said = "has settings but no driver" if driver is None else f"is {driver!r}"
        mistakes.append(f"{place}.{name}.driver {said}; use one of {', '.join(known)}")
        return None
    # What is switched off keeps its settings in the file, unread.
    if driver == "none":
        return None
    struct = registry.module_of(kind, driver).Config
    return Section(name, kind, driver, read(struct, settings, f"{place}.{name}", mistakes))


def check(config: HalConfig, place: str = "hal") -> list[str]:
    """What no device can have although each value alone is right; empty when `config` is usable."""
    found, holders = [], dict[str, str]()
    for one in config.sections:
        name = f"{place}.{one.name}"
        if hasattr(one.settings, "port"):
            if not one.port:
                found.append(f'{name}.port is empty; give a stable path such as /dev/serial/by-id/usb-…, or "auto"')
            elif one.port != "auto" and holders.setdefault(one.port, name) != name:
                found.append(f"{holders[one.port]}.port and {name}.port are both {one.port}; give each its own")
        if one.pins() and config.gpio.driver == "none":
            found.append(f'{name} needs pins but {place}.gpio.driver is "none"; set it to rpigpio, lgpio or socket')
        if hasattr(one.module, "check"):
            found += [f"{name}{problem}" for problem in one.module.check(one.settings)]
    if config.gpio.driver == "socket" and not config.gpio.socket:
        found.append(f"{place}.gpio.socket is empty; give the path of the Unix socket to listen on")
    return found + _pins_used_twice(config, place)


def _pins_used_twice(config: HalConfig, place: str) -> list[str]:
    users: dict[int, list[str]] = {}
    for one in config.sections:
        for name, pin in one.pins().items():
            users.setdefault(pin, []).append(name)
    return [
        f"{place}: BCM pin {pin} is used by {' and '.join(names)}; give each its own"
        for pin, names in sorted(users.items())
        if len(names) > 1
    ]


def read(kind: type[Any], table: object, place: str, mistakes: list[str]) -> Any:
    """`kind` from what is right in `table`, after adding each mistake; msgspec alone would stop at the first."""
    if not isinstance(table, Mapping):
        mistakes.append(f"{place} is {table!r}; make it a table: [{place}]")
        return kind()
    hints = typing.get_type_hints(kind, include_extras=True)
    values = {}
    for key, value in table.items():
        if key not in hints:
            mistakes.append(_unknown(f"{place}.{key}", str(key), list(hints)))
        elif isinstance(hints[key], type) and issubclass(hints[key], msgspec.Struct):
            values[key] = read(hints[key], value, f"{place}.{key}", mistakes)
        elif value == "none" and type(None) in typing.get_args(hints[key]):
            # TOML has no null, so "none" says that a pin is not wired.
            values[key] = None
        else:
            try:
                values[key] = msgspec.convert(value, hints[key])
            except msgspec.ValidationError as error:
                mistakes.append(f"{place}.{key} is {value!r}; {_allowed(hints[key]) or error}")
    return kind(**values)


def _unknown(place: str, key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    return f"{place} is not known; " + (f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}")


def _allowed(hint: Any) -> str:
    """What `hint` allows, in words; empty when its own error says it better."""
    if typing.get_origin(hint) is Literal:
        return f"use one of {', '.join(str(choice) for choice in typing.get_args(hint))}"
    for part in (hint, *typing.get_args(hint)):
        for meta in getattr(part, "__metadata__", ()):
            if meta.ge is None and meta.le is None:
                continue
            what = "a whole number" if int in typing.get_args(part) else "a number"
            or_none = ' or "none"' if type(None) in typing.get_args(hint) else ""
            return f"use {what} from {meta.ge} to {meta.le}{or_none}"
    return ""
