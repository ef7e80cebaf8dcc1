"""Self-test of a smart-card reader: a card laid down and taken away."""

from __future__ import annotations

from hal.api import CardError, SmartCardPresent, SmartCardRemoved
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Finds one card; of its number only the length is shown, because it belongs to somebody."""
    bench.say("Lay a social-security card or another chip card on the reader, or put it in.")
    event = bench.wait(SmartCardPresent, CardError)
    if not isinstance(event, SmartCardPresent):
        return [Step("find a card", False, event.reason if event else bench.nothing)]
    number = f"a number of {len(event.uid) // 2} bytes" if event.uid else "no number"
    found = Step("find a card", True, f"{event.interface} card with {number} on {event.reader}")
    bench.say("Take the card away.")
    gone = bench.wait(SmartCardRemoved)
    return [found, Step("take it away", gone is not None, gone.evidence if gone else bench.nothing)]
