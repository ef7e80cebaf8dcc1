"""总览: is everything all right, and if not, what do I do next?"""

from collections.abc import Sequence
from datetime import timedelta

from fastapi import Depends, FastAPI
from nicegui import ui

from fleet.console import incident_rows
from fleet.console.chart import Point, trend
from fleet.console.page import Page
from fleet.console.parts import Tag, bar, card, kpi, table
from fleet.console.site import Site
from fleet.console.visitor import in_fives, interval, percent
from fleet.ratings.rules import Tally
from fleet.watch.model import Known

ROWS = 6
DAYS = 30


def mount(app: FastAPI, site: Site) -> None:
    """Add the page."""

    @ui.page("/")
    def overview(page: Page = Depends(site.guard())) -> None:
        with site.frame(page, "overview", page.say("总览", "Overview"), shown=False):
            site.live(page, lambda: _top(page), every_s=4.0)
            site.live(page, lambda: _matters(page), shows=lambda: incident_rows.facts(page, page.fleet.watch.incidents.list()))
            with Tag("div", classes="two"):
                # Figures of a month: once a minute is enough, and a table that was opened stays so for a while.
                site.live(page, lambda: _trend(page), every_s=60.0)
                site.live(page, lambda: _windows(page), every_s=60.0)


def sentence(page: Page, count: int) -> str:
    """The one sentence that answers for everything."""
    if count:
        return page.say(f"现在有 {count} 件事要处理", f"{count} matter{'s' if count > 1 else ''} to deal with now")
    return page.say("一切正常", "All is well")


def _rest(page: Page) -> str:
    states = [each.state == "ok" for each in page.fleet.watch.abilities()]
    if not states:
        return page.say("还没有设备", "No devices yet")
    if all(states):
        return page.say(f"{len(states)} 项服务全部可用", f"All {len(states)} services are available")
    return page.say(f"其余 {sum(states)} 项服务正常", f"{sum(states)} services work normally")


def _top(page: Page) -> None:
    incidents = page.fleet.watch.incidents.list()
    with Tag("div", classes="head"):
        Tag("h1", sentence(page, sum(each.severity != "note" for each in incidents)))
        Tag("span", _rest(page), "soft")
    _figures(page, page.fleet.watch.devices())


def _matters(page: Page) -> None:
    incidents = page.fleet.watch.incidents.list()
    if all(each.severity == "note" for each in incidents):
        with Tag("section", classes="card calm"):
            Tag("span", classes="dot good", aria_hidden="true")
            Tag("span", page.say("没有要处理的事", "Nothing to deal with"))
    if incidents:
        title = page.say("待处理与预警", "To deal with, and coming up")
        with card(title, more=(page.say(f"全部 {len(incidents)} →", f"All {len(incidents)} →"), "/incidents")), Tag("div"):
            incident_rows.show(page, incidents[:ROWS])


def _figures(page: Page, devices: Sequence[Known]) -> None:
    fleet, today = page.fleet, page.fleet.ratings.today()
    abilities = fleet.watch.abilities()
    able = sum(each.state == "ok" for each in abilities)
    online = sum(each.seen == "online" for each in devices)
    tally = fleet.ratings.total(today, today, supervised=page.may("supervise"))
    waiting = len(fleet.pairings.all(state="waiting"))
    helps = sum(each.kind == "help" for each in fleet.watch.incidents.list())
    with Tag("div", classes="cards"):
        limited = len(abilities) - able
        note = page.say(f"{limited} 项受限", f"{limited} impaired") if limited else page.say("全部可用", "All available")
        kpi(page.say("服务能力", "Services"), f"{able} / {len(abilities)}", note, "bad" if limited else "good", to="/halls")
        away = len(devices) - online
        note = page.say(f"{away} 台失联或不明", f"{away} away or unknown") if away else page.say("全部在线", "All online")
        kpi(page.say("在线设备", "Devices online"), f"{online} / {len(devices)}", note, "bad" if away else "good", to="/devices")
        kpi(
            page.say("今日评价", "Ratings today"),
            f"{tally.rated:,}",
            page.say("参评率 ", "Participation ") + percent(tally.participation),
            to="/ratings",
        )
        kpi(
            page.say("今日好评率", "Satisfaction today"),
            percent(tally.satisfaction),
            f"n={tally.shown:,} · 95% {interval(tally)}",
            to="/ratings",
        )
        note = page.say(f"求助 {helps} · 待配对 {waiting}", f"Help {helps} · pairing {waiting}")
        kpi(
            page.say("有人在等", "People waiting"),
            str(helps + waiting),
            note,
            "bad" if helps else "warn" if waiting else "",
            to="/pairing" if waiting and not helps and page.may("operate") else "/incidents",
        )


