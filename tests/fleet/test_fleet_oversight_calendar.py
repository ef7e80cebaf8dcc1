"""Working days: known days of the notices, the law's rules as properties, local days off, and years nobody knows yet."""

import json
from datetime import date, timedelta

import pytest
from fleet_seeded import blank, clock, fleet
from hypothesis import given
from hypothesis import strategies as st

from fleet.oversight.calendar import MOST_DAYS, make_calendar
from fleet.oversight.calendars_kept import CalendarRefused, read_year, shipped

__all__ = ["blank", "clock", "fleet"]
CALENDAR = make_calendar(shipped())
days = st.dates(date(2023, 6, 1), date(2028, 6, 1))
YANBIAN = json.dumps({"source": "自治州条例", "every_year": {"09-03": "州庆"}})


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-10-01", False),
        ("2026-10-10", True),
        ("2026-02-14", True),
        ("2026-02-23", False),
        ("2025-10-08", False),
        ("2024-02-04", True),
        ("2026-11-22", False),
        ("2026-11-23", True),
    ],
)
def test_days_of_the_notices_are_as_published(day, works):
    assert CALENDAR.is_working(date.fromisoformat(day)) is works


def test_the_first_day_is_not_counted_and_make_up_days_are():
    # Friday 9 October, then Saturday the 10th is worked, then the weekend's Sunday.
    assert CALENDAR.due(date(2026, 10, 9), 1).day == date(2026, 10, 10)
    assert CALENDAR.due(date(2026, 10, 9), 2).day == date(2026, 10, 12)
    assert CALENDAR.due(date(2026, 9, 30), 1).day == date(2026, 10, 8)


def test_a_natural_deadline_that_ends_on_a_holiday_goes_on_to_the_next_working_day():
    assert CALENDAR.due(date(2026, 9, 26), 7, "natural").day == date(2026, 10, 8)


@given(start=days, amount=st.integers(0, 60))
def test_a_deadline_ends_on_a_working_day_and_counts_as_many_as_it_says(start, amount):
    due = CALENDAR.due(start, amount)
    assert CALENDAR.is_working(due.day)
    if amount:
        assert CALENDAR.working_days(start, due.day) == amount
    else:
        assert due.day == CALENDAR.next_working(start)


@given(start=days, amount=st.integers(1, 40), more=st.integers(1, 20))
def test_a_longer_deadline_ends_later_and_a_later_start_never_earlier(start, amount, more):
    assert CALENDAR.due(start, amount).day < CALENDAR.due(start, amount + more).day
    assert CALENDAR.due(start, amount).day <= CALENDAR.due(start + timedelta(days=more), amount).day


@given(first=days, middle=st.integers(0, 200), last=st.integers(0, 200))
def test_working_days_add_up(first, middle, last):
    between, end = first + timedelta(days=middle), first + timedelta(days=middle + last)
    assert CALENDAR.working_days(first, between) + CALENDAR.working_days(between, end) == CALENDAR.working_days(first, end)
    assert CALENDAR.working_days(end, first) == -CALENDAR.working_days(first, end)


@given(start=days, amount=st.integers(0, 60))
def test_a_deadline_is_provisional_exactly_when_it_touches_an_unknown_year(start, amount):
    due = CALENDAR.due(start, amount)
    assert due.provisional == any(year not in (2024, 2025, 2026) for year in range(start.year, due.day.year + 1))


def test_an_unknown_year_is_monday_to_friday_and_corrected_when_its_notice_comes():
    before = CALENDAR.due(date(2026, 12, 31), 1)
    assert (before.day, before.provisional) == (date(2027, 1, 1), True)
    text = json.dumps({"year": 2027, "source": "test", "holidays": {"2027-01-01": "元旦"}, "workdays": []})
    after = make_calendar((*shipped(), read_year(text))).due(date(2026, 12, 31), 1)
    assert (after.day, after.provisional) == (date(2027, 1, 4), False)


def test_a_hall_s_own_day_off_holds_for_that_hall_alone():
    years = (*shipped(), read_year(YANBIAN, hall="longjing"))
    assert not make_calendar(years, hall="longjing").is_working(date(2026, 9, 3))
    assert make_calendar(years, hall="longjing").occasion(date(2024, 9, 3)) == "州庆"
    assert make_calendar(years, hall="yunxi").is_working(date(2026, 9, 3))


def test_an_impossible_amount_is_refused():
    for amount in (-1, MOST_DAYS + 1):
        with pytest.raises(ValueError, match="0–1000"):
            CALENDAR.due(date(2026, 1, 5), amount)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"year": 1812}, "1812"),
        ({"holidays": {"2026-05-01": "劳动节"}}, "not in 2027"),
        ({"workdays": ["2027-01-04"]}, "no weekend day"),
        ({"holidays": {"2027-01-02": "元旦"}, "workdays": ["2027-01-02"]}, "both off and worked"),
        ({"holidays": {"2027-13-01": "x"}}, "2027-13-01"),
        ({"source": ""}, "source"),
        ({"extra": 1}, "unknown: extra"),
        ({"holidays": ["2027-01-01"]}, "wrong"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_wrong(changes, said):
    raw = {"year": 2027, "source": "test", "holidays": {}, "workdays": []} | changes
    with pytest.raises(CalendarRefused, match=said):
        read_year(json.dumps(raw))


@given(text=st.text(max_size=200) | st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner)).map(json.dumps))
def test_no_file_does_worse_than_being_refused(text):
    with pytest.raises(CalendarRefused):
        read_year(text)


def test_an_imported_year_is_the_next_version_and_stands_at_once(fleet):
    calendars = fleet.oversight.calendars
    assert calendars.of("yunxi").is_working(date(2026, 11, 23))
    text = json.dumps({"year": 2026, "source": "correction", "holidays": {"2026-11-23": "test"}, "workdays": []})
    assert calendars.take(text, by="test").version == 2
    assert calendars.take(text, by="test").version == 3
    assert not calendars.of("yunxi").is_working(date(2026, 11, 23))
    assert fleet.audit.read(search="calendar.import")[0].detail.startswith("2026 version 3")
