"""评价: figures with n and participation, by window, clerk, item, hour and day; reasons; single ratings for supervision."""

from collections.abc import Sequence
from datetime import date, timedelta
from urllib.parse import urlencode

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from nicegui import ui

from fleet.console import labels
from fleet.console.lists import download, pager
from fleet.console.page import Page
from fleet.console.pages.items import named_item
from fleet.console.parts import Cell, Tag, bar, card, kpi, link, select, table
from fleet.console.site import Site
from fleet.console.visitor import in_fives, interval, percent
from fleet.ratings.figures import Group, RatingRow
from fleet.ratings.rules import LEVELS, Tally

DIMENSIONS = {
    "window": ("窗口", "Window"),
    "item": ("事项", "Item"),
    "clerk": ("工作人员", "Clerk"),
    "hour": ("时段", "Hour"),
    "day": ("日期", "Day"),
    "stage": ("环节", "Stage"),
    "channel": ("渠道", "Channel"),
}
SPANS = {"1": ("今天", "Today"), "7": ("近 7 天", "7 days"), "30": ("近 30 天", "30 days"), "90": ("近 90 天", "90 days")}
PER_PAGE = 30


def mount(app: FastAPI, site: Site) -> None:
    """Add the page and its download."""

    @ui.page("/ratings")
    def ratings(
        page: Page = Depends(site.guard()), hall: str = "", days: str = "30", by: str = "window", level: str = "", at: int = 1
    ) -> None:
        asked = {"hall": hall, "days": days if days in SPANS else "30", "by": by if by in DIMENSIONS else "window", "level": level}
        with site.frame(page, "ratings", page.say("评价", "Ratings")) as head:
            with head, Tag("div", classes="end"):
                link(page.say("导出 CSV", "Export CSV"), f"/ratings.csv?{urlencode(asked)}", "btn")
            _filters(page, asked)
            site.live(page, lambda: _body(page, asked, max(1, at)), every_s=4.0)

    @app.get("/ratings.csv", include_in_schema=False)
    def export(page: Page = Depends(site.guard()), hall: str = "", days: str = "30", by: str = "window") -> Response:
        asked = {"hall": hall, "days": days if days in SPANS else "30", "by": by if by in DIMENSIONS else "window"}
        groups = page.fleet.ratings.by(asked["by"], *_span(page, asked), hall=hall, supervised=page.may("supervise"))  # type: ignore[arg-type]
        return download(f"ratings-by-{asked['by']}", CSV_HEAD, (csv_row(page, asked["by"], group) for group in groups))


def _span(page: Page, asked: dict[str, str]) -> tuple[date, date]:
    last = page.fleet.ratings.today(asked["hall"])
    return last - timedelta(days=int(asked["days"]) - 1), last


def _filters(page: Page, asked: dict[str, str]) -> None:
    with Tag("form", classes="filters", method="get", action="/ratings"):
        halls = [("", page.say("全部大厅", "All halls"))] + [
            (hall.code, page.title(hall.title)) for hall in page.fleet.registry.halls()
        ]
        select("hall", page.say("大厅", "Hall"), halls, asked["hall"])
        select("days", page.say("时间", "Time"), [(key, page.say(*row)) for key, row in SPANS.items()], asked["days"])
        select("by", page.say("分组", "Group by"), [(key, page.say(*row)) for key, row in DIMENSIONS.items()], asked["by"])
        Tag("button", page.say("查看", "Show"), "btn", type="submit")


def _body(page: Page, asked: dict[str, str], at: int) -> None:
    first, last = _span(page, asked)
    service, hall = page.fleet.ratings, asked["hall"]
    supervised = page.may("supervise")
    total = service.total(first, last, hall=hall, supervised=supervised)
    _figures(page, total)
    if not supervised:
        Tag("p", in_fives(page), "hint card small")
    groups = service.by(asked["by"], first, last, hall=hall, supervised=supervised)  # type: ignore[arg-type]
    with Tag("div", classes="two"):
        _levels(page, total)
        _reasons(page, service.reasons(first, last, hall=hall, supervised=supervised))
    _groups(page, asked, groups)
    _outcomes(page, service.outcomes(first, last, hall=hall))
    if page.may("supervise"):
        _listing(page, asked, first, last, at)


