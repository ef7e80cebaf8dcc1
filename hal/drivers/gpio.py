"""Opens the GPIO pins of a device, whichever library drives them, once for all drivers that need pins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import structlog

from hal.config import GpioConfig
from hal.drivers.edge_time import monotonic_s
from hal.health import HealthRecord
from hal.tools import OpensPins

RETRY_S = 2.0

log = structlog.get_logger("hal")


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
    """One input pin; hands on every raw edge, undebounced.

    The contact closes to ground against the internal pull-up; with `active_high` the pin is driven by a sensor that says 3.3 V
    for "closed". `on_edge(at_s, closed)` is called on the library's thread; `at_s` is the edge's own time on the monotonic
    clock.
    """

    def __init__(self, factory: Any, pin: int, on_edge: Callable[[float, bool], None], *, active_high: bool = False) -> None:
        # Here and not above, because a device without pins has no need of gpiozero.
        import gpiozero

        self._on_edge = on_edge
        self._active_high = active_high
        self._device: Any = None
        try:
            self._device = gpiozero.InputDevice(pin, pull_up=not active_high, pin_factory=factory)
            raw = self._device.pin
            # The library's own debouncing would drop edges; ours needs all of them.
            raw.bounce = None
            raw.edges = "both"
            raw.when_changed = self._changed
        # The libraries raise whatever their C parts make of a pin that is taken: lgpio.error, RuntimeError, OSError.
        except Exception as error:
            if self._device is not None:
                self._device.close()
            raise GpioError(f"pin {pin}: {error}") from error

    def _changed(self, at_s: float, state: int) -> None:
        self._on_edge(monotonic_s(at_s), bool(state) == self._active_high)

    @property
    def closed(self) -> bool:
        """Whether the contact is closed now."""
        return bool(self._device.is_active)

    def close(self) -> None:
        """Stop listening and let the pin go."""
        if not self._device.closed:
            self._device.pin.when_changed = None
            self._device.close()


def open_output(factory: Any, name: str, pin: int, *, dimmable: bool = False) -> Any:
    """A gpiozero LED on `pin`, off: a `PWMLED` where `dimmable`.

    Raises:
        GpioError: the pin cannot be opened; the message has `name`.
    """
    # Here and not above, because a device without pins has no need of gpiozero.
    import gpiozero

    try:
        return (gpiozero.PWMLED if dimmable else gpiozero.LED)(pin, pin_factory=factory)
    # The libraries raise whatever their C parts make of a pin that is taken.
    except Exception as error:
        raise GpioError(f"{name} on pin {pin}: {error}") from error


def keep_pins(
    pins: OpensPins, session: Callable[[Any], None], *, health: HealthRecord, stop: threading.Event, retry_s: float = RETRY_S
) -> None:
    """Run `session(factory)` until `stop`, again and again; the body of the thread of a driver on pins.

    `session` lets its pins go whatever happens. It returns when `stop` is set, or raises `GpioError`. Anything else it raises
    is a driver's mistake: logged, told as health, and tried again.
    """
    while not stop.is_set():
        try:
            session(pins.factory())
        except GpioError as error:
            health.set("gpio.failed", error=str(error))
        except Exception as error:
            log.exception("driver failed", peripheral=health.name)
            health.set("hal.driver_failed", error=f"{type(error).__name__}: {error}")
        stop.wait(retry_s)
