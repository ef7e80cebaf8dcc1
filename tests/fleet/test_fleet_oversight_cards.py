"""Deadlines and cards from a log: each rule on its day, what stops the clock, and that nothing given is lost."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.oversight.calendar import make_calendar
from fleet.oversight.calendars_kept import shipped
from fleet.oversight.cards import cards, deadline, light, total
from fleet.oversight.limits import Limits, LimitsRefused, read_limits
from fleet.oversight.rules import Step, replay

CALENDAR = make_calendar(shipped())
MONDAY = date(2026, 11, 2)
LIMITS = Limits()


def log(*steps: tuple[str, int] | tuple[str, int, dict[str, str]]) -> list[Step]:
    """Steps by deed and days after Monday; the first opens the order."""
    made = []
    for place, (deed, after, *args) in enumerate((("open", 0), *steps), 1):
        day = (MONDAY + timedelta(days=after)).isoformat()
        made.append(Step(place=place, deed=deed, at_ms=0, day=day, actor="li", note="x", args=args[0] if args else {}))
    return made


def given_cards(steps, after, *, named=False, limits=LIMITS):
    today = MONDAY + timedelta(days=after)
    found = cards(steps, named=named, limits=limits, calendar=CALENDAR, today=today)
    return {card.rule: ((card.issued - MONDAY).days, card.cleared and (card.cleared - MONDAY).days) for card in found}


WAY = (("release", 0), ("assign", 1, {"to": "li"}), ("classify", 2, {"class": "valid"}), ("rectify", 3))


def test_work_in_time_gets_no_late_card():
    assert given_cards(log(*WAY, ("reply", 3), ("close", 4)), 60) == {}


def test_yellow_comes_a_working_day_before_the_promise_red_after_it_and_red_2_after_the_limit():
    # Five working days after Monday the 2nd are over on Monday the 9th, fifteen on Monday the 23rd.
    steps = log(*WAY)
    assert total(steps, days=5, calendar=CALENDAR)[0].day == MONDAY + timedelta(days=7)
    assert given_cards(steps, 3) == {}
    assert given_cards(steps, 4) == {"near": (4, None)}
    assert given_cards(steps, 8) == {"near": (4, None), "promise": (8, None)}
    assert given_cards(steps, 22) == {"near": (4, None), "promise": (8, None), "late.reply": (11, None), "limit": (22, None)}


def test_a_step_that_is_late_is_yellow_from_the_day_after_until_it_is_taken():
    assert given_cards(log(("release", 0)), 2) == {"late.assign": (2, None)}
    assert given_cards(log(("release", 0), ("assign", 3, {"to": "li"})), 3) == {"late.assign": (2, 3)}


def test_cards_stay_when_the_order_is_done_with_the_day_they_were_cleared():
    found = given_cards(log(*WAY, ("reply", 9), ("close", 9)), 60)
    assert found == {"near": (4, 9), "promise": (8, 9)}


def test_a_step_does_not_run_while_the_assignee_cannot_see_the_order():
    held = log(("assign", 0, {"to": "li"}))
    line = deadline(replay(held), named=False, limits=LIMITS, calendar=CALENDAR)
    assert (line.step, line.due.day) == ("release", MONDAY + timedelta(days=7))
    later = log(("assign", 0, {"to": "li"}), ("release", 7))
    line = deadline(replay(later), named=False, limits=LIMITS, calendar=CALENDAR)
    assert (line.step, line.due.day) == ("classify", MONDAY + timedelta(days=8))
    assert total(later, days=5, calendar=CALENDAR)[0].day == MONDAY + timedelta(days=14)


def test_an_appeal_stops_the_promise():
    steps = log(("release", 0), ("assign", 0, {"to": "li"}), ("appeal", 1), ("review", 3, {"verdict": "rejected"}))
    steps += [Step(place=6, deed="review", at_ms=0, day="2026-11-06", actor="zhao", args={"verdict": "rejected"})]
    assert replay(steps).state == "assigned"
    assert total(steps, days=5, calendar=CALENDAR)[0].day == CALENDAR.due(MONDAY, 8).day


def test_an_order_that_is_opened_again_has_a_promise_of_its_own_and_keeps_its_old_cards():
    steps = log(*WAY, ("reply", 9), ("close", 9), ("reopen", 14))
    assert given_cards(steps, 14) == {"near": (4, 9), "promise": (8, 9)}
    found = cards(steps, named=False, limits=LIMITS, calendar=CALENDAR, today=MONDAY + timedelta(days=30))
    assert [card.key for card in found if card.rule == "promise"] == ["promise.1", "promise.2"]
    assert [card.is_active for card in found if card.rule == "promise"] == [False, True]


def test_a_withdrawn_card_stays_visible_and_no_longer_colours_the_order():
    steps = log(*WAY, ("withdraw_card", 8, {"card": "promise.1"}), ("withdraw_card", 8, {"card": "near.1"}))
    today = MONDAY + timedelta(days=8)
    found = cards(steps, named=False, limits=LIMITS, calendar=CALENDAR, today=today)
    assert {card.key: card.withdrawn_by for card in found} == {"near.1": "li", "promise.1": "li"}
    assert light(found, steps, limits=LIMITS, calendar=CALENDAR, today=today) == "notice"


def test_a_deadline_in_a_year_nobody_knows_yet_is_provisional():
    step = Step(place=1, deed="open", at_ms=0, day="2026-12-31", actor="nightwindow")
    assert deadline(replay([step]), named=False, limits=LIMITS, calendar=CALENDAR).due.provisional


@given(
    gaps=st.lists(st.integers(0, 12), min_size=6, max_size=6),
    steps=st.integers(0, 6),
    look=st.integers(0, 40),
    later=st.integers(0, 40),
)
def test_a_card_once_given_is_never_lost_or_moved(gaps, steps, look, later):
    way = (*WAY, ("reply", 0), ("close", 0))[:steps]
    days, placed = 0, []
    for (deed, _, *args), gap in zip(way, gaps, strict=False):
        days += gap
        placed.append((deed, days, *args))
    today = days + look
    before, after = given_cards(log(*placed), today), given_cards(log(*placed), today + later)
    assert {rule: issued for rule, (issued, _) in before.items()} == {
        rule: issued for rule, (issued, _) in after.items() if issued <= today
    }


@pytest.mark.parametrize("given_value", ["-1", "251", "1.5", "x", "²"])
def test_a_limit_outside_its_bounds_is_refused_by_name(given_value):
    with pytest.raises(LimitsRefused, match="reply_days"):
        read_limits({"reply_days": given_value})


def test_limits_that_contradict_each_other_are_refused_and_empty_ones_stay_usual():
    with pytest.raises(LimitsRefused, match="below promise_days"):
        read_limits({"promise_days": "20"})
    assert read_limits({"reply_days": "", "promise_days": "4"}) == Limits(promise_days=4)
