"""Guiding lights lead the hand: to paper that waits, to a card that was left, and nowhere while the cabinet is open."""

import pytest
from terminal_booth import PASSPORT, SUBJECT, Booth

from hal.api import Glow
from terminal.flow import places
from terminal.flow.ports import Outcome
from terminal.flow.session import Card
from terminal.lights import Lights, glow


class Lamp:
    def __init__(self, name: str) -> None:
        self.name, self.shows = name, "off"

    def show(self, state: Glow) -> None:
        self.shows = state


@pytest.fixture
def lamps(booth: Booth) -> dict[str, Lamp]:
    made = {name: Lamp(name) for name in ("light", "light_card", "light_printer", "light_2")}
    lights = Lights(booth.visit, list(made.values()))  # type: ignore[arg-type]
    booth.visit.changed = lights.sync
    return made


def shown(lamps: dict[str, Lamp]) -> dict[str, str]:
    return {name: lamp.shows for name, lamp in lamps.items() if lamp.shows != "off"}


def test_nothing_shines_while_nobody_is_there(booth: Booth, lamps: dict[str, Lamp]) -> None:
    booth.visit.changed()
    assert shown(lamps) == {}


def test_the_light_in_front_shines_during_a_visit(booth: Booth, lamps: dict[str, Lamp]) -> None:
    booth.visit.touch()
    assert shown(lamps) == {"light": "on", "light_2": "on"}
    booth.visit.end()
    assert shown(lamps) == {}


def test_a_card_that_was_left_calls_after_its_owner_until_it_is_taken(booth: Booth, lamps: dict[str, Lamp]) -> None:
    booth.visit.card_present(Card("张*"))
    assert lamps["light_card"].shows == "on"
    booth.visit.end()
    assert lamps["light_card"].shows == "breathe"
    booth.pass_ms(120_000)
    assert booth.visit.phase == "attract"
    assert lamps["light_card"].shows == "breathe"
    booth.visit.card_removed()
    assert shown(lamps) == {}


@pytest.mark.parametrize(("outcome", "shows"), [("printed", "breathe"), ("unknown", "breathe"), ("not_printed", "off")])
def test_paper_that_is_there_or_may_be_is_pointed_at(booth: Booth, lamps: dict[str, Lamp], outcome: Outcome, shows: str) -> None:
    booth.visit.touch()
    booth.visit.go(places.Guide(PASSPORT))
    booth.visit.print_notice(SUBJECT)
    assert lamps["light_printer"].shows == "on"
    booth.printed(outcome)
    assert lamps["light_printer"].shows == shows


def test_an_open_cabinet_is_dark(booth: Booth, lamps: dict[str, Lamp]) -> None:
    booth.visit.card_present(Card("张*"))
    booth.visit.cabinet("door", True)
    assert shown(lamps) == {}
    assert glow("printer", booth.visit) == "off"
