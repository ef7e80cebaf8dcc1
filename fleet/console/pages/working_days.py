"""工作日历: a year month by month, where it comes from, a hall's limits, and when a deadline would end."""

import calendar as months
from datetime import date

from fastapi import Depends, FastAPI
from nicegui import ui

from fleet.console.page import Page
from fleet.console.parts import Cell, Entry, Tag, button, card, chip, pairs, select, table, text_input
from fleet.console.site import Site
from fleet.oversight.calendar import MOST_DAYS, Calendar
from fleet.oversight.calendars_kept import FIRST_YEAR, LAST_YEAR
from fleet.oversight.limits import NAMES

WEEK = (("一", "Mo"), ("二", "Tu"), ("三", "We"), ("四", "Th"), ("五", "Fr"), ("六", "Sa"), ("日", "Su"))


def mount(_app: FastAPI, site: Site) -> None:
    """Add the page."""

    @ui.page("/working-days")
    def working_days(page: Page = Depends(site.guard()), hall: str = "", year: str = "", start: str = "", days: str = "") -> None:
        halls = page.fleet.registry.halls()
        known = hall if hall in {each.code for each in halls} else (halls[0].code if halls else "")
        today = page.fleet.oversight.orders.today(known)
        shown = int(year) if year.isascii() and year.isdigit() and FIRST_YEAR <= int(year[:5]) <= LAST_YEAR else today.year
        calendar = page.fleet.oversight.calendars.of(known)
        with site.frame(page, "working-days", page.say("工作日历", "Working days")):
            with Tag("form", classes="filters", method="get", action="/working-days"):
                select("hall", page.say("大厅", "Hall"), [(each.code, page.title(each.title)) for each in halls], known)
                years = [(str(each), str(each)) for each in range(today.year - 2, today.year + 3)]
                select("year", page.say("年份", "Year"), years, str(shown))
                text_input("start", page.say("从哪天起", "From day"), start[:10] or today.isoformat(), type="date")
                text_input("days", page.say("工作日数", "Working days"), days[:4] or "5", inputmode="numeric")
                Tag("button", page.say("查看", "Show"), "btn", type="submit")
            _due(page, calendar, start[:10] or today.isoformat(), days[:4] or "5")
            _year(page, calendar, shown, today)
            _sources(page, calendar, shown)
            _limits(page, known)


def _due(page: Page, calendar: Calendar, start: str, days: str) -> None:
    with card(page.say("到期日", "Deadline")):
        try:
            due = calendar.due(date.fromisoformat(start), int(days))
        except (ValueError, OverflowError):
            Tag("p", page.say(f"请填日期和 0–{MOST_DAYS} 的天数", f"give a date and 0–{MOST_DAYS} days"), "bad")
            return
        said = page.say(f"{start} 起 {days} 个工作日（当日不计）：{due.day}", f"{days} working days after {start}: {due.day}")
        Tag("p", said, "strong")
        if due.provisional:
            Tag(
                "p",
                page.say("暂定：当年放假通知尚未导入，按周一至周五计算。", "Provisional: that year's notice is not known yet."),
                "warn",
            )


def _year(page: Page, calendar: Calendar, year: int, today: date) -> None:
    with card(str(year)):
        if year not in calendar.national:
            chip(page.say("暂定：周一至周五", "Provisional: Monday to Friday"), "warn")
        with Tag("div", classes="months"):
            for month in range(1, 13):
                _month(page, calendar, year, month, today)
        with Tag("p", classes="legend"):
            for name, zh, en in (("off", "休", "Day off"), ("makeup", "班：周末补班", "Weekend worked")):
                with Tag("span"):
                    Tag("i", classes=f"day {name}")
                    Tag("span", page.say(zh, en))


def _month(page: Page, calendar: Calendar, year: int, month: int, today: date) -> None:
    with Tag("table", classes="month", aria_label=f"{year}-{month:02d}"):
        Tag("caption", page.say(f"{month} 月", months.month_name[month]))
        with Tag("thead"), Tag("tr"):
            for pair in WEEK:
                Tag("th", page.say(*pair), scope="col")
        with Tag("tbody"):
            for week in months.Calendar().monthdatescalendar(year, month):
                with Tag("tr"):
                    for day in week:
                        if day.month != month:
                            Tag("td")
                            continue
                        works, weekend = calendar.is_working(day), day.weekday() > 4
                        kind = ("makeup" if weekend else "") if works else ("off" if calendar.occasion(day) else "weekend")
                        said = calendar.occasion(day) or (page.say("补班", "worked") if kind == "makeup" else "")
                        # A word and not colour alone tells days off from days worked.
                        mark = page.say("休", "off") if kind == "off" else page.say("班", "work") if kind == "makeup" else ""
                        with Tag("td", classes=f"day {kind}{' now' if day == today else ''}", title=said):
                            Tag("span", str(day.day))
                            if mark:
                                Tag("small", mark)


def _sources(page: Page, calendar: Calendar, year: int) -> None:
    with card(page.say("依据", "Sources")):
        found = [each for each in (calendar.national.get(year), *calendar.local) if each is not None]
        rows: list[tuple[Cell, ...]] = [
            (str(each.year) if each.year else page.say("每年", "Every year"), str(each.version), each.source) for each in found
        ]
        if rows:
            table((page.say("年份", "Year"), page.say("版本", "Version"), page.say("依据", "Source")), rows)
        else:
            Tag("p", page.say("还没有当年的通知", "No notice of this year yet"), "empty")
        Tag(
            "p",
            page.say("用 nw-fleet calendar import 导入，见 docs/oversight.md。", "Import with nw-fleet calendar import."),
            "soft small",
        )


def _limits(page: Page, hall: str) -> None:
    with card(page.say("工单时限（工作日）", "Limits of work orders (working days)")):
        now = page.fleet.oversight.limits.of(hall)
        if not page.may("supervise") or not hall:
            pairs([(page.say(*names), str(getattr(now, name))) for name, names in NAMES.items()])
            return
        with Tag("div", classes="form"):
            fields = {name: Entry(page.say(*names), str(getattr(now, name))) for name, names in NAMES.items()}

        def save() -> None:
            given = {name: field.value for name, field in fields.items()}
            book = page.fleet.oversight.limits
            deed = lambda who: book.put(hall, given, by=who.name, address=who.address)  # noqa: E731
            if page.act("supervise", deed, done=page.say("已保存，在办工单随即按新时限计算", "Saved; open orders follow at once")):
                page.fleet.watch.bump()

        with Tag("div", classes="btns"):
            button(page.say("保存", "Save"), save, kind="main-act")
