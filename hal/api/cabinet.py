"""The cabinet around the hardware: door, tamper contact, presence, temperature, guiding light, 12-key pad."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import msgspec

from hal.api.core import Peripheral


class DoorOpened(msgspec.Struct, frozen=True, tag="door_opened"):
    """The cabinet's door was opened; `at_s` monotonic seconds of the first edge."""

    at_s: float


class DoorClosed(msgspec.Struct, frozen=True, tag="door_closed"):
    """The cabinet's door was closed; `at_s` monotonic seconds of the first edge."""

    at_s: float


@runtime_checkable
class Door(Peripheral, Protocol):
    """The cabinet's door contact. Emits `DoorOpened` and `DoorClosed`, also once at start if the door is open."""

    def is_open(self) -> bool | None:
        """Whether the door is open; None while nobody knows."""
        ...


class Tampered(msgspec.Struct, frozen=True, tag="tampered"):
    """Somebody works on the cabinet: its loop was cut or it was shaken; `at_s` monotonic seconds of the first edge."""

    at_s: float


class TamperEnded(msgspec.Struct, frozen=True, tag="tamper_ended"):
    """The loop is closed again, or the cabinet has been quiet; `at_s` monotonic seconds."""

    at_s: float


class PresenceChanged(msgspec.Struct, frozen=True, tag="presence_changed"):
    """Somebody came to stand before the device, or nobody has moved there for the hold time; `at_s` monotonic seconds."""

    present: bool
    at_s: float


Key = Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "clear", "enter"]
"""A key of the pad: the digits, `clear` (marked ←, where a telephone has *) and `enter` (marked ○, where it has #)."""


class KeyPressed(msgspec.Struct, frozen=True, tag="key_pressed"):
    """A key of the pad went down, once whatever it bounced or repeated; `at_s` monotonic seconds of the first edge.

    What a visitor types may be personal: keys are never logged.
    """

    key: Key
    at_s: float


Glow = Literal["off", "on", "breathe"]


@runtime_checkable
class Tamper(Peripheral, Protocol):
    """A contact or sensor that tells of work on the cabinet. Emits `Tampered` and `TamperEnded`."""

    def is_tampered(self) -> bool | None:
        """Whether it tells of tampering now; None while nobody knows."""
        ...


@runtime_checkable
class Presence(Peripheral, Protocol):
    """Tells whether somebody stands before the device. Emits `PresenceChanged`."""

    def is_present(self) -> bool | None:
        """Whether somebody is there; None while nobody knows."""
        ...


@runtime_checkable
class Thermometer(Peripheral, Protocol):
    """Temperature inside the cabinet. Emits nothing: its limits are health (`temperature.high`, `temperature.low`)."""

    def celsius(self) -> float | None:
        """The last reading in °C; None while there is none, or the sensor is gone."""
        ...


@runtime_checkable
class Light(Peripheral, Protocol):
    """A light strip that guides a hand, for example to the card slot or to the printer's mouth."""

    def show(self, glow: Glow) -> None:
        """Switch it; kept, and shown once the hardware is there. `breathe` swells slowly and never flashes."""
        ...


@runtime_checkable
class Keypad(Peripheral, Protocol):
    """A pad of twelve keys. Emits `KeyPressed`, once a press; holding a key repeats nothing."""
