"""The calendars there are: those that come with the release, and imported ones from the store. Reads and checks their files."""

import json
import time
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select

from fleet.access import audit
from fleet.access.errors import Explained
from fleet.oversight.calendar import EVERY_YEAR, Calendar, Year, make_calendar
from fleet.oversight.tables import calendar_years
from fleet.registry.service import Registry
from fleet.store import Store

FOLDER = Path(__file__).with_name("calendars")
MOST_BYTES = 65_536
FIRST_YEAR, LAST_YEAR = 2000, 2100


class CalendarRefused(Explained):
    """A calendar file that cannot be used; it says what is wrong with it."""


def read_year(text: str, *, hall: str = "", version: int = 0) -> Year:
    """One year from its file: {"year", "source", "holidays": {"2027-01-01": "元旦", …}, "workdays": ["…"]}.

    A hall's own file may have "every_year": {"09-03": "…"} in place of the year. Raises CalendarRefused.
    """
    try:
        raw = json.loads(text)
        if not isinstance(raw, dict) or len(text) > MOST_BYTES:
            raise ValueError("it is no JSON object, or larger than 64 KiB")
        unknown = set(raw) - {"year", "version", "source", "holidays", "workdays", "every_year"}
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        found = _yearly(raw) if "every_year" in raw else _dated(raw)
    except (ValueError, TypeError, AttributeError) as error:
        raise CalendarRefused(f"日历文件有误：{error}", f"the calendar file is wrong: {error}") from error
    if found["year"] == EVERY_YEAR and not hall:
        raise CalendarRefused("每年固定的休息日只能属于一个大厅", "days off every year belong to a hall; name it")
    source = str(raw.get("source", "")).strip()
    if not 1 <= len(source) <= 300:
        raise CalendarRefused("请在 source 中写明依据的通知", "name the notice it follows in `source` (1–300 characters)")
    return Year(**found, source=source, scope=hall, version=version or int(raw.get("version", 1)))


def _dated(raw: dict[str, Any]) -> dict[str, Any]:
    year = raw.get("year")
    if not isinstance(year, int) or not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"year is {year!r}; give {FIRST_YEAR}–{LAST_YEAR}")
    holidays = {_day(day): _occasion(name) for day, name in raw.get("holidays", {}).items()}
    workdays = frozenset(_day(day) for day in raw.get("workdays", []))
    for day in (*holidays, *workdays):
        if day.year != year:
            raise ValueError(f"{day} is not in {year}")
    if both := workdays & set(holidays):
        raise ValueError(f"{min(both)} is both off and worked")
    if weekday := [day for day in workdays if day.weekday() < 5]:
        raise ValueError(f"{min(weekday)} is no weekend day, so it needs no make-up")
    return {"year": year, "holidays": holidays, "workdays": workdays}


def _yearly(raw: dict[str, Any]) -> dict[str, Any]:
    if "year" in raw or "holidays" in raw or "workdays" in raw:
        raise ValueError("every_year stands alone, without year, holidays and workdays")
    holidays = {_day(f"2000-{day}"): _occasion(name) for day, name in raw["every_year"].items()}
    return {"year": EVERY_YEAR, "holidays": holidays}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text[:20]} is no day; write 2027-01-01 (every year: 09-03)") from error


def _occasion(name: object) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= 40:
        raise ValueError(f"the occasion of a day off is {str(name)[:40]!r}; name it in 1–40 characters")
    return name


@cache
def shipped() -> tuple[Year, ...]:
    """The years that come with the release."""
    return tuple(read_year(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json")))


class Calendars:
    """Gives each hall its calendar, and takes years in. Read from the store at most once a minute and after an import."""

    def __init__(
        self, store: Store, registry: Registry, *, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock_ms = clock_ms
        self._kept: tuple[int, tuple[Year, ...]] = (0, ())

    def years(self) -> tuple[Year, ...]:
        """Every year in every version, shipped ones first."""
        until_ms, found = self._kept
        if self._clock_ms() >= until_ms:
            order = (calendar_years.c.scope, calendar_years.c.year, calendar_years.c.version)
            with self._store.read() as connection:
                rows = connection.execute(select(calendar_years).order_by(*order)).all()
            found = (*shipped(), *(_from_row(row) for row in rows))
            self._kept = (self._clock_ms() + 60_000, found)
        return found

    def of(self, hall: str) -> Calendar:
        """The calendar of a hall; empty: of the country."""
        return make_calendar(self.years(), hall=hall)

    def take(self, text: str, *, hall: str = "", by: str, address: str = "") -> Year:
        """Import a year from its file as the next version. Deadlines follow at once. Raises CalendarRefused, NotKnown."""
        if hall:
            self._registry.hall(hall)
        year = read_year(text, hall=hall)
        older = [each.version for each in self.years() if (each.scope, each.year) == (hall, year.year)]
        with self._store.write() as connection:
            same = (calendar_years.c.scope == hall, calendar_years.c.year == year.year)
            stored = connection.execute(select(func.max(calendar_years.c.version)).where(*same)).scalar() or 0
            year = read_year(text, hall=hall, version=max([stored, *older]) + 1)
            values = {
                "holidays": {day.isoformat(): name for day, name in sorted(year.holidays.items())},
                "workdays": [day.isoformat() for day in sorted(year.workdays)],
            }
            key = {"scope": hall, "year": year.year, "version": year.version, "source": year.source}
            connection.execute(insert(calendar_years).values(**key, **values, imported_ms=self._clock_ms(), imported_by=by))
            said = f"{year.year} version {year.version}: {year.source}"
            audit.append(
                connection, at_ms=self._clock_ms(), actor=by, action="calendar.import", subject=hall, detail=said, address=address
            )
        self._kept = (0, ())
        return year


def _from_row(row: Any) -> Year:
    return Year(
        year=row.year,
        version=row.version,
        source=row.source,
        scope=row.scope,
        holidays={date.fromisoformat(day): name for day, name in row.holidays.items()},
        workdays=frozenset(date.fromisoformat(day) for day in row.workdays),
    )
