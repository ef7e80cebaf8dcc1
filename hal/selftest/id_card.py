"""Self-test of an identity-card reader: a card laid down and taken away."""

from __future__ import annotations

from hal.api import CardError, CardPresent, CardRemoved
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Reads one card; what is shown of it is masked."""
    bench.say("do.lay_id")
    event = bench.wait(CardPresent, CardError)
    if event is None:
        return [bench.silent("step.read_id")]
    if isinstance(event, CardError):
        return [Step("step.read_id", False, event.reason)]
    card = event.card
    told = {"kind": card.kind, "name": card.name, "number": card.number, "valid_to": card.valid_to}
    bench.say("do.take_card")
    gone = bench.wait(CardRemoved)
    away = Step("step.take_card", True, "seen.removed", {"evidence": gone.evidence}) if gone else bench.silent("step.take_card")
    return [Step("step.read_id", True, "seen.id", told), away]
