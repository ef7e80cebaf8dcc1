"""From a bad rating to its closed work order, on a real store: opening by itself, steps, who sees what, appeals, contact data."""

from datetime import date

import pytest
from fleet_seeded import blank, clock, fleet
from oversight_rig import ANNA, DAY_MS, LI, QIAN, SUN, WANG, ZHAO, counter, outbox

from fleet.oversight.rules import OrderRefused

__all__ = ["blank", "clock", "counter", "fleet", "outbox"]
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


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


def test_a_press_that_is_still_corrected_opens_nothing_and_an_abandoned_one_does(counter, clock):
    counter.press(1, rating=b"r" * 16, occasion=b"o" * 16)
    assert counter.sync() == 0
    clock.on(seconds=16 * 60)
    assert counter.sync() == 1


def test_an_amendment_that_arrives_late_supersedes_the_order_and_another_brings_it_back(counter, orders, clock):
    counter.press(1, rating=b"r" * 16, occasion=b"o" * 16)
    clock.on(seconds=16 * 60)
    counter.sync()
    counter.press(5, rating=b"r" * 16, occasion=b"o" * 16, kind="rating.amended")
    assert counter.sync() == 1
    (order,) = orders.listing(ZHAO, show="all")
    assert order.standing.state == "superseded"
    counter.press(2, rating=b"r" * 16, occasion=b"o" * 16, kind="rating.amended")
    counter.sync()
    (order,) = orders.listing(ZHAO)
    assert (order.standing.state, order.level, [step.deed for step in order.steps]) == (
        "received",
        2,
        ["open", "supersede", "amend"],
    )


def released(counter, clock, orders, *, level=1):
    """An order that was assigned to Li and handed over the next working day."""
    number = counter.bad(level)
    orders.act(number, "assign", ZHAO, args={"to": "li"})
    clock.on(days=1)
    counter.sync()
    return number


def test_an_order_is_seen_by_its_assignee_only_from_the_working_day_after_its_block_is_whole(counter, orders, clock, outbox, fleet):
    counter.rate(1, 5, 5)
    counter.sync()
    number = orders.listing(ZHAO)[0].no
    orders.act(number, "assign", ZHAO, args={"to": "li"})
    clock.on(days=1)
    counter.sync()
    assert orders.listing(LI) == []
    with pytest.raises(OrderRefused):
        orders.get(number, LI)
    counter.rate(5, 5)
    counter.sync()
    assert orders.listing(LI) == []
    clock.on(days=1)
    counter.sync()
    (order,) = orders.listing(LI)
    assert (order.window, order.item, order.clerk, order.day, order.days) == ("12", "", "", "", ("2026-11-22", "2026-11-23"))
    fleet.oversight.notices.deliver()
    assert [audience for audience, _ in outbox.sent if audience == "li"] == ["li"]


def test_nothing_an_assignee_sees_tells_the_day_or_a_time(counter, orders, clock):
    number = released(counter, clock, orders)
    order = orders.get(number, LI)
    assert {step.at_ms for step in order.steps} == {0}
    assert {step.day for step in order.steps} == {order.standing.released_day}
    assert order.standing.opened_day == order.standing.cycle_day == order.standing.released_day


def test_the_store_itself_has_no_time_of_day_of_an_opening(counter, orders):
    number = counter.bad()
    (step,) = orders.get(number, ZHAO).steps
    assert (step.at_ms - 16 * 3_600_000) % DAY_MS == 0


def test_others_see_no_order_at_all(counter, orders, clock):
    number = released(counter, clock, orders)
    for who in (WANG, ANNA):
        assert orders.listing(who) == []
        with pytest.raises(OrderRefused):
            orders.get(number, who)
        with pytest.raises(OrderRefused):
            orders.act(number, "note", who, note="x")


