"""Gives each device a screen: a private Xvfb without a display, a window on the user's own with one."""

from __future__ import annotations

import os
import select
import subprocess
from dataclasses import dataclass

from demo.processes import Processes

START_S = 10.0


@dataclass(frozen=True)
class Screen:
    """One panel: its X display and size. `is_virtual` means nobody but the demo sees it."""

    display: str
    width: int
    height: int
    is_virtual: bool


def virtual(processes: Processes, name: str, width: int, height: int) -> Screen:
    """Start an Xvfb of this size on a display number that it finds free. Raises RuntimeError when it does not start."""
    read, write = os.pipe()
    os.set_inheritable(write, True)
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset"]
    try:
        part = processes.start(f"screen-{name}", command, keep=(write,))
        os.close(write)
        number = _line(read)
    finally:
        os.close(read)
    if not number:
        raise RuntimeError(f"Xvfb for {name} did not start: {part.last_words()}")
    part.command = ["Xvfb", f":{number}", *command[3:]]  # Started again, it must come back where its clients look for it.
    return Screen(f":{number}", width, height, True)


def _line(source: int) -> str:
    """The first line, or nothing. Xvfb writes number and line end apart, and dies when the pipe closes between them."""
    text = b""
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([source], [], [], START_S)
        part = os.read(source, 16) if ready else b""
        if not part:
            return ""
        text += part
    return text.decode().strip()


def has_display() -> bool:
    """Whether the user has an X display that windows can appear on."""
    shown = os.environ.get("DISPLAY", "")
    if not shown:
        return False
    try:
        return subprocess.run(["xdpyinfo", "-display", shown], capture_output=True, timeout=5).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return True