def _figures(page: Page, total: Tally) -> None:
    with Tag("div", classes="cards"):
        kpi(page.say("好评率", "Satisfaction"), percent(total.satisfaction), f"n={total.shown:,} · 95% {interval(total)}")
        kpi(
            page.say("参评率", "Participation"),
            percent(total.participation),
            page.say(f"{total.rated:,} / {total.services:,} 次服务", f"{total.rated:,} of {total.services:,} services"),
        )
        kpi(
            page.say("差评率", "Negative"),
            percent(total.negative_rate),
            page.say(f"{total.negative} 个差评", f"{total.negative} negative"),
            "bad" if total.negative else "",
        )
        if total.excluded:
            kpi(
                page.say("申诉成立后好评率", "Satisfaction after appeals"),
                percent(total.satisfaction_without),
                page.say(f"剔除 {total.excluded} 个申诉成立的差评", f"{total.excluded} excluded by upheld appeals"),
            )
        kpi(page.say("未评价", "Not rated"), f"{total.not_rated:,}", page.say("已邀请，没有按", "Invited, not pressed"))
        kpi(
            page.say("不计入", "Not counted"),
            f"{total.uninvited + total.repeated:,}",
            page.say(
                f"未受邀 {total.uninvited} · 重复 {total.repeated}", f"Uninvited {total.uninvited} · repeated {total.repeated}"
            ),
        )


def _levels(page: Page, total: Tally) -> None:
    with card(page.say("五个等级", "Five levels")), Tag("div"):
        for level in LEVELS:
            count = total.levels.get(level, 0)
            share = count / total.shown if total.shown else 0
            with Tag("div", classes="rank"):
                Tag("span", f"{level} {labels.label(labels.LEVELS, level, page.language)}")
                bar(share, "bad" if level <= 2 else "")
                Tag("span", percent(share if total.shown else None), "num")
                Tag("span", f"n={count:,}", "soft")


def _reasons(page: Page, reasons: dict[str, int]) -> None:
    with card(page.say("评价理由", "Reasons")):
        if not reasons:
            Tag("p", page.say("这段时间没有人选理由", "Nobody chose a reason in this time"), "empty")
            return
        most = max(reasons.values())
        with Tag("div"):
            for tag, count in list(reasons.items())[:8]:
                with Tag("div", classes="rank"):
                    Tag("span", labels.reason(tag, page.language))
                    bar(count / most, "bad" if tag.startswith(("lv1", "lv2")) else "")
                    Tag("span", str(count), "num")
                    Tag("span", "")


def _groups(page: Page, asked: dict[str, str], groups: Sequence[Group]) -> None:
    name = page.say(*DIMENSIONS[asked["by"]])
    with card(page.say(f"按{name}", f"By {name.lower()}")):
        if not groups:
            Tag("p", page.say("这段时间没有评价", "No ratings in this time"), "empty")
            return
        rows = [_group(page, asked["by"], group) for group in sorted(groups, key=lambda each: (each.hall, each.value))]
        head = (
            name,
            page.say("好评率", "Satisfaction"),
            "95%",
            page.say("差评率", "Negative"),
            "n",
            page.say("参评率", "Participation"),
            page.say("评价数", "Ratings"),
            page.say("服务数", "Services"),
        )
        table(head, rows, numbers=(1, 2, 3, 4, 5, 6, 7))


def _group(page: Page, dimension: str, group: Group) -> Sequence[Cell]:
    tally = group.tally
    value = _value(page, dimension, group)
    return (
        (lambda: named_item(value, group.hall, group.value)) if dimension == "item" and value != group.value else value,
        percent(tally.satisfaction),
        interval(tally),
        percent(tally.negative_rate),
        f"{tally.shown:,}",
        percent(tally.participation),
        f"{tally.rated:,}",
        f"{tally.services:,}",
    )


def _value(page: Page, dimension: str, group: Group) -> str:
    value = group.value
    if dimension == "hour":
        return f"{value}:00–{value}:59"
    if dimension == "stage":
        return labels.label(labels.STAGES, value, page.language)
    if dimension == "channel":
        return labels.label(labels.CHANNELS, value, page.language)
    if dimension == "window":
        found = [window for window in page.fleet.registry.windows(group.hall) if window.number == value]
        return f"{value} {page.title(found[0].business)}" if found else value
    if dimension == "clerk":
        names = {person.number: person.name for person in page.fleet.registry.staff(group.hall)}
        return f"{value} {names[value]}" if value in names else value
    if dimension == "item":
        return _item(page, group.hall, value)
    return value


