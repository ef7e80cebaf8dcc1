"""One device as the people in the hall meet it: a screen to touch, buttons, a card reader, paper, a door, cables."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from demo.hands import Hands
from demo.network import Cable, Mode
from demo.processes import Processes
from demo.screens import Screen
from hal.sim.control import ControlError, send

LEVEL_BUTTONS = {5: "level_5", 4: "level_4", 3: "level_3", 2: "level_2", 1: "level_1"}


class NotFound(RuntimeError):
    """A person looked for something on the screen, and it was not there in time; the message says what was."""


class Closing(Exception):
    """The hall closes, and nothing had begun yet."""


@dataclass
class Device:
    """A device with the processes and simulators that belong to it. `folder` holds its configuration, data and sockets."""

    name: str
    role: Literal["terminal", "evaluator"]
    folder: Path
    screen: Screen
    processes: Processes
    cables: list[Cable] = field(default_factory=list)
    window: str = ""
    label: str = ""
    on_cables: bool = False
    """Whether its buttons are a box on a serial cable, and its clerk has a PC on another."""
    _hands: Hands | None = None

    @property
    def hands(self) -> Hands:
        """Fingers for this device's screen."""
        if self._hands is None:
            self._hands = Hands(self.screen.display)
        return self._hands

    @property
    def face(self) -> str:
        """Name of the face's process."""
        return f"{self.name}-face"

    @property
    def agent(self) -> str:
        """Name of the agent's process."""
        return f"{self.name}-agent"

    @property
    def parts(self) -> list[str]:
        """What loses power together: face and agent (the simulated peripherals keep theirs)."""
        return [self.face, self.agent]

    def outline(self) -> dict[str, Any]:
        """What can be touched now; {} while the face is not there or busy."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
                link.settimeout(3.0)
                link.connect(str(self.folder / "outline.sock"))
                link.sendall(b"?\n")
                line = b""
                while not line.endswith(b"\n"):
                    part = link.recv(65_536)
                    if not part:
                        return {}
                    line += part
                found: dict[str, Any] = json.loads(line)
                return found
        except (OSError, ValueError):
            return {}

    def wait(
        self, ready: Callable[[dict[str, Any]], bool], *, within_s: float, what: str, unless: threading.Event | None = None
    ) -> dict[str, Any]:
        """Look at the screen until it is `ready`. Raises NotFound after `within_s` seconds, Closing once `unless` is set."""
        deadline = time.monotonic() + within_s
        seen: dict[str, Any] = {}
        while time.monotonic() < deadline:
            seen = self.outline()
            if seen and ready(seen):
                return seen
            if unless is not None and unless.is_set():
                raise Closing
            time.sleep(0.05)
        targets = [target["name"] for target in seen.get("targets", [])]
        raise NotFound(
            f"{self.name}: no {what} within {within_s:.0f} s; the screen was {seen.get('screen', 'dark')!r} with {targets}"
        )

    def wait_screen(self, *names: str, within_s: float = 10.0, unless: threading.Event | None = None) -> dict[str, Any]:
        """Look until one of these screens shows."""
        what = "screen " + " or ".join(names)
        return self.wait(lambda seen: seen["screen"] in names, within_s=within_s, what=what, unless=unless)

    def touch(self, name: str, *, within_s: float = 5.0) -> None:
        """Touch the target with this name; a name that ends in `*` means the first that begins so.

        Like an eye, it looks twice: what still moves is not touched yet.
        """
        prefix = name.removesuffix("*")
        places: list[dict[str, Any]] = []

        def rests(seen: dict[str, Any]) -> bool:
            found = [t for t in seen["targets"] if t["name"] == name or (name != prefix and t["name"].startswith(prefix))]
            places.append(found[0] if found else {})
            return bool(found) and len(places) > 1 and places[-1] == places[-2] and min(found[0]["w"], found[0]["h"]) > 10

        self.wait(rests, within_s=within_s, what=f"target {name}")
        self.hands.touch(places[-1]["x"], places[-1]["y"])

    def touch_at(self, x: float, y: float) -> None:
        """Touch a point given as shares of the screen (0–1), as the hardware bench does."""
        self.hands.touch(round(x * self.screen.width), round(y * self.screen.height))

    def press(self, button: str, *, ms: int = 120, bounce_ms: int = 6) -> None:
        """Press a real pin, with the bounce of a cheap switch, or a button of the box, which debounces by itself.

        Raises ControlError when the face holds no pins now; a box takes presses at any time.
        """
        if self.on_cables:
            send(str(self.folder / "box.ctl"), {"do": "press", "button": button})
            return
        send(str(self.folder / "pins.sock"), {"press": button, "ms": ms, "bounce_ms": bounce_ms})

    def lamps(self) -> dict[str, int]:
        """Which lamps are lit; empty while the face holds no pins."""
        try:
            if self.on_cables:
                state = send(str(self.folder / "box.ctl"), {"do": "state"})["lamps"]
                return {name: int(state["levels"] != "off") for name in LEVEL_BUTTONS.values()}
            lamps: dict[str, int] = send(str(self.folder / "pins.sock"), {"get": "lamps"})["lamps"]
            return lamps
        except ControlError:
            return {}

    def lights(self) -> dict[str, int]:
        """Which guiding lights shine, by the name of their place; empty while the face holds no pins."""
        try:
            pins: dict[str, int] = send(str(self.folder / "pins.sock"), {"get": "pins"})["pins"]
        except ControlError:
            return {}
        return {name.removeprefix("light_"): value for name, value in pins.items() if name.startswith("light_")}

    def pin(self, name: str, value: int) -> None:
        """Put a level on an input pin, as a contact does. Raises ControlError while the face holds no pins."""
        send(str(self.folder / "pins.sock"), {"set": name, "value": value})

    def type_key(self, key: str) -> None:
        """Press a key of the 12-key pad. Raises ControlError while the face holds no pins."""
        send(str(self.folder / "pins.sock"), {"key": key, "ms": 90, "bounce_ms": 5})

    def sim(self, kind: str, command: dict[str, Any]) -> dict[str, Any]:
        """Command the simulator of one peripheral."""
        return send(str(self.folder / f"{kind}.ctl"), command)

    def printer(self, command: dict[str, Any]) -> dict[str, Any]:
        """Command the printer's simulator."""
        return self.sim("printer", command)

    def reader(self, command: dict[str, Any]) -> dict[str, Any]:
        """Command the card reader's simulator."""
        return self.sim("idcard", command)

    def network(self, mode: Mode) -> None:
        """Pull, silence or mend this device's network cable."""
        for cable in self.cables:
            cable.set(mode)

    def power(self, *, on: bool) -> None:
        """Cut or give back the power of the computer in this device: no warning, nothing flushed by its processes."""
        for part in self.parts:
            (self.processes.power_on if on else self.processes.power_off)(part)

    @property
    def has_power(self) -> bool:
        """Whether its power is on."""
        return not any(self.processes.parts[part].expected_down for part in self.parts if part in self.processes.parts)
