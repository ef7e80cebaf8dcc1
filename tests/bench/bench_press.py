"""How long from a press until it is committed and drawn? Run it to see: real presses on an evaluator's pins, seen from outside.

A press is sent to the pin socket, bounces like a cheap switch, is committed as `rating.pressed` in `evidence.db`, and the screen
thanks. All moments are taken by this process on one monotonic clock; `run()` gives the figures for `./run bench press`.
"""

from __future__ import annotations

import json
import os
import random
import socket
import statistics
import time
from typing import Any

from eye import Eye, Place
from lone import FIRST_SCREEN, Lone, lone

from runtime.journalfile import JournalReader

PRESSES = 200
RESTED_PRESSES = 3
REST_S = 4.6
"""Longer than a face keeps looking for input at the full rate after something happened."""
PAUSE_S = (0.04, 0.12)
"""Nobody presses sooner after the question appears; a random time between, so that presses do not follow the frames."""
PRESS_MS, BOUNCE_MS = 30, 6
LIMIT_MS = 50.0
LEVELS = (5, 4, 3, 2, 1)
THANKS = Place(40, 30, 560, 80)
"""Where the screen asks and, after the commit, says thanks; the same words whatever the level. Nothing there counts down."""


class Finger:
    """Presses pins over one connection that stays open, so that connecting is not measured."""

    def __init__(self, path: str) -> None:
        self._link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._link.settimeout(5.0)
        self._link.connect(path)
        self._answers = self._link.makefile("rb")

    def press(self, level: int) -> float:
        """Begin a press; returns the monotonic second just before it was sent. Collect its end with `released`."""
        line = json.dumps({"press": f"level_{level}", "ms": PRESS_MS, "bounce_ms": BOUNCE_MS}).encode() + b"\n"
        moment = time.monotonic()
        self._link.sendall(line)
        return moment

    def released(self) -> None:
        """Wait until the button is up again. Raises RuntimeError when the pins refused the press."""
        answer = json.loads(self._answers.readline())
        if not answer["ok"]:
            raise RuntimeError(f"the pins refused a press: {answer}")

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._link.close()


class Presses:
    """One evaluator's presses, one after the other. `early` counts thanks that were drawn before their commit was there."""

    def __init__(self, device: Lone, eye: Eye, journal: JournalReader) -> None:
        self.device, self.eye, self.journal = device, eye, journal
        pins = device.folder / "pins.sock"
        device.wait("pins", pins.exists)  # Hardware comes up beside the first screen, not before it.
        self.finger = Finger(str(pins))
        self.early = 0
        self._asks = self._thanks = b""

    def calibrate(self) -> None:
        """Learn how the question and the thanks look once they have come to rest."""
        self.device.agent.invite()
        self.device.wait_screen("ask")
        self._asks = self.eye.until_still(THANKS, for_s=1.0, within_s=10.0)
        self.finger.press(LEVELS[0])
        self.finger.released()
        self.device.wait_screen("reasons")
        self._thanks = self.eye.until_still(THANKS, for_s=1.0, within_s=10.0)
        if self._asks == self._thanks:
            raise RuntimeError("the question and the thanks look the same there; choose another place to watch")

    def one(self, level: int, *, rest_s: float) -> float:
        """Ask, press, wait for commit and thanks; milliseconds from the press to the later of both."""
        self.device.agent.invite()
        self.eye.until(lambda shown: shown == self._asks, THANKS, what="the question", within_s=5.0)
        time.sleep(rest_s)
        before = self.journal.last_seq()
        pressed = self.finger.press(level)
        done = self.eye.until(lambda shown: shown == self._thanks, THANKS, what="the thanks", within_s=5.0)
        if not self._committed(before):
            self.early += 1
            done = self.device.wait("commit of a press", lambda: self._committed(before))
        self.finger.released()
        return (done - pressed) * 1000

    def _committed(self, before: int) -> bool:
        return any(row.header.kind == "rating.pressed" for row in self.journal.rows(before))


def run() -> dict[str, Any]:
    """All figures. Takes about a minute."""
    load = os.getloadavg()[0]
    with lone("evaluator") as device:
        device.start()
        device.wait_screen(FIRST_SCREEN["evaluator"])
        eye = Eye(device.screen.display)
        with JournalReader(device.evidence) as journal:
            presses = Presses(device, eye, journal)
            presses.calibrate()
            pause = random.Random(1)
            quick = [presses.one(LEVELS[number % 5], rest_s=pause.uniform(*PAUSE_S)) for number in range(PRESSES)]
            rested = [presses.one(LEVELS[number % 5], rest_s=REST_S) for number in range(RESTED_PRESSES)]
            resolution_ms = eye.resolution_s(THANKS) * 1000
            presses.finger.close()
        eye.close()
    return {
        "name": "press",
        "conditions": {
            "presses": f"{PRESSES}, each {PRESS_MS} ms long with {BOUNCE_MS} ms of bounce at both ends, levels in turn, "
            f"{PAUSE_S[0] * 1000:.0f}–{PAUSE_S[1] * 1000:.0f} ms after the question appeared",
            "load": f"load average {load:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores",
            "rested": f"{RESTED_PRESSES} more, {REST_S:g} s after the question appeared, when the face looks for input seldom",
            "from": "before the press is sent to the pin socket",
            "to": "after rating.pressed is read from evidence.db and the thanks are read from the X screen as they stay",
            "resolution_ms": round(resolution_ms, 2),
            "resolution": "the longest of 50 looks at the place that is watched; changes are reported by the X server (DAMAGE)",
            "screen": "1280x800 in Xvfb, software rendering; the time the glass itself takes is not in it",
        },
        "figures": _figures(sorted(quick), rested, presses.early),
    }


def _figures(quick: list[float], rested: list[float], early: int) -> list[dict[str, Any]]:
    p99 = quick[min(len(quick) - 1, int(len(quick) * 0.99))]
    return [
        _figure("press to committed and drawn, p50", statistics.median(quick), "ms"),
        _figure("press to committed and drawn, p99", p99, "ms", p99 < LIMIT_MS, f"< {LIMIT_MS:g}"),
        _figure("press to committed and drawn, slowest", quick[-1], "ms"),
        _figure("press after a rest, slowest", max(rested), "ms", max(rested) < LIMIT_MS, f"< {LIMIT_MS:g}"),
        _figure("thanks drawn before the commit", early, "presses", early == 0, "= 0"),
    ]


def _figure(name: str, value: float, unit: str, ok: bool | None = None, limit: str | None = None) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "limit": limit, "ok": ok}
