"""What `nw-hal list` and `nw-hal probe` show of each peripheral, as rows and as lines of words."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from hal.config import HalConfig, Section
from hal.words import Lang, words

if TYPE_CHECKING:
    from hal.probe import Found

GPIO_CHIP = "/dev/gpiochip0"


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """A configured peripheral; `state` is `found`, `missing` or, for `port = "auto"`, `searched`; `pins` BCM numbers by name."""

    name: str
    kind: str
    driver: str
    where: str
    state: str
    pins: dict[str, int] = {}


def rows(config: HalConfig) -> list[Row]:
    """One row a section, in the order of the configuration."""
    found = []
    for one in config.sections:
        where = _where(config, one)
        found.append(Row(one.name, one.kind, one.driver, where, _state(config, one, where), one.pins()))
    return found


def told(one: Found, lang: Lang) -> list[str]:
    """What was found at a port, in lines for a technician: who it is, what to do, and the section to paste."""
    if one.kind == "nothing":
        return [words("probe.nothing", {"why": words(one.reason, one.args, lang)}, lang)]
    lasting, comma, now = one.detail.rpartition(", ")
    detail = f"{lasting}, {words(now, {}, lang)}" if comma else one.detail
    args = {"kind": f"kind.{one.kind}", "driver": one.driver, "baud": str(one.baud), "detail": detail}
    lines = [words("probe.at" if one.baud else "probe.plain", args, lang)]
    if one.note:
        lines.append(words(one.note, {}, lang))
    if one.also:
        lines.append(words("probe.also", {"kind": f"kind.{one.also}"}, lang))
    if one.configured:
        lines.append(words("probe.configured", {"name": one.name}, lang))
    elif one.toml:
        pasted = [f"    {line}" for line in one.toml.splitlines()]
        lines += [words("probe.paste", {}, lang), *pasted, words("probe.test", {"name": one.name}, lang)]
    return lines


def _where(config: HalConfig, one: Section) -> str:
    if hasattr(one.module, "where"):
        return str(one.module.where(one.settings))
    if one.pins():
        return {"none": "", "socket": config.gpio.socket, "rpigpio": GPIO_CHIP, "lgpio": GPIO_CHIP}[config.gpio.driver]
    return one.port


def _state(config: HalConfig, one: Section, where: str) -> str:
    if hasattr(one.module, "is_there"):
        return "found" if one.module.is_there(one.settings) else "missing"
    if where == "auto":
        return "searched"
    # The device itself makes the socket of its pins, so its folder is what must be there.
    needed = os.path.dirname(where) or "." if one.pins() and config.gpio.driver == "socket" else where
    return "found" if os.path.exists(needed) else "missing"
