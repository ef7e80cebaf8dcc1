"""How long from a press until it is committed and drawn? Run it to see: real presses and touches on real faces, seen from outside.

A press is sent to the evaluator's pin socket and bounces like a cheap switch; a touch goes through the X server, on the evaluator
and on the terminal's rating screen. It is committed in `evidence.db`, and the screen thanks. All moments are taken by this process
on one monotonic clock; `run()` gives the figures for `./run bench press`.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from bareframe import bare_frames
from eye import Eye, Place, colours
from fingers import BOUNCE_MS, LEVELS, PRESS_MS, TERMINAL_SETTLES_S, Buttons, EvaluatorTouches, TerminalTouches, Way, cut_out
from lone import FIRST_SCREEN, SIZES, Lone, Role, lone

from runtime.journalfile import JournalReader

PRESSES = 200
RESTED_PRESSES = 3
REST_S = 4.6
"""Somebody thinks it over: longer than a face keeps looking for input at the full rate only because something happened."""
PAUSE_S = (0.04, 0.12)
"""Nobody presses sooner after the question appears; a random time between, so that presses do not follow the frames."""
LIMIT_MS = 50.0
EMPTY = 2
"""A place with no more colours than this shows no words, whose edges have many."""
PRESSED = ("rating.pressed", "rating.amended")
WAYS: tuple[tuple[str, Role, Callable[[Lone], Way]], ...] = (
    ("evaluator, button", "evaluator", Buttons),
    ("evaluator, touch", "evaluator", EvaluatorTouches),
    ("terminal, touch", "terminal", TerminalTouches),
)


class Presses:
    """One device's presses, one after the other. `early` counts thanks that were drawn before their commit was there."""

    def __init__(self, device: Lone, way: Way, eye: Eye, journal: JournalReader) -> None:
        self.device, self.way, self.eye, self.journal = device, way, eye, journal
        self.early = 0
        way.begin()
        self._asks = self._learn(None)
        self._thanks: dict[int, tuple[Place, bytes]] = {}
        for number, level in enumerate(LEVELS):
            if number:
                way.ask()
                self._see(self._asks, "the question")
                time.sleep(max(PAUSE_S) + way.settles_s)
            way.press(level)
            way.released()
            device.wait_screen("reasons")
            # A face says what it shows before it is drawn, on a busy machine long before.
            self.eye.until(lambda shown: shown != self._asks[1], self._asks[0], what="anything but the question", within_s=10.0)
            self._thanks[level] = self._learn(level)

    def _learn(self, level: int | None) -> tuple[Place, bytes]:
        # The seconds in which a level may be corrected are counted down elsewhere: still means still for less than one.
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline:
            picture = self.eye.until_still(self.eye.whole, for_s=0.4, within_s=10.0)
            place = self.way.words(picture, self.eye.whole)
            words = cut_out(picture, place, self.eye.whole)
            if colours(words) > EMPTY:
                self.way.look_around(level)
                return place, words
        raise RuntimeError("no words are drawn where they were expected; choose another place to watch")

    def _see(self, look: tuple[Place, bytes], what: str) -> float:
        place, wanted = look
        return self.eye.until(lambda shown: shown == wanted, place, what=what, within_s=5.0)

    def one(self, level: int, *, rest_s: float) -> float:
        """Ask, press, wait for commit and thanks; milliseconds from the press to the later of both."""
        self.way.ask()
        self._see(self._asks, "the question")
        time.sleep(rest_s + self.way.settles_s)
        before = self.journal.last_seq()
        pressed = self.way.press(level)
        done = self._see(self._thanks[level], "the thanks")
        if not self._committed(before):
            self.early += 1
            done = self.device.wait("commit of a press", lambda: self._committed(before))
        self.way.released()
        return (done - pressed) * 1000

    def resolution_ms(self) -> float:
        """The longest look at a place that is watched."""
        return 1000 * max(self.eye.resolution_s(place) for place, _ in (self._asks, *self._thanks.values()))

    def _committed(self, before: int) -> bool:
        return any(row.header.kind in PRESSED for row in self.journal.rows(before))


