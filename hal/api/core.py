"""What all peripherals share: the Protocol and their health.

Events and outcomes are delivered on hal threads, never on the screen's: hop to the screen's thread before drawing, and
return soon. No method here waits for hardware; what takes time answers by callback, within a stated deadline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from hal.health import Health

HealthListener = Callable[[str, Health], None]
"""Called as `listener(peripheral_name, health)` whenever the reason changes."""


@runtime_checkable
class Peripheral(Protocol):
    """What all peripherals share."""

    @property
    def name(self) -> str:
        """Name within the device, the same as its section of the configuration."""
        ...

    def start(self) -> None:
        """Begin to talk to the hardware, and to retry for ever if it is missing. Returns at once."""
        ...

    def health(self) -> Health:
        """The present health, without asking the hardware."""
        ...

    def close(self) -> None:
        """Stop and let the hardware go; returns within two seconds. Afterwards no callback is called."""
        ...
