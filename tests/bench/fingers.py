"""The ways people answer a rating, each as `bench_press` needs it: bring the question up, press, let go."""

from __future__ import annotations

import json
import socket
import time
from typing import Protocol

from eye import Place
from lone import FIRST_SCREEN, Lone

from demo.hands import Hands

PRESS_MS, BOUNCE_MS = 30, 6
LEVELS = (5, 4, 3, 2, 1)
EVALUATOR_WORDS = Place(40, 30, 560, 80)
"""Where the evaluator asks and, after the commit, says thanks; the same words whatever the level. Nothing there counts down."""


TERMINAL_SETTLES_S = 0.35
"""For 0.3 s after a screen has appeared a terminal takes no touch, so that a double tap presses nothing unseen."""


class Way(Protocol):
    """One way to answer. `settles_s` is how long nobody is heard after a screen has appeared."""

    settles_s: float

    def begin(self) -> None:
        """Bring the device to its question for the first time."""
        ...

    def look_around(self, level: int | None) -> None:
        """Remember where to touch: the question (None) or the thanks for a level are at rest on the screen."""
        ...

    def words(self, picture: bytes, whole: Place) -> Place:
        """Where on a picture of the whole screen the question, or the thanks, stands; nothing there counts down.

        What is there has two colours at most when they are not drawn yet.
        """
        ...

    def ask(self) -> None:
        """Bring the question up; returns before it is drawn."""
        ...

    def press(self, level: int) -> float:
        """Begin a press; gives the monotonic second just before it was sent. Collect its end with `released`."""
        ...

    def released(self) -> None:
        """Let go, or wait until it is."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class Buttons:
    """Presses an evaluator's pins over one connection that stays open, so that connecting is not measured."""

    settles_s = 0.0

    def __init__(self, device: Lone) -> None:
        self._device = device
        pins = device.folder / "pins.sock"
        device.wait("pins", pins.exists)  # Hardware comes up beside the first screen, not before it.
        self._link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._link.settimeout(5.0)
        self._link.connect(str(pins))
        self._answers = self._link.makefile("rb")

    def begin(self) -> None:
        """See Way."""
        self.ask()
        self._device.wait_screen("ask")

    def look_around(self, level: int | None) -> None:
        """See Way."""

    def words(self, picture: bytes, whole: Place) -> Place:
        """See Way."""
        return EVALUATOR_WORDS

    def ask(self) -> None:
        """See Way."""
        self._device.agent.invite()

    def press(self, level: int) -> float:
        """See Way."""
        line = json.dumps({"press": f"level_{level}", "ms": PRESS_MS, "bounce_ms": BOUNCE_MS}).encode() + b"\n"
        moment = time.monotonic()
        self._link.sendall(line)
        return moment

    def released(self) -> None:
        """See Way. Raises RuntimeError when the pins refused the press."""
        answer = json.loads(self._answers.readline())
        if not answer["ok"]:
            raise RuntimeError(f"the pins refused a press: {answer}")

    def close(self) -> None:
        """See Way."""
        self._answers.close()
        self._link.close()


class EvaluatorTouches:
    """Touches an evaluator's cards through the X server."""

    settles_s = 0.0

    def __init__(self, device: Lone) -> None:
        self._device, self._hands = device, Hands(device.screen.display)
        self._cards: dict[int, tuple[int, int]] = {}

    def begin(self) -> None:
        """See Way."""
        self.ask()
        self._device.wait_screen("ask")

    def look_around(self, level: int | None) -> None:
        """See Way."""
        if level is None:
            self._cards = {each: self._spot(f"level {each}") for each in LEVELS}

    def _spot(self, name: str) -> tuple[int, int]:
        (found,) = [target for target in self._device.device.outline()["targets"] if target["name"] == name]
        return found["x"], found["y"]

    def words(self, picture: bytes, whole: Place) -> Place:
        """See Way."""
        return EVALUATOR_WORDS

    def ask(self) -> None:
        """See Way."""
        self._device.agent.invite()

    def press(self, level: int) -> float:
        """See Way."""
        moment = time.monotonic()
        self._hands.press(*self._cards[level])
        return moment

    def released(self) -> None:
        """See Way."""
        self._hands.release()

    def close(self) -> None:
        """See Way."""
        self._hands.close()


class TerminalTouches(EvaluatorTouches):
    """Touches a terminal's cards. The question comes back by 改一下, so every press but the first is a correction."""

    settles_s = TERMINAL_SETTLES_S

    def __init__(self, device: Lone) -> None:
        super().__init__(device)
        self._pressed = LEVELS[0]
        self._correct: dict[int, tuple[int, int]] = {}

    def begin(self) -> None:
        """See Way. Prints a notice, since only a finished matter is asked about."""
        device = self._device.device
        device.wait_screen(FIRST_SCREEN["terminal"])
        device.wait(lambda seen: bool(seen.get("asleep")), within_s=20.0, what="content")
        device.touch_at(0.5, 0.5)
        device.wait_screen("home")
        for target in ("search", "key h", "key z", "item *", "print"):
            device.touch(target)
        device.touch("done", within_s=30.0)
        device.wait_screen("rate")

    def look_around(self, level: int | None) -> None:
        """See Way. 改一下 stands higher or lower with the number of reasons below it."""
        super().look_around(level)
        if level is not None:
            self._correct[level] = self._spot("correct")

    def words(self, picture: bytes, whole: Place) -> Place:
        """See Way. They stand higher or lower too."""
        return first_line(picture, whole)

    def ask(self) -> None:
        """See Way."""
        time.sleep(self.settles_s)
        self._hands.press(*self._correct[self._pressed])
        self._hands.release()

    def press(self, level: int) -> float:
        """See Way."""
        self._pressed = level
        return super().press(level)


def first_line(picture: bytes, whole: Place) -> Place:
    """The rows of the first line of words below the header; one row of ground when there is none yet."""
    stride, top = whole.width * 4, whole.height // 10
    background = picture[top * stride : top * stride + 4] * whole.width
    drawn = [y for y in range(top, whole.height) if picture[y * stride : (y + 1) * stride] != background]
    if not drawn:
        return Place(0, top, whole.width, 1)
    last = next(y for y in range(drawn[0], whole.height + 1) if y not in set(drawn))
    return Place(0, drawn[0], whole.width, last - drawn[0])


def cut_out(picture: bytes, place: Place, whole: Place) -> bytes:
    """The pixels of a place, out of a picture of the whole screen."""
    rows = range(place.y, place.y + place.height)
    return b"".join(picture[(y * whole.width + place.x) * 4 : (y * whole.width + place.x + place.width) * 4] for y in rows)
