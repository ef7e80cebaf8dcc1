"""How long does the machine take for a frame with nothing in it? Run as a program on a display: prints milliseconds, a JSON list.

What no face can be faster than: a window of the panel's size is cleared and handed to the screen, again and again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FRAMES = 60
PAUSE_S = 0.02
"""Between two frames, as there is between a face's."""
WARM = 5


def bare_frames(display: str, size: tuple[int, int]) -> list[float]:
    """Milliseconds of each frame on this display, slowest last."""
    done = subprocess.run(
        [sys.executable, __file__, *map(str, size)], env=os.environ | {"DISPLAY": display, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return sorted(json.loads(done.stdout.splitlines()[-1]))


def _draw(width: int, height: int, data: Path) -> list[float]:
    from ui import window
    from ui.tokens import Panel

    window.configure(Panel(width, height, width / 4, height / 4), data_dir=data, title="bare frame")
    from kivy.base import EventLoop

    EventLoop.ensure_window()
    opened: Any = EventLoop.window
    taken = []
    for _ in range(WARM + FRAMES):
        EventLoop.idle()
        time.sleep(PAUSE_S)
        begun = time.monotonic()
        opened.dispatch("on_draw")
        opened.dispatch("on_flip")
        taken.append((time.monotonic() - begun) * 1000)
    return taken[WARM:]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(_draw(int(sys.argv[1]), int(sys.argv[2]), Path(name))))
