"""Self-test of a light strip: on, breathing, off. Only the technician sees whether it does."""

from __future__ import annotations

import time
from typing import get_args

from hal.api import Glow
from hal.config import Section
from hal.selftest.bench import Bench, Step

SHOWN_S = 3.0


def steps(bench: Bench, section: Section) -> list[Step]:
    """Shows each state for three seconds."""
    strip = bench.peripheral(section)
    found = []
    for glow in (*get_args(Glow)[1:], "off"):
        bench.say("do.glow", glow=glow)
        strip.show(glow)
        time.sleep(min(SHOWN_S, bench.wait_s))
        found.append(bench.judged("step.glow", "seen.look", glow=glow))
    return found
