"""What the factory hands to every driver: where to tell things, and the pins, ports and keys that drivers share."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from hal.api import EventListener, HealthListener, Rasterise
from hal.config import ConfigError

MIN_KEY_BYTES = 32


class OpensPins(Protocol):
    """What the drivers on pins need: a gpiozero factory, or the reason why there is none."""

    def factory(self) -> Any:
        """The gpiozero factory, opened at the first call.

        Raises:
            hal.drivers.gpio.GpioError: the pins cannot be opened now; the next call tries again.
        """
        ...


class OpensPorts(Protocol):
    """What the drivers on serial ports need."""

    def opener(self, port: str, baud: int, module: str, *, expect: str = "") -> Callable[[], Any]:
        """How to open a section's port: a callable that gives an open `Line` and raises `LineDown` with the reason.

        `port` a path, or `auto`: the first port that no section names and on which `probe` of the driver's `module` is
        answered. With `expect` only the device of that identity, as `probe` tells it, is accepted (`hal.wrong_device`).
        """
        ...


class Tools(msgspec.Struct, frozen=True):
    """See `hal.factory.open_hal` for the listeners. Events and health are told on hal threads.

    `state_dir` is a folder where a driver may keep one small file named after its section; None: nothing outlives the program.
    """

    on_event: EventListener
    on_health: HealthListener
    pins: OpensPins
    ports: OpensPorts
    rasterise: Rasterise | None = None
    state_dir: Path | None = None


def reference_key(path: str, place: str) -> bytes:
    """The secret under which card references are made; a new one for this run when `path` is empty.

    Raises:
        ConfigError: the file cannot be read, or has fewer than 32 bytes; `place` names the setting.
    """
    if not path:
        return secrets.token_bytes(MIN_KEY_BYTES)
    try:
        key = Path(path).read_bytes()
    except OSError as error:
        said = f"{place}: {path} cannot be read ({error.strerror}); create it with 32 random bytes"
        raise ConfigError([said]) from error
    if len(key) < MIN_KEY_BYTES:
        raise ConfigError([f"{place}: {path} has {len(key)} bytes; it needs {MIN_KEY_BYTES} or more random bytes"])
    return key
