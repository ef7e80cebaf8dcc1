"""Working days: which days are worked, and when a deadline ends. Pure; a year nobody has told of is Monday–Friday, provisional.

Rules: administrative licensing law art. 82 (limits are working days), civil code art. 200–204 (the first day is not counted; a
last day that is a holiday gives way to the next working day).
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

Unit = Literal["working", "natural"]
MOST_DAYS = 1_000
_DAY = timedelta(days=1)
EVERY_YEAR = 0
"""The year of an overlay whose days are off every year."""


class Year(Struct, frozen=True, kw_only=True):
    """What one notice says: days off by their occasion, and weekend days that are worked. `source` names the notice.

    `scope` is empty for the whole country or a hall's code. In a year `EVERY_YEAR` dates are of a leap year and only month and
    day count.
    """

    year: int
    version: int
    source: str
    holidays: Mapping[date, str]
    workdays: frozenset[date] = frozenset()
    scope: str = ""


class Due(Struct, frozen=True):
    """The last day of a deadline; `provisional` when a year was counted of which no notice is known yet."""

    day: date
    provisional: bool


class Calendar(Struct, frozen=True):
    """The working days of one place: the country's years, and its own days off over them."""

    national: Mapping[int, Year]
    local: tuple[Year, ...] = ()

    def is_provisional(self, day: date) -> bool:
        """Whether nothing is known of this day's year but the days of the week."""
        return day.year not in self.national

    def occasion(self, day: date) -> str:
        """Why a day is off beside weekends, or empty."""
        for year in self.local:
            key = day.replace(year=2000) if year.year == EVERY_YEAR else day
            if key in year.holidays:
                return year.holidays[key]
        known = self.national.get(day.year)
        return known.holidays.get(day, "") if known else ""

    def is_working(self, day: date) -> bool:
        """Whether people work on this day. A local day off goes before everything, a make-up day before the weekend."""
        if any(day in year.workdays for year in self.local):
            return True
        if self.occasion(day):
            return False
        known = self.national.get(day.year)
        return day.weekday() < 5 or (known is not None and day in known.workdays)

    def next_working(self, day: date) -> date:
        """The day itself when it is worked, else the next that is."""
        while not self.is_working(day):
            day += _DAY
        return day

    def due(self, start: date, amount: int, unit: Unit = "working") -> Due:
        """When `amount` days after `start` are over. Nought means the same day, or the next that is worked.

        Raises ValueError for an amount outside 0–1,000.
        """
        if not 0 <= amount <= MOST_DAYS:
            raise ValueError(f"a deadline of {amount} days; give 0–{MOST_DAYS}")
        day, left = start, amount
        provisional = self.is_provisional(start)
        if unit == "natural":
            day, left = start + amount * _DAY, 0
        while left or not self.is_working(day):
            day += _DAY
            provisional |= self.is_provisional(day)
            if left and self.is_working(day):
                left -= 1
        return Due(day, provisional or self.is_provisional(day))

    def working_days(self, after: date, through: date) -> int:
        """How many days are worked after `after` up to and with `through`; negative when `through` is the earlier."""
        if through < after:
            return -self.working_days(through, after)
        return sum(self.is_working(after + n * _DAY) for n in range(1, (through - after).days + 1))


def make_calendar(years: Iterable[Year], *, hall: str = "") -> Calendar:
    """The calendar of a hall: of each year the highest version stands."""
    newest: dict[tuple[str, int], Year] = {}
    for each in years:
        key = (each.scope, each.year)
        if each.scope in ("", hall) and (key not in newest or each.version >= newest[key].version):
            newest[key] = each
    national = {each.year: each for (scope, _), each in newest.items() if not scope}
    return Calendar(national, tuple(each for (scope, _), each in sorted(newest.items()) if scope))