def _item(page: Page, hall: str, code: str) -> str:
    """An item's name, or its code when the hall's list does not have it."""
    name = page.fleet.items.names(hall).get(code)
    return (name.en if page.language == "en" else name.zh) or code if name else code


def _outcomes(page: Page, outcomes: dict[str, dict[str, int]]) -> None:
    prints, visits = outcomes["prints"], outcomes["visits"]
    if not prints and not visits:
        return
    with Tag("div", classes="two"):
        with card(page.say("打印结果", "Print outcomes")):
            table(
                (page.say("结果", "Outcome"), "n"),
                [(labels.label(labels.PRINTS, key, page.language), f"{prints[key]:,}") for key in labels.PRINTS if key in prints]
                or [(page.say("没有打印", "No prints"), "0")],
                numbers=(1,),
            )
        with card(page.say("自助终端使用", "Terminal visits")):
            hows = {
                "done": ("办完离开", "Finished"),
                "timeout": ("超时离开", "Timed out"),
                "door": ("开门中断", "Door opened"),
                "restart": ("重启中断", "Restarted"),
                "face_lost": ("程序中断", "Program lost"),
                "open": ("进行中", "Under way"),
            }
            table(
                (page.say("如何结束", "How it ended"), "n"),
                [(labels.label(hows, key, page.language), f"{count:,}") for key, count in sorted(visits.items())],
                numbers=(1,),
            )


def _listing(page: Page, asked: dict[str, str], first: date, last: date, at: int) -> None:
    level = int(asked["level"]) if asked["level"] in ("1", "2", "3", "4", "5") else None
    rows = page.fleet.ratings.listing(first, last, hall=asked["hall"], level=level, limit=PER_PAGE + 1, offset=(at - 1) * PER_PAGE)
    with card(page.say("逐条评价（仅监督）", "Single ratings (supervision)")):
        with Tag("div", classes="segment"):
            for key, name in (("", page.say("全部", "All")), *((str(each), str(each)) for each in LEVELS)):
                link(name, f"/ratings?{urlencode(asked | {'level': key})}", "here" if key == asked["level"] else "")
        if not rows:
            Tag("p", page.say("没有", "None"), "empty")
            return
        head = (
            page.say("时间", "At"),
            page.say("窗口", "Window"),
            page.say("等级", "Level"),
            page.say("理由", "Reasons"),
            page.say("事项", "Item"),
            page.say("计入", "Counted"),
            page.say("凭证", "Receipt"),
        )
        table(head, [_rating(page, row) for row in rows[:PER_PAGE]])
        pager(page, "/ratings", asked, at=at, has_more=len(rows) > PER_PAGE)


def _rating(page: Page, row: RatingRow) -> Sequence[str]:
    level = "—" if row.level is None else f"{row.level} {labels.label(labels.LEVELS, row.level, page.language)}"
    clock = "" if row.clock_trust else page.say("（时钟未校准）", " (clock not set)")
    return (
        page.moment(row.at_ms) + clock,
        row.window or labels.label(labels.CHANNELS, row.channel, page.language),
        level,
        page.say("、", ", ").join(labels.reason(tag, page.language) for tag in row.reasons) or "—",
        _item(page, row.hall, row.item) if row.item else "—",
        labels.label(labels.STANDINGS, row.standing_of, page.language),
        row.receipt or "—",
    )


CSV_HEAD = (
    "hall",
    "value",
    "name",
    "first_day",
    "last_day",
    "n",
    "shown",
    "services",
    *(f"level_{level}" for level in LEVELS),
    "satisfaction",
    "low_95",
    "high_95",
    "participation",
)


def csv_row(page: Page, dimension: str, group: Group) -> Sequence[object]:
    """One group in the download."""
    tally, ends = group.tally, group.tally.interval or (None, None)
    days = (group.first or "", group.last or "")
    counts = (tally.rated, tally.shown, tally.services, *(tally.levels.get(level, 0) for level in LEVELS))
    rates = (tally.satisfaction, *ends, tally.participation)
    name = _value(page, dimension, group)
    return (group.hall, group.value, name, *days, *counts, *("" if rate is None else f"{rate:.4f}" for rate in rates))
