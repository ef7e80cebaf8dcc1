"""The formulas of ratings, against figures computed by hand and against their laws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.ratings.rules import Tally, share, tally, wilson


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


def test_ratings_held_back_count_and_are_in_no_rate_of_levels():
    found = Tally(levels={5: 4, 1: 1}, held_back=3, services=16)
    assert (found.rated, found.shown, found.participation) == (8, 5, 0.5)
    assert (found.satisfaction, found.negative_rate, found.interval) == (0.8, 0.2, wilson(4, 5))


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
