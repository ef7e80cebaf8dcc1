"""Self-test of an identity-card reader: a card laid down and taken away."""

from __future__ import annotations

from hal.api import CardError, CardPresent, CardRemoved
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Reads one card; what is shown of it is masked."""
    bench.say("Lay an identity card on the reader.")
    event = bench.wait(CardPresent, CardError)
    if not isinstance(event, CardPresent):
        return [Step("read a card", False, event.reason if event else bench.nothing)]
    card = event.card
    read = Step("read a card", True, f"{card.kind} {card.name} {card.number} valid to {card.valid_to}")
    bench.say("Take the card away.")
    gone = bench.wait(CardRemoved)
    return [read, Step("take it away", gone is not None, gone.evidence if gone else bench.nothing)]
