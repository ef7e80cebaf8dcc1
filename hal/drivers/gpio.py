"""Opens the GPIO pins of a device, whichever library drives them, once for all drivers that need pins."""

from __future__ import annotations

import threading
from typing import Any

from hal.config import GpioConfig


class GpioError(RuntimeError):
    """The pins cannot be opened; the message says which library said what."""


class GpioPins:
    """The device's pins; `names` is told to the socket-backed factory, so that controllers can use them."""

    def __init__(self, config: GpioConfig, names: dict[str, int]) -> None:
        self._config = config
        self._names = names
        self._lock = threading.Lock()
        self._factory: Any = None

    def factory(self) -> Any:
        """See `hal.tools.OpensPins.factory`."""
        with self._lock:
            if self._factory is None:
                try:
                    self._factory = self._open()
                # The libraries raise whatever their C parts make of a missing chip: lgpio.error, RuntimeError, OSError.
                except Exception as error:
                    raise GpioError(f"{self._config.driver}: {error}") from error
            return self._factory

    def _open(self) -> Any:
        # Imported here because each library exists only on the boards it drives.
        match self._config.driver:
            case "lgpio":
                from gpiozero.pins.lgpio import LGPIOFactory

                return LGPIOFactory()
            case "rpigpio":
                from gpiozero.pins.rpigpio import RPiGPIOFactory

                return RPiGPIOFactory()
            case "socket":
                from hal.sim.pinfactory import SocketPinFactory

                return SocketPinFactory(self._config.socket, self._names)
            case _:
                raise GpioError('gpio.driver is "none"; set it to rpigpio, lgpio or socket')

    def close(self) -> None:
        """Let the pins go."""
        with self._lock:
            if self._factory is not None:
                self._factory.close()
                self._factory = None


class Input:
    """One input pin with a pull-up whose contact closes to ground; hands on every raw edge, undebounced.

    `on_edge(at_s, closed)` is called on the library's thread with the library's own timestamp (seconds of its clock).
    """

    def __init__(self, factory: Any, pin: int, on_edge: Any) -> None:
        # Here and not above, because a device without pins has no need of gpiozero.
        import gpiozero

        self._on_edge = on_edge
        try:
            self._device = gpiozero.InputDevice(pin, pull_up=True, pin_factory=factory)
        except (gpiozero.GPIOZeroError, OSError, RuntimeError) as error:
            raise GpioError(f"pin {pin}: {error}") from error
        raw = self._device.pin
        try:
            # The library's own debouncing would drop edges; ours needs all of them.
            raw.bounce = None
            raw.edges = "both"
            raw.when_changed = self._changed
        except (gpiozero.GPIOZeroError, OSError, RuntimeError) as error:
            self._device.close()
            raise GpioError(f"pin {pin} tells no edges: {error}") from error

    def _changed(self, at_s: float, state: int) -> None:
        self._on_edge(at_s, not state)

    @property
    def closed(self) -> bool:
        """Whether the contact is closed now."""
        return bool(self._device.is_active)

    def close(self) -> None:
        """Stop listening and let the pin go."""
        if not self._device.closed:
            self._device.pin.when_changed = None
            self._device.close()
