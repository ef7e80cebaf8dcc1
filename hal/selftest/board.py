"""Self-test of the board: every gauge that it has."""

from __future__ import annotations

import time

from hal.api import Board
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Tells the readings; what is wrong was told when it was opened."""
    board: Board = bench.peripheral(section)
    end_s = time.monotonic() + bench.wait_s
    while not board.readings() and time.monotonic() < end_s:
        time.sleep(0.05)
    found = [
        Step("step.gauge", True, "seen.gauge", {"gauge": name, "value": f"{value:.0f}"})
        for name, value in sorted(board.readings().items())
    ]
    return found or [bench.silent("step.gauge", gauge="temperature_c")]
