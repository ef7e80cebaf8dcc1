"""What people outside supervision see of levels: no two looks, however they are chosen, tell what one visitor pressed."""

import itertools
import os
from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest
from fleet_seeded import NOW_MS, blank, clock, fleet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from fleet.ratings.blocks import GUARDED, shown_ratings
from fleet.ratings.figures import Group
from fleet.ratings.tables import ratings, services
from fleet.registry.records import Hall

__all__ = ["blank", "clock", "fleet"]
TODAY = date(2026, 11, 22)
FIRST = TODAY - timedelta(days=4)
MINUTE_S = 61
GROUPINGS = ("total", "day", *sorted(GUARDED))


class Book:
    """Ratings put straight into the read model. Each has a reason of its own, so that a look tells exactly whose it holds."""

    def __init__(self, fleet, clock) -> None:
        self.fleet, self.clock = fleet, clock
        self.numbers = itertools.count()
        fleet.registry.put(Hall(code="niuhe", tenant=fleet.config.tenant, title={"zh": "牛河"}))

    def empty(self) -> None:
        with self.fleet.store.write() as connection:
            for table in (ratings, services):
                connection.execute(delete(table))

    def rate(self, level=5, *, day=TODAY, hall="yunxi", outcome="rated", **how) -> int:
        """One counted rating; gives its number."""
        number = next(self.numbers)
        row = {"journal_no": 1, "rating": os.urandom(16), "device": "nwx", "hall": hall, "window": "12", "clerk": "112"}
        row |= {
            "item": "A1",
            "stage": "finish",
            "channel": "evaluator",
            "occasion": os.urandom(16),
            "at_ms": NOW_MS,
            "clock_trust": 2,
        }
        row |= {"day": day.isoformat(), "hour": 9, "level": level, "presses": 1, "via": "button", "standing_of": "counted"}
        row |= {"outcome": outcome, "how": "done", "reasons": [f"r{number}"] if outcome == "rated" else [], "tag_set": ""}
        row |= {"language": "zh", "profile": "standard", "duration_ms": 0}
        with self.fleet.store.write() as connection:
            connection.execute(insert(ratings).values(**(row | how)))
        return number

    def close(self) -> None:
        """Close what is open, as the device does some seconds after the press: with a reason, and perhaps another level."""
        with self.fleet.store.write() as connection:
            for row in connection.execute(select(ratings).where(ratings.c.outcome == "open")).all():
                values = {"outcome": "rated", "level": 6 - row.level, "reasons": [f"r{next(self.numbers)}"]}
                connection.execute(update(ratings).where(ratings.c.no == row.no).values(**values))

    def look(self, grouping: str, first: date, last: date, hall: str) -> dict[tuple[str, str], set[str]]:
        """Whose levels one question shows, by (hall, value): each rating's reason and level. The figures must be theirs."""
        self.clock.on(seconds=MINUTE_S)
        service, days = self.fleet.ratings, (first, last)
        if grouping == "total":
            shown = self.shown(None, days, hall)
            groups = [Group(value="", tally=service.total(*days, hall=hall, supervised=False), first=None, last=None)]
            told = service.reasons(*days, hall=hall, supervised=False)
            assert set(told) == {name.split("=")[0] for names in shown.values() for name in names}
        else:
            groups = service.by(grouping, *days, hall=hall, supervised=False)  # type: ignore[arg-type]
            places = {group.hall for group in groups}
            shown = {(place, value): names for place in places for (_, value), names in self.shown(grouping, days, place).items()}
        for group in groups:
            levels = Counter(int(name.split("=")[1]) for name in shown.get((group.hall, group.value), ()))
            assert +Counter(group.tally.levels) == levels
        return shown

    def shown(self, dimension: str | None, days: tuple[date, date], hall: str) -> dict[tuple[str, str], set[str]]:
        query = shown_ratings(dimension, *days, hall=hall, today=TODAY)
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        with self.fleet.store.read() as connection:
            for (reason,), value, level in connection.execute(query):
                name = "" if dimension is None else f"{value:02d}" if dimension == "hour" else value
                found[hall if dimension else "", name].add(f"{reason}={level}")
        return found


@pytest.fixture
def book(fleet, clock) -> Book:
    return Book(fleet, clock)


