"""Self-test of the presence sensor: somebody steps before the device, and away."""

from __future__ import annotations

from hal.api import PresenceChanged
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Waits for both; stepping away takes at least `hold_s`."""
    if bench.peripheral(section).is_present():
        found = [Step("step.step_before", True, "seen.somebody")]
    else:
        bench.say("do.step_before")
        event = bench.wait(PresenceChanged)
        if event is None:
            return [bench.silent("step.step_before")]
        found = [Step("step.step_before", event.present)]
    hold_s = getattr(section.settings, "hold_s", 0)
    bench.say("do.step_away", hold_s=f"{hold_s:.0f}")
    bench.wait_s = max(bench.wait_s, hold_s + 10)
    event = bench.wait(PresenceChanged)
    return [*found, Step("step.step_away", not event.present) if event else bench.silent("step.step_away")]
