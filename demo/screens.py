"""Gives each device a screen of its own: a private Xvfb, or with a display a Xephyr, whose window stands on the user's desktop.

Either way simulated visitors touch through that screen's XTEST, and never move the user's own pointer.
"""

from __future__ import annotations

import os
import select
from dataclasses import dataclass

from Xlib import display, error

from demo.processes import Processes

START_S = 10.0
ROOM = 96
"""Pixels of a desktop's height that panels and window frames take."""


@dataclass(frozen=True)
class Screen:
    """One panel: its X display and size in pixels."""

    display: str
    width: int
    height: int


def desktop() -> tuple[int, int] | None:
    """Size of the user's X display in pixels, or None when there is none that windows can appear on."""
    name = os.environ.get("DISPLAY", "")
    if not name:
        return None
    try:
        user = display.Display(name)
    except (error.DisplayError, error.XauthError, OSError):
        return None
    size = user.screen().width_in_pixels, user.screen().height_in_pixels
    user.close()
    return size


def fitting(size: tuple[int, int], room: tuple[int, int] | None) -> tuple[int, int]:
    """A panel's pixels, made fewer so that its window fits the desktop; the panel's millimetres, and so its looks, stay."""
    if room is None:
        return size
    scale = min(1.0, (room[1] - ROOM) / size[1], room[0] / 2 / size[0])
    return max(320, round(size[0] * scale)), max(320, round(size[1] * scale))


def start(processes: Processes, name: str, size: tuple[int, int], *, is_window: bool) -> Screen:
    """Start a screen on a display number that it finds free. Raises RuntimeError when it does not start."""
    width, height = size
    if is_window:
        program, options = "Xephyr", ["-screen", f"{width}x{height}", "-title", f"Nightwindow {name}"]
    else:
        program, options = "Xvfb", ["-screen", "0", f"{width}x{height}x24"]
    options += ["-nolisten", "tcp", "-noreset"]
    read, write = os.pipe()
    os.set_inheritable(write, True)
    try:
        part = processes.start(f"screen-{name}", [program, "-displayfd", str(write), *options], keep=(write,))
        os.close(write)
        number = _line(read)
    finally:
        os.close(read)
    if not number:
        raise RuntimeError(f"{program} for {name} did not start: {part.last_words()}")
    part.command = [program, f":{number}", *options]  # Started again, it must come back where its clients look for it.
    return Screen(f":{number}", width, height)


def _line(source: int) -> str:
    """The first line, or nothing. The server writes number and line end apart, and dies when the pipe closes between them."""
    text = b""
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([source], [], [], START_S)
        part = os.read(source, 16) if ready else b""
        if not part:
            return ""
        text += part
    return text.decode().strip()
