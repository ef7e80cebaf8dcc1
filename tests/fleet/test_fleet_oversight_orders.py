"""From a bad rating to its closed work order, on a real store: opening by itself, steps, who sees what, appeals, contact data."""

import pytest
from fleet_seeded import blank, clock, fleet
from hypothesis import strategies as _  # noqa: F401
from oversight_rig import ZHAO, counter, outbox

__all__ = ["blank", "clock", "counter", "fleet", "outbox"]


@pytest.fixture
def orders(fleet):
    return fleet.oversight.orders


def test_a_bad_rating_opens_one_order_by_itself_and_a_good_one_none(counter, orders):
    counter.rate(1, 5, 3, 2)
    assert counter.sync() == 2
    assert counter.sync() == 0
    assert [(order.level, order.window, order.clerk, order.standing.state) for order in orders.listing(ZHAO)] == [
        (2, "12", "112", "received"),
        (1, "12", "112", "received"),
    ]


def test_a_rebuilt_read_model_opens_nothing_twice(counter, orders, fleet):
    counter.rate(1, 5, 2)
    counter.sync()
    before = [order.no for order in orders.listing(ZHAO)]
    fleet.projection.rebuild()
    assert counter.sync() == 0
    assert [order.no for order in orders.listing(ZHAO)] == before


def test_an_uninvited_press_opens_no_order(counter):
    counter.rate(1, invited=False)
    assert counter.sync() == 0
