"""The formulas of ratings, against figures computed by hand and against their laws."""

import math
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.ratings.rules import SMALLEST_BLOCK, Tally, blocks, share, shown_days, tally, wilson

DAY = date(2026, 11, 1)
counts = st.lists(st.integers(0, 8), max_size=40)


def days(numbers: list[int]) -> list[tuple[date, int]]:
    """A count for each day from DAY on."""
    return [(DAY + timedelta(days=index), count) for index, count in enumerate(numbers)]


def test_levels_five_four_and_three_are_good_and_two_and_one_negative():
    found = tally([5, 4, 3, 2, 1, 1], services=12)
    assert (found.good, found.negative, found.rated) == (3, 3, 6)
    assert (found.satisfaction, found.negative_rate, found.participation) == (0.5, 0.5, 0.5)


def test_nothing_rated_has_no_rate_rather_than_zero_or_a_hundred():
    found = tally([])
    assert found.satisfaction is found.negative_rate is found.participation is found.interval is None


def test_uninvited_and_repeated_presses_stand_in_no_rate():
    found = Tally(levels={5: 2}, services=4, uninvited=9, repeated=9, not_rated=2)
    assert (found.rated, found.satisfaction, found.participation) == (2, 1.0, 0.5)


def test_participation_above_one_is_shown_because_services_were_not_reported():
    assert Tally(levels={5: 3}, services=2).participation == 1.5


def test_a_level_outside_one_to_five_is_refused_with_the_limit():
    with pytest.raises(ValueError, match="1 to 5"):
        tally([6])


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match="start at 0"):
        share(-1, 3)


@pytest.mark.parametrize(
    ("good", "n", "low", "high"),
    [(95, 100, 0.8882, 0.9785), (10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (1, 2, 0.0945, 0.9055)],
)
def test_wilson_agrees_with_published_values(good, n, low, high):
    found = wilson(good, n)
    assert found == pytest.approx((low, high), abs=2e-4)


def test_wilson_of_nothing_is_nothing_and_of_nonsense_an_error():
    assert wilson(0, 0) is None
    with pytest.raises(ValueError, match="0 to n"):
        wilson(3, 2)


@given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_proportion_and_stays_inside_zero_and_one(case):
    good, n = case
    low, high = wilson(good, n)
    assert 0 <= low <= good / n <= high <= 1


@given(st.integers(1, 500), st.floats(0, 1))
def test_the_interval_narrows_with_more_ratings(n, part):
    good = round(n * part)
    one, four = wilson(good, n), wilson(good * 4, n * 4)
    assert four[1] - four[0] <= one[1] - one[0] + 1e-12
    assert math.isfinite(one[0])


def test_today_is_in_no_block_whatever_was_pressed():
    assert blocks(days([9, 9]), today=DAY + timedelta(days=1)) == [(DAY, DAY)]


def test_four_ratings_wait_for_a_fifth():
    assert blocks(days([4]), today=DAY + timedelta(days=5)) == []
    assert blocks(days([4, 0, 1]), today=DAY + timedelta(days=5)) == [(DAY, DAY + timedelta(days=2))]


@given(counts, st.integers(0, 50))
def test_every_block_has_five_ratings_and_lies_before_today(numbers, today):
    daily = days(numbers)
    for first, last in blocks(daily, today=DAY + timedelta(days=today)):
        assert sum(count for day, count in daily if first <= day <= last) >= SMALLEST_BLOCK
        assert last < DAY + timedelta(days=today)


@given(counts, st.integers(0, 45), st.integers(0, 45), st.integers(0, 45), st.integers(0, 45))
def test_no_two_questions_differ_by_fewer_than_five_ratings(numbers, a, b, c, d):
    """Who asks twice with other days must not learn what one visitor pressed in between."""
    daily, today = days(numbers), DAY + timedelta(days=60)

    def shown(first: int, last: int) -> set[date]:
        span = shown_days(daily, today=today, first=DAY + timedelta(days=first), last=DAY + timedelta(days=last))
        return {day for day, count in daily if span and span[0] <= day <= span[1] for _ in range(count)} if span else set()

    weight = dict(daily)
    for difference in (shown(a, b) - shown(c, d), shown(c, d) - shown(a, b)):
        total = sum(weight[day] for day in difference)
        assert total == 0 or total >= SMALLEST_BLOCK


@given(counts, st.integers(1, 40))
def test_what_is_shown_of_the_past_does_not_change_while_a_day_goes_on(numbers, today):
    now = DAY + timedelta(days=today)
    before = blocks(days(numbers), today=now)
    grown = [count + (3 if index >= today else 0) for index, count in enumerate(numbers)]
    assert blocks(days(grown), today=now) == before
