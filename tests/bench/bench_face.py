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
from kiosk import FLAGS, Memory, kiosk, memory_of
from lone import FIRST_SCREEN, SIZES, Lone, Role, lone

ROLES: tuple[Role, ...] = ("terminal", "evaluator")
STARTS = 5
COLD_STARTS = 2
FIRST_SCREEN_LIMIT_S = 2.0
IDLE_SETTLE_S = 10.0
IDLE_S = 20.0
IDLE_LIMIT = 3.0
PSS_LIMIT = 0.5
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
    device.stop()
    conditions[f"{role}: processes"] = {"face": face.processes, "chromium": peer.processes}
    return _memory_figures(role, face, peer)


def _memory_figures(role: Role, face: Memory, peer: Memory) -> list[dict[str, Any]]:
    return [
        _figure(f"{role}: PSS of the face", face.pss_mb, "MB", None),
        _figure(f"{role}: PSS of the same page in Chromium", peer.pss_mb, "MB", None),
        _figure(f"{role}: face's PSS as a share of Chromium's", face.pss_mb / peer.pss_mb, "×", PSS_LIMIT, at_most=True),
    ]


def _figure(name: str, value: float, unit: str, limit: float | None, *, at_most: bool = False) -> dict[str, Any]:
    if limit is None:
        return {"name": name, "value": round(value, 3), "unit": unit, "limit": None, "ok": None}
    ok = value <= limit if at_most else value < limit
    return {"name": name, "value": round(value, 3), "unit": unit, "limit": f"{'≤' if at_most else '<'} {limit:g}", "ok": ok}