class Measured(NamedTuple):
    """What one way of pressing gave, in milliseconds."""

    quick: list[float]
    rested: list[float]
    early: int
    resolution_ms: float
    bare: list[float]
    load: float


def measure(role: Role, way_of: Callable[[Lone], Way]) -> Measured:
    """One face alone, pressed one way."""
    with lone(role) as device:
        bare = bare_frames(device.screen.display, SIZES[role])
        device.start()
        device.wait_screen(FIRST_SCREEN[role])
        eye = Eye(device.screen.display)
        way = way_of(device)
        with JournalReader(device.evidence) as journal:
            presses = Presses(device, way, eye, journal)
            pause = random.Random(1)
            # The level is never the one before: the same one again is no correction, and writes nothing.
            levels = [LEVELS[number % 5] for number in range(PRESSES + RESTED_PRESSES)]
            quick = [presses.one(level, rest_s=pause.uniform(*PAUSE_S)) for level in levels[:PRESSES]]
            rested = [presses.one(level, rest_s=REST_S) for level in levels[PRESSES:]]
        resolution_ms = presses.resolution_ms()
        way.close()
        eye.close()
    return Measured(sorted(quick), rested, presses.early, resolution_ms, bare, os.getloadavg()[0])


def run() -> dict[str, Any]:
    """All figures. Takes about six minutes, most of which the terminal waits until it takes touches."""
    measured = {name: measure(role, way) for name, role, way in WAYS}
    sizes = ", ".join(f"{role} {width}x{height}" for role, (width, height) in SIZES.items())
    return {
        "name": "press",
        "conditions": {
            "presses": f"{PRESSES} each way, levels in turn, {PAUSE_S[0] * 1000:.0f}–{PAUSE_S[1] * 1000:.0f} ms after the question "
            f"appeared; buttons {PRESS_MS} ms long with {BOUNCE_MS} ms of bounce at both ends, touches as long as it takes",
            "settling": f"the terminal takes no touch for 0.3 s after a screen appeared: {TERMINAL_SETTLES_S:g} s are added there",
            "questions": "the evaluator is asked anew each time; the terminal's presses but the first are corrections (改一下)",
            "load": {name: round(each.load, 1) for name, each in measured.items()} | {"cores": os.cpu_count()},
            "rested": f"{RESTED_PRESSES} more, {REST_S:g} s after the question appeared",
            "bare frame": "an empty window of the same size cleared and shown before the face was started: what a frame takes "
            "at least; where the slowest is far from p50, somebody else was using the machine",
            "from": "before the press is sent to the pin socket, or the touch to the X server",
            "to": f"after {' or '.join(PRESSED)} is read from evidence.db and the thanks are read from the X screen as they stay",
            "resolution_ms": {name: round(each.resolution_ms, 2) for name, each in measured.items()},
            "resolution": "the longest of 50 looks at the place that is watched; changes are reported by the X server (DAMAGE)",
            "screen": f"{sizes}, in Xvfb, software rendering; the time the glass itself takes is not in it",
        },
        "figures": [figure for name, each in measured.items() for figure in _figures(name, each)],
    }


def _figures(name: str, measured: Measured) -> list[dict[str, Any]]:
    quick, rested, early = measured.quick, measured.rested, measured.early
    p99 = quick[min(len(quick) - 1, int(len(quick) * 0.99))]
    return [
        _figure(f"{name}: to committed and drawn, p50", statistics.median(quick), "ms"),
        _figure(f"{name}: to committed and drawn, p99", p99, "ms", p99 < LIMIT_MS, f"< {LIMIT_MS:g}"),
        _figure(f"{name}: to committed and drawn, slowest", quick[-1], "ms"),
        _figure(f"{name}: after a rest, slowest", max(rested), "ms", max(rested) < LIMIT_MS, f"< {LIMIT_MS:g}"),
        _figure(f"{name}: thanks drawn before the commit", early, "presses", early == 0, "= 0"),
        _figure(f"{name}: a bare frame, p50", statistics.median(measured.bare), "ms"),
        _figure(f"{name}: a bare frame, slowest", measured.bare[-1], "ms"),
    ]


def _figure(name: str, value: float, unit: str, ok: bool | None = None, limit: str | None = None) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "limit": limit, "ok": ok}
