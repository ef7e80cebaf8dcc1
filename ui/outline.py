"""What can be touched now, and where, told over a Unix socket: how simulated citizens and tests find what a person would see.

Off unless a socket path is given. It tells names and places of targets, never a word of what the screen says.
"""

import contextlib
import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

from ui.bridge import Bridge
from ui.picture import visible
from ui.stage import Stage
from ui.widgets.card import Touchable

ANSWER_S = 2.0
"""How long a question waits for the Kivy thread."""


def outline(stage: Stage) -> dict[str, Any]:
    """The screen's name and its targets: `name`, centre `x`, `y`, `w`, `h` in pixels from the top left. Kivy thread only."""
    targets = []
    for widget in () if stage.settling else visible(stage):
        if isinstance(widget, Touchable) and widget.name and not widget.disabled and widget.get_root_window() is not None:
            x, y = widget.to_window(widget.center_x, widget.center_y)
            if 0 <= x <= stage.width and 0 <= y <= stage.height:
                targets.append(
                    {
                        "name": widget.name,
                        "x": round(x),
                        "y": round(stage.height - y),
                        "w": round(widget.width),
                        "h": round(widget.height),
                    }
                )
    return {"screen": stage.screen_name, "asleep": bool(stage.asleep), "targets": targets}


class OutlineServer:
    """Answers every line on the Unix socket `path` with one line of JSON: the outline, or {} while the Kivy thread is busy."""

    def __init__(self, path: Path, stage: Stage, bridge: Bridge) -> None:
        self._stage, self._bridge, self._path = stage, bridge, path
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        os.chmod(path, 0o600)
        self._listener.listen(8)
        threading.Thread(target=self._accept, name="outline", daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="outline-reader", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while connection.recv(64):
                connection.sendall(json.dumps(self._ask()).encode() + b"\n")

    def _ask(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        answered = threading.Event()

        def look() -> None:
            found.update(outline(self._stage))
            answered.set()

        self._bridge.post(look)
        answered.wait(ANSWER_S)
        return found
