"""How much longer a card takes than its reader: from the reader's answer "found" to the event, without the reader's own time."""

from __future__ import annotations

import queue
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hal.api import CardPresent, CardRemoved
from hal.config import from_table
from hal.factory import open_hal
from hal.sim.control import send

READ_S = 0.2


def overheads_ms(reads: int = 100) -> list[float]:
    """The overhead of each of `reads` reads on a good line, in milliseconds.

    Counted from the moment at which the simulator answers that it found a card, less the time that it takes to read one
    (`READ_S`), to the moment at which the driver's event arrives; both on the clock that all processes share.
    """
    told: queue.Queue[tuple[float, Any]] = queue.Queue()
    with tempfile.TemporaryDirectory(prefix="nw-card-") as folder:
        port, control = f"{folder}/port", f"{folder}/control"
        command = [sys.executable, "-m", "hal.sim.idcard", "--link", port, "--control", control, "--read-s", str(READ_S)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as simulator:
            assert simulator.stdout is not None
            simulator.stdout.readline()
            hal = open_hal(
                from_table({"id_card": {"driver": "samv", "port": port, "poll_ms": 20}}),
                on_event=lambda name, event: told.put((time.monotonic(), event)),
                on_health=lambda name, health: None,
            )
            hal.start()
            try:
                return [_one(control, told) for _ in range(reads)]
            finally:
                hal.close()
                simulator.terminate()


def _one(control: str, told: queue.Queue[tuple[float, Any]]) -> float:
    send(control, {"do": "insert"})
    at_s = _next(told, CardPresent)
    found_at_s = send(control, {"do": "state"})["found_at_s"]
    send(control, {"do": "remove"})
    _next(told, CardRemoved)
    return (at_s - found_at_s - READ_S) * 1000


def _next(told: queue.Queue[tuple[float, Any]], kind: type[Any]) -> float:
    while True:
        at_s, event = told.get(timeout=10)
        if isinstance(event, kind):
            return at_s
