"""Self-test of a smart-card reader: a card laid down and taken away."""

from __future__ import annotations

from hal.api import CardError, SmartCardPresent, SmartCardRemoved
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Finds one card; of its number only the length is shown, because it belongs to somebody."""
    bench.say("do.lay_smart")
    event = bench.wait(SmartCardPresent, CardError)
    if event is None:
        return [bench.silent("step.find_smart")]
    if isinstance(event, CardError):
        return [Step("step.find_smart", False, event.reason)]
    told = {"interface": event.interface, "bytes": str(len(event.uid) // 2), "reader": event.reader}
    bench.say("do.take_card")
    gone = bench.wait(SmartCardRemoved)
    away = Step("step.take_card", True, "seen.removed", {"evidence": gone.evidence}) if gone else bench.silent("step.take_card")
    return [Step("step.find_smart", True, "seen.smart", told), away]