def _trend(page: Page) -> None:
    today = page.fleet.ratings.today()
    first = today - timedelta(days=DAYS - 1)
    groups = {group.value: group.tally for group in page.fleet.ratings.by("day", first, today, supervised=page.may("supervise"))}
    days = [first + timedelta(days=index) for index in range(DAYS)]
    tallies = [groups.get(day.isoformat(), Tally(levels={})) for day in days]
    names = (page.say("好评率", "Satisfaction"), page.say("参评率", "Participation"))
    title = page.say(f"{names[0]}与{names[1]} · {DAYS} 天", f"{names[0]} and participation · {DAYS} days")
    with card(title):
        points = [
            Point(f"{day:%m-%d}", each.satisfaction, each.participation, each.rated)
            for day, each in zip(days, tallies, strict=True)
        ]
        ui.html(trend(points, title=title, names=names), sanitize=False).classes("chart-box")
        with Tag("div", classes="legend"):
            for colour, name in (("#1F5FA8", names[0]), ("#C9D9EC", names[1])):
                with Tag("span"):
                    Tag("i", style=f"background:{colour}")
                    Tag("span", name)
        if not page.may("supervise"):
            Tag("p", in_fives(page), "small soft")
        with Tag("details"):
            Tag("summary", page.say("看表格", "As a table"))
            rows = [
                (
                    f"{day:%m-%d}",
                    percent(each.satisfaction),
                    str(each.shown),
                    percent(each.participation),
                    str(each.rated),
                    str(each.services),
                )
                for day, each in reversed(list(zip(days, tallies, strict=True)))
            ]
            head = (page.say("日期", "Day"), names[0], "n", names[1], page.say("评价数", "Ratings"), page.say("服务数", "Services"))
            table(head, rows, numbers=(1, 2, 3, 4, 5), label=title)


def _windows(page: Page) -> None:
    today = page.fleet.ratings.today()
    first = today.replace(day=1)
    supervised = page.may("supervise")
    groups = page.fleet.ratings.by("window", first, today, supervised=supervised)
    windows = {
        (hall.code, window.number): page.title(window.business)
        for hall in page.fleet.registry.halls()
        for window in page.fleet.registry.windows(hall.code)
    }
    with (
        card(page.say("窗口（本月）", "Windows (this month)"), more=(page.say("全部 →", "All →"), "/ratings?by=window")),
        Tag("div"),
    ):
        shown = sorted((group for group in groups if group.tally.shown), key=lambda group: -group.tally.shown)
        for group in shown[:8]:
            share = group.tally.satisfaction or 0
            tone = "" if share >= 0.95 else "warn" if share >= 0.9 else "bad"
            with Tag("div", classes="rank"):
                Tag("span", f"{group.value} {windows.get((group.hall, group.value), '')}")
                bar(share, tone)
                Tag("span", percent(share), "num")
                Tag("span", f"n={group.tally.shown}", "soft nowrap")
        if not shown:
            Tag("p", page.say("满五个评价后次日显示", "Shown the day after five ratings"), "empty")
