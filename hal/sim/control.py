"""How to command a simulator: one JSON object a line over its Unix socket, one JSON object back."""

from __future__ import annotations

import json
import socket
from typing import Any

MAX_LINE = 16 * 1024 * 1024


class ControlError(RuntimeError):
    """The simulator is not there, does not answer in time, or refuses the command; the message says which and why."""


def send(path: str, command: dict[str, Any], *, timeout_s: float = 5.0) -> dict[str, Any]:
    """Send one command to the control socket at `path` and return its answer (`ok` is true in it).

    Raises:
        ControlError: no socket there, no answer within `timeout_s`, or the simulator refused the command.
    """
    line = bytearray()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(timeout_s)
            link.connect(path)
            link.sendall(json.dumps(command, ensure_ascii=False).encode() + b"\n")
            while not line.endswith(b"\n"):
                part = link.recv(65536)
                if not part or len(line) > MAX_LINE:
                    break
                line += part
    except OSError as error:
        raise ControlError(f"{path}: {error}; is the simulator running?") from error
    if not line.endswith(b"\n"):
        raise ControlError(f"{path}: the answer to {command} ended in its middle; look at the simulator's output")
    answer: dict[str, Any] = json.loads(line)
    if not answer.get("ok"):
        raise ControlError(f"{path}: {answer.get('error', 'refused without a reason')}")
    return answer
