"""The cabinet around the hardware: its door."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

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