def test_a_press_moves_the_counts_at_once_and_the_levels_with_the_fifth(book):
    service, seen = book.fleet.ratings, []
    for level in (5, 1, 4, 2, 5, 1):
        book.rate(level)
        book.clock.on(seconds=MINUTE_S)
        tally = service.total(TODAY, TODAY, supervised=False)
        reasons = service.reasons(TODAY, TODAY, supervised=False)
        seen.append((tally.rated, tally.shown, tally.satisfaction, len(reasons)))
    nothing = [(n, 0, None, 0) for n in (1, 2, 3, 4)]
    assert seen == [*nothing, (5, 5, 0.6, 5), (6, 5, 0.6, 5)]


def test_supervision_sees_every_press_at_once(book):
    book.rate(1)
    assert book.fleet.ratings.total(TODAY, TODAY, supervised=True).levels == {1: 1}
    assert book.fleet.ratings.reasons(TODAY, TODAY, supervised=True) == {"r0": 1}
    for grouping in (*GUARDED, "day"):
        (group,) = book.fleet.ratings.by(grouping, TODAY, TODAY, supervised=True)
        assert group.tally.levels == {1: 1}


@pytest.mark.parametrize("grouping", sorted(GUARDED))
def test_levels_of_small_groups_end_yesterday_and_their_counts_do_not(book, grouping):
    for _ in range(7):
        book.rate(5, day=TODAY - timedelta(days=1))
    for _ in range(9):
        book.rate(1)
    (group,) = book.fleet.ratings.by(grouping, FIRST, TODAY, supervised=False)
    assert (group.tally.rated, group.tally.shown, group.tally.negative) == (16, 5, 0)


def test_a_rating_is_shown_when_it_is_closed_and_not_while_it_may_be_amended(book):
    for outcome in ("rated", "rated", "rated", "rated", "open"):
        book.rate(outcome=outcome)
    assert book.look("total", TODAY, TODAY, "") == {}
    book.close()
    assert len(book.look("total", TODAY, TODAY, "")["", ""]) == 5


def test_a_close_that_has_not_come_holds_its_own_block_back_and_no_other(book):
    for number in range(10):
        book.rate(day=TODAY, outcome="open" if number == 2 else "rated")
    assert len(book.look("total", TODAY, TODAY, "")["", ""]) == 5
    book.close()
    assert len(book.look("total", TODAY, TODAY, "")["", ""]) == 10


def test_days_that_cut_a_block_hide_it_whole_instead_of_shifting_the_others(book):
    for _ in range(2):
        book.rate(day=FIRST)
    for _ in range(10):
        book.rate(day=FIRST + timedelta(days=1))
    all_days, later = book.look("total", FIRST, TODAY, "")["", ""], book.look("total", FIRST + timedelta(days=1), TODAY, "")["", ""]
    assert (len(all_days), len(later), later < all_days) == (10, 5, True)


def day_of(n: int) -> date:
    return FIRST + timedelta(days=n)


looks = st.tuples(st.integers(0, 2).map(day_of), st.integers(3, 5).map(day_of), st.sampled_from(["", "yunxi"]))
pressed = st.builds(
    dict,
    level=st.integers(1, 5),
    day=st.sampled_from([0, 1, *[2] * 4, 3, 4]).map(day_of),
    hall=st.sampled_from([*["yunxi"] * 5, "niuhe"]),
    outcome=st.sampled_from([*["rated"] * 9, "open"]),
    window=st.sampled_from([*["12"] * 5, "06"]),
    hour=st.sampled_from([*[9] * 5, 10]),
)


@pytest.mark.parametrize("grouping", GROUPINGS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(pressed, min_size=30, max_size=45), st.lists(st.tuples(looks, st.integers(5, 15)), min_size=3, max_size=5))
def test_two_looks_never_differ_by_fewer_than_five_ratings(book, grouping, history, asked):
    """Looks at any days and halls, between any presses and closes: who is in one and not in the other is never alone."""
    book.empty()
    history, seen = list(history), []
    for look, n in asked:
        for press in history[:n]:
            book.rate(**press)
        del history[:n]
        if n % 3 == 0:
            book.close()
        seen.append(book.look(grouping, *look))
    for one, other in itertools.permutations(seen, 2):
        for group in one.keys() | other.keys():
            assert len(one.get(group, set()) - other.get(group, set())) not in (1, 2, 3, 4)
