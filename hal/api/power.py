"""What keeps the device running: the UPS that bridges a power cut, and the computer's own board."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol, runtime_checkable

import msgspec

from hal.api.core import Peripheral

PowerState = Literal["mains", "battery", "low", "unknown"]


class PowerChanged(msgspec.Struct, frozen=True, tag="power_changed"):
    """Where the power comes from now.

    `low`: the battery is nearly empty, or the UPS has announced that it will switch off: only seconds to a few minutes are left.
    `unknown`: nobody knows, and the last word was not that the mains are out. `runtime_s` and `charge` (percent) are the
    UPS's own estimates, None where it tells none.
    """

    state: PowerState
    runtime_s: Annotated[int, msgspec.Meta(ge=0)] | None = None
    charge: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None


@runtime_checkable
class Ups(Peripheral, Protocol):
    """An uninterruptible power supply. Emits `PowerChanged` when the state changes, also once at start if it is not `mains`."""

    def power(self) -> PowerChanged:
        """The present state with the latest estimates, without asking."""
        ...

    def shut_down(self) -> None:
        """Switch this computer off as the configuration says, or do nothing when it says `none`. Returns at once.

        Call it when everything is flushed. A refusal becomes health `ups.shutdown_failed`, and it may be called again.
        """
        ...


@runtime_checkable
class Board(Peripheral, Protocol):
    """The computer itself: its supply voltage, storage, memory and clock. What is wrong is its health."""

    def readings(self) -> dict[str, float]:
        """The latest gauges by name; what this board does not tell is left out.

        `temperature_c`, `storage_free_mb`, `memory_free_mb`, `storage_used_life` (percent of the storage's life used),
        `storage_errors`, `unsafe_shutdowns`, `under_voltage` and `throttled` (1 or 0), `uptime_s`.
        """
        ...
