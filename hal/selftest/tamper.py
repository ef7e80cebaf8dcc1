"""Self-test of the tamper contact: made to tell, and left in peace."""

from __future__ import annotations

from hal.api import Tampered, TamperEnded
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Waits until it tells of tampering, and until that is over."""
    shaken = getattr(section.settings, "sensor", "") == "vibration"
    bench.say("Knock on the cabinet several times." if shaken else "Open the loop.")
    event = bench.wait(Tampered)
    found = [Step("tamper with it", event is not None, "told" if event else bench.nothing)]
    if event is not None:
        bench.say("Leave the cabinet alone." if shaken else "Close the loop.")
        event = bench.wait(TamperEnded)
        found.append(Step("leave it alone", event is not None, "told" if event else bench.nothing))
    return found
