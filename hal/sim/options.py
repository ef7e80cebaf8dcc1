"""Options of control commands, checked: what a person types into a simulator's socket may be anything."""

from __future__ import annotations

from typing import Any


class CommandError(ValueError):
    """A control command that cannot be done; the message is its answer."""


def flag(options: dict[str, Any], key: str = "on") -> bool:
    """A true/false option, true when left out; raises `CommandError` for anything else."""
    value = options.get(key, True)
    if not isinstance(value, bool):
        raise CommandError(f"{key} is {value!r}; use true or false")
    return value


def number(options: dict[str, Any], key: str, default: float, most: float) -> float:
    """A number option from 0 to `most`; raises `CommandError` for anything else."""
    value = options.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise CommandError(f"{key} is {value!r}; use 0 to {most}")
    return value


def hex_bytes(options: dict[str, Any], key: str) -> bytes:
    """Bytes written as hexadecimal; raises `CommandError` for anything else."""
    try:
        return bytes.fromhex(options.get(key, ""))
    except (TypeError, ValueError):
        raise CommandError(f"{key} is {options.get(key)!r}; write bytes in hexadecimal, for example 00ff37") from None
