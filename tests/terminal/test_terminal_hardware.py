"""What the terminal makes of its parts: cards of two kinds, several printers, a screen that is bright for whoever is there."""

from types import SimpleNamespace
from typing import Any

import pytest
from terminal_booth import Booth

from hal.api import CardData, CardPresent, CardRemoved, Health, SmartCardPresent, SmartCardRemoved
from terminal.flow.visit import OTHER_CARD
from terminal.hardware import Senses, printer_of, reader_of
from terminal.nearby import Nearby

CARD = CardPresent(CardData("resident", "张**", "11************2X", "0" * 32, "long"))
CHIP = SmartCardPresent("3b8f8001", "04a2241a5b6680", "contactless", "SAMPLE Reader 00 00")
CHIP_GONE = SmartCardRemoved("SAMPLE Reader 00 00", "asked")


@pytest.fixture
def senses(booth: Booth) -> Senses:
    clock: Any = SimpleNamespace(known=lambda: None)
    power: Any = None
    return Senses(booth.visit, post=lambda call: call(), clock=clock, on_health=lambda: None, power=power)


def test_a_card_of_another_kind_is_told_that_it_is_not_needed_and_its_number_goes_nowhere(booth: Booth, senses: Senses) -> None:
    senses.event("smart_card", CHIP)
    session = booth.visit.session
    assert session is not None
    assert session.card_trouble == OTHER_CARD
    assert CHIP.uid not in repr(vars(booth.visit)) + repr(vars(session)) + repr(booth.log.entries)
    senses.event("smart_card", CHIP_GONE)
    assert session.card_trouble.id == ""


def test_a_card_of_another_kind_that_is_left_calls_after_its_owner(booth: Booth, senses: Senses) -> None:
    senses.event("smart_card", CHIP)
    booth.visit.end()
    assert booth.visit.card_on_reader
    senses.event("smart_card", CHIP_GONE)
    assert not booth.visit.card_on_reader


def test_of_two_cards_the_one_that_is_taken_away_takes_nothing_of_the_other_along(booth: Booth, senses: Senses) -> None:
    senses.event("id_card", CARD)
    senses.event("smart_card", CHIP)
    senses.event("smart_card", CHIP_GONE)
    session = booth.visit.session
    assert session is not None
    assert session.card is not None
    assert booth.visit.card_on_reader
    senses.event("smart_card", CHIP)
    senses.event("id_card", CardRemoved("asked"))
    assert session.card is None
    assert booth.visit.card_on_reader


class Part:
    def __init__(self, name: str, state: Any) -> None:
        self.name, self._state = name, state

    def health(self) -> Health:
        return Health(self._state, "", "", 0)


class Parts:
    """A device whose parts have these states."""

    def __init__(self, **states: str) -> None:
        self.parts = [Part(name, state) for name, state in states.items()]

    def every(self, kind: str) -> list[Part]:
        return [part for part in self.parts if part.name.startswith(kind)]


@pytest.mark.parametrize(
    ("states", "chosen"),
    [
        ({}, None),
        ({"printer_left": "ok"}, "printer_left"),
        ({"printer": "down", "printer_left": "degraded"}, "printer_left"),
        ({"printer": "ok", "printer_left": "ok"}, "printer"),
        ({"printer": "down", "printer_left": "unknown"}, "printer"),
    ],
)
def test_the_first_printer_that_works_is_printed_on_whatever_its_section_is_called(
    states: dict[str, str], chosen: str | None
) -> None:
    hal: Any = Parts(**states)
    found: Any = printer_of(hal)
    assert (found.name if found else None) == chosen


def test_a_reader_counts_whatever_its_section_is_called() -> None:
    hal: Any = Parts(id_card_2="ok")
    found = reader_of(hal)
    assert found is not None
    assert found.name == "id_card_2"


class Panel:
    def __init__(self) -> None:
        self.is_dim = False

    def dim(self, night: bool) -> None:
        self.is_dim = night


def test_the_screen_is_dim_by_night_but_not_for_whoever_stands_there() -> None:
    panel: Any = Panel()
    nearby = Nearby([panel])
    nearby.night(True)
    assert panel.is_dim
    nearby.moved("presence", True)
    nearby.moved("presence_back", True)
    nearby.moved("presence", False)
    assert not panel.is_dim
    nearby.moved("presence_back", False)
    assert panel.is_dim
    nearby.night(False)
    assert not panel.is_dim
