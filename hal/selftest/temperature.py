"""Self-test of the temperature sensor: its reading, for the technician to compare with the air."""

from __future__ import annotations

import time

from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Tells the reading."""
    sensor = bench.peripheral(section)
    end_s = time.monotonic() + bench.wait_s
    while (celsius := sensor.celsius()) is None and time.monotonic() < end_s:
        time.sleep(0.05)
    if celsius is None:
        return [bench.silent("step.celsius")]
    return [Step("step.celsius", True, "seen.celsius", {"celsius": f"{celsius:.1f}"})]
