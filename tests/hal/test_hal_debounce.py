"""Every bouncing press is counted once: the debouncer alone, over made-up edges, without time."""

import random

from hypothesis import given
from hypothesis import strategies as st

from hal.drivers.debounce import Debounce


def bouncing(presses, bounce_s, period_s, choose):
    """Edges of `presses` presses, each half a period long, bouncing at both ends; (time, closed) in order."""
    edges = []
    for press in range(presses):
        for start_s, closed in ((press * period_s, True), ((press + 0.5) * period_s, False)):
            times = sorted(choose.uniform(0, bounce_s) for _ in range(2 * choose.randint(0, 8)))
            edges.append((start_s, closed))
            edges += [(start_s + at_s, closed if index % 2 else not closed) for index, at_s in enumerate(times)]
    return edges


def counted(edges, settle_s):
    debounce = Debounce(settle_s)
    return sum(debounce.feed(at_s, closed) for at_s, closed in edges)


@given(st.integers(0, 200), st.integers(0, 2**32))
def test_twenty_presses_a_second_with_ten_ms_of_bounce_are_all_counted_once(presses, seed):
    assert counted(bouncing(presses, 0.010, 0.050, random.Random(seed)), 0.012) == presses


def test_ten_thousand_bouncing_presses_are_all_counted_once():
    assert counted(bouncing(10_000, 0.010, 0.050, random.Random(1)), 0.012) == 10_000


def test_without_debouncing_the_same_edges_are_counted_too_often():
    # The control: if this counted right, the tests above would prove nothing.
    assert counted(bouncing(1000, 0.010, 0.050, random.Random(1)), 0.0) > 1000


def test_a_press_is_told_at_its_first_edge():
    debounce = Debounce(0.012)
    assert debounce.feed(1.0, True)
    assert not debounce.feed(1.001, False)
    assert not debounce.feed(1.002, True)


def test_a_button_that_is_down_at_the_start_is_no_press():
    debounce = Debounce(0.012, pressed=True, at_s=0.0)
    assert not debounce.feed(1.0, False)
    assert debounce.feed(2.0, True)


def test_holding_and_chattering_are_measured():
    debounce = Debounce(0.012)
    debounce.feed(1.0, True)
    assert debounce.held_s(31.0) == 30.0
    assert debounce.chattering_s(31.0) == 0.0
    for step in range(300):
        debounce.feed(40.0 + step * 0.005, step % 2 == 0)
    assert debounce.chattering_s(41.5) > 1.0


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans())))
def test_edges_in_any_order_never_raise(edges):
    debounce = Debounce(0.012)
    for at_s, closed in edges:
        debounce.feed(at_s, closed)
    debounce.held_s(100)
    debounce.chattering_s(100)
