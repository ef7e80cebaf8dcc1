"""Every bouncing press is counted once: the debouncer alone over made-up edges, and the whole driver on a small run of presses."""

import random

import pytest
from faults import hal_presses
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.drivers.debounce import Debounce
from hal.sim.bounces import edges, presses

SETTLE_S = 0.012


def counted(edges, settle_s=SETTLE_S):
    debounce = Debounce(settle_s)
    return sum(debounce.feed(at_s, closed) for at_s, closed in edges)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_ten_thousand_presses_at_twenty_a_second_with_ten_ms_of_bounce_are_all_counted_once(seed):
    assert hal_presses.through_debouncer(10_000, seed) == 10_000


@given(st.integers(0, 2**32), st.floats(50, 2000), st.floats(0, 10))
def test_slower_presses_and_shorter_bounces_are_counted_once_too(seed, period_ms, bounce_ms):
    assert counted(edges(200, seed, period_ms=period_ms, bounce_ms=bounce_ms)) == 200


@given(st.integers(0, 2**32), st.integers(5, 200))
def test_a_press_is_told_at_its_first_edge_and_never_again(seed, settle_ms):
    period_ms = 5 * settle_ms
    debounce = Debounce(settle_ms / 1000)
    for number, press in enumerate(presses(50, seed, period_ms=period_ms, bounce_ms=0.8 * settle_ms)):
        told = [
            swing
            for swing, at_ms in enumerate(press.swings_ms)
            if debounce.feed((number * period_ms + at_ms) / 1000, swing % 2 == 0)
        ]
        assert told == [0]


def late(edges, chance, most_late_s):
    """What a library tells that stamps an edge, and reads the pin, only when its callback runs (RPi.GPIO)."""
    edges = list(edges)
    calls = sorted(at_s + chance.uniform(0, most_late_s) for at_s, _ in edges)
    now = 0
    for at_s in calls:
        while now + 1 < len(edges) and edges[now + 1][0] <= at_s:
            now += 1
        yield at_s, edges[now][1]


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_a_library_that_is_a_millisecond_late_misses_and_doubles_nothing(seed):
    assert counted(late(edges(500, seed), random.Random(seed), 0.001)) == 500


@given(st.integers(0, 2**32), st.floats(0, 0.9))
def test_lost_bounces_double_nothing(seed, lost):
    # lgpio's queue holds 16 edges; what bounces faster than Python looks is lost. The last edge of each swing-over is caught
    # up with, as GpioButtons does.
    chance = random.Random(seed)
    kept = []
    for number, press in enumerate(presses(100, seed)):
        half = press.swings_ms.index(25.0)
        for swing, at_ms in enumerate(press.swings_ms):
            last = swing in (half - 1, len(press.swings_ms) - 1)
            if last or chance.random() > lost:
                kept.append((number * 0.05 + at_ms / 1000, swing % 2 == 0))
    assert counted(kept) == 100


@pytest.mark.parametrize("settle_ms", [0.0, 1.0])
def test_without_debouncing_the_same_edges_are_counted_too_often(settle_ms):
    # The control: if this counted right, the tests above would prove nothing.
    assert hal_presses.through_debouncer(1000, 1, settle_ms=settle_ms) > 1000


def test_the_simulated_contact_does_bounce():
    made = list(presses(1000, 1))
    assert all(len(press.swings_ms) % 2 == 0 and list(press.swings_ms) == sorted(press.swings_ms) for press in made)
    assert sum(press.swings_ms[1] < 25 for press in made) > 500
    assert max(at_ms for press in made for at_ms in press.swings_ms) == 35.0


def test_a_small_run_of_presses_through_the_pins_is_counted_exactly():
    account = hal_presses.run(120, seed=7)
    assert account.wrong == []
    assert sum(account.counted.values()) == 120


def test_the_run_notices_presses_that_are_counted_too_often():
    assert len(hal_presses.run(12, seed=7, settle_ms=1.0).wrong) > 1


def test_how_long_presses_take_to_be_told_can_be_measured():
    # The limit is `./run bench hal`'s; a busy test machine proves nothing about it.
    took_s = hal_presses.latencies(30, seed=7)
    assert len(took_s) == 30
    assert 0 <= took_s[0] <= hal_presses.p99(took_s) == took_s[-1] < 1


def test_a_button_that_is_down_at_the_start_is_no_press():
    debounce = Debounce(SETTLE_S, pressed=True, at_s=0.0)
    assert not debounce.feed(1.0, False)
    assert debounce.feed(2.0, True)


def test_holding_and_chattering_are_measured():
    debounce = Debounce(SETTLE_S)
    debounce.feed(1.0, True)
    assert debounce.held_s(31.0) == 30.0
    assert debounce.chattering_s(31.0) == 0.0
    for step in range(300):
        debounce.feed(40.0 + step * 0.005, step % 2 == 0)
    assert debounce.chattering_s(41.5) > 1.0


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans())))
def test_edges_in_any_order_never_raise(edges):
    debounce = Debounce(SETTLE_S)
    for at_s, closed in edges:
        debounce.feed(at_s, closed)
    debounce.held_s(100)
    debounce.chattering_s(100)
