"""Self-test of the presence sensor: somebody steps before the device, and away."""

from __future__ import annotations

from hal.api import PresenceChanged
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Waits for both; stepping away takes at least `hold_s`."""
    found = []
    if bench.peripheral(section).is_present():
        found.append(Step("step before the device", True, "somebody is there"))
    else:
        bench.say("Step before the device.")
        event = bench.wait(PresenceChanged)
        found.append(Step("step before the device", event is not None and event.present, "seen" if event else bench.nothing))
        if event is None:
            return found
    hold_s = getattr(section.settings, "hold_s", 0)
    bench.say(f"Step away, out of its sight, for {hold_s:.0f} s.")
    bench.wait_s = max(bench.wait_s, hold_s + 10)
    event = bench.wait(PresenceChanged)
    found.append(Step("step away", event is not None and not event.present, "seen" if event else bench.nothing))
    return found
