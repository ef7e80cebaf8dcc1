"""Self-test of the tamper contact: made to tell, and left in peace."""

from __future__ import annotations

from hal.api import Tampered, TamperEnded
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Waits until it tells of tampering, and until that is over."""
    shaken = getattr(section.settings, "sensor", "") == "vibration"
    bench.say("do.knock" if shaken else "do.open_loop")
    if bench.wait(Tampered) is None:
        return [bench.silent("step.tamper")]
    bench.say("do.leave_alone" if shaken else "do.close_loop")
    ended = bench.wait(TamperEnded)
    return [Step("step.tamper", True), Step("step.leave_alone", True) if ended else bench.silent("step.leave_alone")]
