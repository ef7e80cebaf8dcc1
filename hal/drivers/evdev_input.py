"""Keyboards and what shows itself as one (12-key pads, scanners) through Linux evdev, grabbed so that no console hears a key.

python3-evdev is loaded only when a device is opened: it comes from Debian, and a device without such hardware needs none.
"""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from hal.drivers.key_strokes import EV_KEY, Stroke, Strokes
from hal.drivers.line import LineDown


class InputDevice(Protocol):
    """What is used of `evdev.InputDevice`."""

    @property
    def name(self) -> str:
        """What the device calls itself."""
        ...

    def fileno(self) -> int: ...
    def capabilities(self) -> dict[int, list[Any]]: ...
    def read(self) -> Iterator[Any]: ...
    def grab(self) -> None: ...
    def close(self) -> None: ...


class Inputs(Protocol):
    """The input devices of this computer."""

    def paths(self) -> Iterable[str]:
        """Every device's node."""
        ...

    def open(self, path: str) -> InputDevice:
        """Open one; raises OSError."""
        ...


class LinuxInputs:
    """`Inputs` by python3-evdev."""

    def paths(self) -> Iterable[str]:
        """See `Inputs.paths`."""
        import evdev

        return sorted(evdev.list_devices())

    def open(self, path: str) -> InputDevice:
        """See `Inputs.open`."""
        import evdev

        device: InputDevice = evdev.InputDevice(path)
        return device


class Keyboard:
    """One grabbed device. Not thread-safe: one thread owns it."""

    def __init__(self, device: InputDevice, port: str) -> None:
        """Grab `device`.

        Raises:
            LineDown: another program has grabbed it, or it is gone.
        """
        self._device = device
        self._port = port
        self._strokes = Strokes()
        self._poll = select.poll()
        self._poll.register(device.fileno(), select.POLLIN)
        try:
            device.grab()
        except OSError as error:
            device.close()
            raise _why_not(port, error) from error

    @property
    def name(self) -> str:
        """What the device calls itself."""
        return self._device.name

    @property
    def losses(self) -> int:
        """How often the kernel dropped keys because nobody read them in time; what was typed meanwhile is incomplete."""
        return self._strokes.losses

    def read(self, timeout_s: float) -> list[Stroke]:
        """Wait up to `timeout_s` for keys; empty when none moved.

        Raises:
            LineDown: the device was unplugged.
        """
        if not self._poll.poll(max(0.0, timeout_s) * 1000):
            return []
        try:
            events = list(self._device.read())
        except BlockingIOError:
            return []
        except OSError as error:
            raise LineDown("port.failed", {"port": self._port, "error": error.strerror or str(error)}) from error
        if not events:
            raise LineDown("port.failed", {"port": self._port, "error": "hung up"})
        return [stroke for event in events for stroke in self._strokes.take(event)]

    def close(self) -> None:
        """Let the device go; the console has it back."""
        self._device.close()


def wrong_port(port: str, name: str) -> list[str]:
    """What is wrong with a configured port, as `check` of a driver tells it; `name` says whose name stands after `name:`."""
    if port.startswith(("/", "name:")) or not port:
        return []
    return [f".port is {port}; give a path such as /dev/input/by-id/usb-…-event-kbd, or name: and the {name}"]


def is_port_there(port: str) -> bool:
    """Whether the device is plugged in; a name is looked for only when it is opened."""
    return os.path.exists("/dev/input" if port.startswith("name:") else port)


def open_keyboard(port: str, *, needs: frozenset[int], expect: str = "", inputs: Inputs | None = None) -> Keyboard:
    """Open and grab the device at `port`: a stable path (`/dev/input/by-id/…-event-kbd`) or `name:` and what it calls itself.

    By name only devices with one of the key codes `needs` count. With `expect`, its name must contain that.

    Raises:
        LineDown: it is missing, forbidden, grabbed by another program, not the expected one, or the name fits several.
    """
    inputs = inputs or LinuxInputs()
    try:
        if port.startswith("name:"):
            port, device = _by_name(port.removeprefix("name:"), needs, inputs)
        else:
            device = inputs.open(port)
    except LineDown:
        raise
    except OSError as error:
        raise _why_not(port, error) from error
    except ImportError as error:
        raise LineDown("hal.not_installed", {"package": "python3-evdev"}) from error
    if expect not in device.name:
        found = device.name
        device.close()
        raise LineDown("hal.wrong_device", {"port": port, "expected": expect, "found": found})
    return Keyboard(device, port)


def _by_name(name: str, needs: frozenset[int], inputs: Inputs) -> tuple[str, InputDevice]:
    """The one device of that name. A pad may show several nodes of one name (its volume keys), so its keys are looked at too."""
    found: list[tuple[str, InputDevice]] = []
    looked = []
    for path in inputs.paths():
        try:
            device = inputs.open(path)
        except OSError:
            continue
        looked.append(device.name)
        if name in device.name and needs & set(device.capabilities().get(EV_KEY, [])):
            found.append((path, device))
        else:
            device.close()
    if len(found) == 1:
        return found[0]
    for _, device in found:
        device.close()
    if not found:
        raise LineDown("port.not_found", {"expected": name, "looked": ", ".join(looked) or "-"})
    several = f"{len(found)} devices are called so; give the path of one: {', '.join(path for path, _ in found)}"
    raise LineDown("port.failed", {"port": f"name:{name}", "error": several})


def _why_not(port: str, error: OSError) -> LineDown:
    reasons = {
        errno.ENOENT: "port.missing",
        errno.ENODEV: "port.missing",
        errno.EACCES: "port.denied",
        errno.EPERM: "port.denied",
        errno.EBUSY: "port.busy",
    }
    reason = reasons.get(error.errno or 0)
    if reason:
        return LineDown(reason, {"port": port})
    return LineDown("port.failed", {"port": port, "error": error.strerror or str(error)})
