"""How soon is a face usable, how much memory and time does it take? Run it to see: starts, PSS beside Chromium, idle.

`run()` gives the figures for `./run bench face`. Everything is measured from outside the faces, which run by their public
commands on private X screens (software rendering, so a device with a GPU does better).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from contextlib import ExitStack
from typing import Any

import psutil
from eye import Eye, Place
from kiosk import FLAGS, Memory, kiosk, memory_of, sharers
from lone import FIRST_SCREEN, SIZES, Lone, Role, lone

from demo.device import Device

ROLES: tuple[Role, ...] = ("terminal", "evaluator")
STARTS = 5
COLD_STARTS = 2
FIRST_SCREEN_LIMIT_S = 2.0
IDLE_SETTLE_S = 10.0
IDLE_S = 20.0
IDLE_LIMIT = 3.0
PSS_LIMIT = 0.5
REST_S = 6.0
"""A face lets go of what earlier screens took once nobody has touched it for 4 s (ui.window.ACTIVE_FOR_S)."""
LANDMARKS: dict[Role, Place] = {"terminal": Place(40, 170, 900, 270), "evaluator": Place(0, 60, 1280, 420)}
"""What makes the first screen usable: the terminal's title and the first thing one can do; the clerk and the window's state.

Neither holds the clock or a sign of hardware that is still starting, which may change afterwards.
"""


def run() -> dict[str, Any]:
    """All figures. Takes about two minutes."""
    figures: list[dict[str, Any]] = []
    conditions: dict[str, Any] = {
        "screens": {role: f"{width}x{height}" for role, (width, height) in SIZES.items()},
        "first screen": "from the start of the process until it looks as it stays, its main loop answers, and a touch works",
        "later starts": STARTS,
        "first starts ever": f"{COLD_STARTS}, without journal, fonts, texts and shaders, Debian's fonts read from the disk",
        "idle": f"{IDLE_S:g} s after {IDLE_SETTLE_S:g} s without a touch, both faces at once, their simulated peripherals polled",
        "memory": "PSS over the process tree; terminal home and evaluator question, each beside its page in Chromium",
        "tour": f"three languages in three profiles; measured {REST_S:g} s after the last touch, Chromium never touched",
        "chromium": subprocess.run(["/usr/bin/chromium", "--version"], capture_output=True, text=True).stdout.strip(),
        "chromium flags": " ".join(FLAGS),
    }
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        devices = [stack.enter_context(lone(role)) for role in ROLES]
        for device in devices:
            figures += _starts(device)
        figures += _idle(devices)
        for device in devices:
            device.stop()
        for device in devices:
            figures += _memory(device, conditions)
    conditions["load"] = f"load average {load:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores"
    return {"name": "face", "conditions": conditions, "figures": figures}


def _starts(device: Lone) -> list[dict[str, Any]]:
    role = device.role
    eye = Eye(device.screen.display)
    # The first start also makes the device's keys and journal; afterwards the landmark is known.
    device.start()
    device.wait_screen(FIRST_SCREEN[role])
    settled = eye.until_still(LANDMARKS[role], for_s=2.5, within_s=15.0)
    device.stop()
    warm = [_start(device, eye, settled) for _ in range(STARTS)]
    cold = []
    for _ in range(COLD_STARTS):
        device.forget()
        cold.append(_start(device, eye, settled))
    eye.close()
    return [
        _figure(f"{role}: later start, first usable screen, median", statistics.median(warm), "s", FIRST_SCREEN_LIMIT_S),
        _figure(f"{role}: later start, first usable screen, worst", max(warm), "s", FIRST_SCREEN_LIMIT_S),
        _figure(f"{role}: first start ever, first usable screen, worst", max(cold), "s", FIRST_SCREEN_LIMIT_S),
    ]


def _start(device: Lone, eye: Eye, settled: bytes) -> float:
    """Seconds from a start of the process to its first usable screen; the face is ended again."""
    place, name = LANDMARKS[device.role], FIRST_SCREEN[device.role]
    device.start()
    drawn = eye.until(lambda shown: shown == settled, place, what=f"the {device.role}'s first screen", within_s=30.0)
    answers = device.wait_screen(name)
    if device.role == "terminal":
        # Usable means that a touch at this very moment is not lost.
        _touch_home(device)
    device.stop()
    return max(drawn, answers) - device.began_s


def _touch_home(device: Lone) -> None:
    """The touch that wakes a terminal."""
    width, height = SIZES[device.role]
    device.device.hands.touch(width // 2, height // 2)
    device.wait_screen("home")


def _idle(devices: list[Lone]) -> list[dict[str, Any]]:
    for device in devices:
        device.start()
        device.wait_screen(FIRST_SCREEN[device.role])
    time.sleep(IDLE_SETTLE_S)
    processes = [psutil.Process(device.pid) for device in devices]
    begun, before = time.monotonic(), [_cpu_s(process) for process in processes]
    time.sleep(IDLE_S)
    after, took = [_cpu_s(process) for process in processes], time.monotonic() - begun
    return [
        _figure(f"{device.role}: a face that nobody touches", 100 * (end - start) / took, "% of a core", IDLE_LIMIT)
        for device, start, end in zip(devices, before, after, strict=True)
    ]


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _memory(device: Lone, conditions: dict[str, Any]) -> list[dict[str, Any]]:
    role = device.role
    device.start()
    device.wait_screen(FIRST_SCREEN[role])
    Eye(device.screen.display).until_still(LANDMARKS[role], for_s=1.0, within_s=20.0)
    if role == "terminal":
        _touch_home(device)
    else:
        device.agent.invite()
        device.wait_screen("ask")
    with kiosk(role) as chromium:
        # Both have come to rest: the page was still for two seconds, the face for longer.
        face, peer = memory_of(device.pid), memory_of(chromium)
        conditions[f"{role}: processes"] = {"face": face.processes, "chromium": peer.processes}
        conditions[f"{role}: others sharing pages"] = {
            "Chromium, which makes the peer's PSS smaller": sharers("/chromium/chromium", chromium),
            "Mesa's software renderer, such as the X servers, which make the face's smaller": sharers("swrast_dri", device.pid),
        }
        figures = [_figure(f"{role}: PSS of the same page in Chromium", peer.pss_mb, "MB", None)]
        figures += _memory_figures(f"{role}, fresh", face, peer)
        peak = _tour(device)
        figures.append(_figure(f"{role}: highest PSS during the tour", peak.pss_mb, "MB", None))
        time.sleep(REST_S)
        figures += _memory_figures(f"{role}, after the tour", memory_of(device.pid), memory_of(chromium))
    device.stop()
    return figures


def _tour(device: Lone) -> Memory:
    """Every language in every profile, and back to the screen and look it began with; gives the most memory it took.

    On the terminal with a search, an item and lists each time; on the evaluator the question and a changed mind.
    """
    peak = Memory(0, 0)
    for _profile in range(3):
        for language in ("ko", "en", "zh"):
            if device.role == "terminal":
                _tour_terminal(device.device, language)
            else:
                device.device.touch("language")
            now = memory_of(device.pid)
            peak = max(peak, now, key=lambda each: each.pss_mb)
        device.device.touch("profile")
    return peak


def _tour_terminal(hands: Device, language: str) -> None:
    hands.touch("language")
    hands.touch(f"language {language}")
    for walk in (["search", "key s", "key f", "item *", "home"], ["life", "home"], ["guide", "home"]):
        for target in walk:
            hands.touch(target)


def _memory_figures(what: str, face: Memory, peer: Memory) -> list[dict[str, Any]]:
    return [
        _figure(f"{what}: PSS of the face", face.pss_mb, "MB", None),
        _figure(f"{what}: its share of Chromium's", face.pss_mb / peer.pss_mb, "×", PSS_LIMIT, at_most=True),
    ]


def _figure(name: str, value: float, unit: str, limit: float | None, *, at_most: bool = False) -> dict[str, Any]:
    if limit is None:
        return {"name": name, "value": round(value, 3), "unit": unit, "limit": None, "ok": None}
    ok = value <= limit if at_most else value < limit
    return {"name": name, "value": round(value, 3), "unit": unit, "limit": f"{'≤' if at_most else '<'} {limit:g}", "ok": ok}