def test_supervision_may_hand_an_order_over_early_with_a_reason_on_record(counter, orders, fleet):
    number = counter.bad(among=2)
    orders.act(number, "assign", ZHAO, args={"to": "li"})
    with pytest.raises(OrderRefused):
        orders.act(number, "release", ZHAO)
    orders.act(number, "release", ZHAO, note="评价人当天要求回电")
    assert orders.get(number, LI).item == "A1"
    assert fleet.audit.read(search="order.release")[0].actor == "zhao"


def test_an_order_is_not_given_to_the_clerk_it_is_about_nor_to_somebody_without_the_role(counter, orders, fleet):
    number = counter.bad()
    fleet.access.add_user("lq", display="李强", role="handler", password="a night at the desk", by="test")
    for name in ("lq", "anna", "nobody", ""):
        with pytest.raises(OrderRefused):
            orders.act(number, "assign", ZHAO, args={"to": name})


def test_an_anonymous_order_goes_its_way_without_contact_and_revisit(counter, orders, clock):
    number = released(counter, clock, orders)
    with pytest.raises(OrderRefused):
        orders.act(number, "contact", LI, args={"result": "reached"})
    orders.act(number, "classify", LI, note="属实", args={"class": "valid"})
    with pytest.raises(OrderRefused):
        orders.act(number, "reply", LI, note="先整改")
    orders.act(number, "rectify", LI)
    orders.act(number, "reply", LI, note="已整改")
    assert orders.act(number, "close", ZHAO).state == "closed"
    assert orders.listing(LI) == []
    assert orders.act(number, "reopen", ZHAO, note="又发生").state == "reopened"


def test_an_unfounded_one_is_answered_without_rectification(counter, orders, clock):
    number = released(counter, clock, orders)
    orders.act(number, "classify", LI, note="法律没有规定", args={"class": "unfounded_in_law"})
    with pytest.raises(OrderRefused):
        orders.act(number, "rectify", LI)
    assert orders.act(number, "reply", LI, note="已解释").state == "replied"


def appealed(counter, clock, orders):
    number = released(counter, clock, orders)
    orders.act(number, "appeal", LI, note="按错了")
    return number


def test_two_different_people_who_did_not_handle_it_decide_an_appeal(counter, orders, clock, fleet):
    number = appealed(counter, clock, orders)
    assert orders.act(number, "review", ZHAO, note="属实", args={"verdict": "upheld"}).state == "appealed"
    for who in (ZHAO, LI):
        with pytest.raises(OrderRefused):
            orders.act(number, "review", who, note="again", args={"verdict": "upheld"})
    assert fleet.ratings.total(*YEAR, supervised=True).excluded == 0
    assert orders.act(number, "review", QIAN, note="同意", args={"verdict": "upheld"}).state == "upheld"
    total = fleet.ratings.total(*YEAR, supervised=True)
    assert (total.rated, total.negative, total.excluded, total.satisfaction, total.satisfaction_without) == (5, 1, 1, 0.8, 1.0)
    fleet.projection.rebuild()
    assert fleet.ratings.total(*YEAR, supervised=True) == total
    assert fleet.ratings.total(*YEAR, supervised=False).excluded == 1
    assert [group.tally.excluded for group in fleet.ratings.by("window", *YEAR, supervised=False)] == [1]
    assert counter.sync() == 0


def test_when_two_reviewers_differ_a_third_decides_and_a_rejected_appeal_goes_on_where_it_was(counter, orders, clock, fleet):
    number = appealed(counter, clock, orders)
    orders.act(number, "review", ZHAO, note="属实", args={"verdict": "upheld"})
    assert orders.act(number, "review", QIAN, note="不属实", args={"verdict": "rejected"}).state == "appealed"
    assert orders.act(number, "review", SUN, note="不属实", args={"verdict": "rejected"}).state == "assigned"
    assert fleet.ratings.total(*YEAR, supervised=True).excluded == 0


def test_an_appeal_after_its_days_is_refused(counter, orders, clock):
    number = released(counter, clock, orders)
    clock.on(days=9)
    with pytest.raises(OrderRefused, match="until 2026-11-30"):
        orders.act(number, "appeal", LI, note="太晚了")
