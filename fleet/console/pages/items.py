"""事项: a hall's items: search, detail, import with a report before anything is written, building and publishing packs."""

from collections.abc import Sequence
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.responses import RedirectResponse
from nicegui import ui

from fleet.console import labels
from fleet.console.lists import pager
from fleet.console.page import Page
from fleet.console.pages.items_change import import_card, packs_card
from fleet.console.parts import Tag, card, chip, link, pairs, select, table, text_input
from fleet.console.site import Site
from pack.model import Duration, Item, Text

PER_PAGE = 25


def mount(app: FastAPI, site: Site) -> None:
    """Add the pages."""

    @ui.page("/items")
    def items(page: Page = Depends(site.guard()), hall: str = "", q: str = "", status: str = "", at: int = 1) -> None:
        halls = page.fleet.registry.halls()
        if hall not in {each.code for each in halls}:
            # The hall whose content is kept here, rather than the first by name.
            hall = max((each.code for each in halls), key=lambda code: len(page.fleet.items.items(code)), default="")
        with site.frame(page, "items", page.say("事项", "Items")):
            if not hall:
                with card():
                    Tag(
                        "p",
                        page.say(
                            "先登记大厅：nw-fleet items import hall.json", "Register a hall first: nw-fleet items import hall.json"
                        ),
                        "empty",
                    )
                return
            asked = {"hall": hall, "q": q[:100], "status": status}
            _filters(page, asked)
            with Tag("div", classes="two"):
                _list(page, asked, max(1, at))
                with Tag("div", classes="stack"):
                    packs_card(page, hall)
                    if page.may("operate"):
                        import_card(page, hall)

    @ui.page("/items/{hall}/{code}")
    def item(hall: str, code: str, page: Page = Depends(site.guard())) -> RedirectResponse | None:
        found = page.fleet.items.items(hall).get(code)
        if found is None:
            return RedirectResponse("/items")
        with site.frame(page, "items", words(page, found.name), crumb=(page.say("事项", "Items"), f"/items?hall={hall}")):
            _detail(page, hall, found)
        return None


def words(page: Page, text: Text | None) -> str:
    """A text of the content in the visitor's language."""
    return text.get("en" if page.language == "en" else "zh") if text else ""


def _filters(page: Page, asked: dict[str, str]) -> None:
    with Tag("form", classes="filters", method="get", action="/items"):
        select(
            "hall",
            page.say("大厅", "Hall"),
            [(hall.code, page.title(hall.title)) for hall in page.fleet.registry.halls()],
            asked["hall"],
        )
        text_input("q", page.say("名称、别名或编码", "Name, alias or code"), asked["q"], type="search")
        states = [("", page.say("全部", "All"))] + [
            (key, labels.label(labels.ITEM_STATES, key, page.language)) for key in labels.ITEM_STATES
        ]
        select("status", page.say("状态", "State"), states, asked["status"])
        Tag("button", page.say("查找", "Search"), "btn", type="submit")


def matches(item: Item, needle: str) -> bool:
    """Whether an item has the text in its name, aliases or code."""
    texts = (item.name.zh, item.name.en, item.name.ko, item.code, *item.aliases, item.short_name.zh if item.short_name else "")
    return not needle or any(needle in each.lower() for each in texts)


def _list(page: Page, asked: dict[str, str], at: int) -> None:
    needle = asked["q"].strip().lower()
    every = page.fleet.items.items(asked["hall"]).values()
    found = sorted(
        (item for item in every if asked["status"] in ("", item.status) and matches(item, needle)),
        key=lambda item: (item.popularity or 10**9, item.code),
    )
    pages = max(1, (len(found) + PER_PAGE - 1) // PER_PAGE)
    at = min(at, pages)
    with card(page.say(f"{len(found)} 个事项", f"{len(found)} items")):
        if not found:
            Tag("p", page.say("没有符合条件的事项", "No item fits"), "empty")
            return
        rows = [_row(page, asked["hall"], item) for item in found[(at - 1) * PER_PAGE : at * PER_PAGE]]
        table(
            (
                page.say("名称与编码", "Name and code"),
                page.say("办理", "Handling"),
                page.say("指南", "Guide"),
                page.say("状态", "State"),
            ),
            rows,
        )
        pager(page, "/items", asked, at=at, has_more=at < pages, told=page.say(f"第 {at} / {pages} 页", f"Page {at} of {pages}"))


def named_item(name: str, hall: str, code: str) -> None:
    """An item's name as a link, with its code below."""
    with Tag("div"):
        link(name, f"/items/{hall}/{code}")
        Tag("div", code, "mono soft")


def _row(page: Page, hall: str, item: Item) -> Sequence[Any]:
    zh, en, tone = labels.ITEM_STATES[item.status]
    return (
        lambda: named_item(words(page, item.name), hall, item.code),
        labels.label(labels.HANDLINGS, item.handling, page.language),
        page.say("完整", "Complete") if item.guide else page.say("仅要素", "Core only"),
        lambda: chip(page.say(zh, en), tone),
    )


def _detail(page: Page, hall: str, item: Item) -> None:
    departments = {each.code: words(page, each.name) for each in _departments(page, hall)}
    with card(page.say("要素", "Core")):
        rows = [
            (page.say("编码", "Code"), item.code),
            (page.say("部门", "Department"), departments.get(item.department, item.department)),
            (page.say("办理", "Handling"), labels.label(labels.HANDLINGS, item.handling, page.language)),
            (page.say("法定时限", "Legal limit"), limit(page, item.legal_limit)),
            (page.say("承诺时限", "Promise"), limit(page, item.promise)),
            (page.say("收费", "Charged"), page.say("是", "Yes") if item.charged else page.say("否", "No")),
            (page.say("电话", "Phone"), item.phone or "—"),
            (page.say("别名", "Aliases"), page.say("、", ", ").join(item.aliases) or "—"),
        ]
        if item.place:
            rows.append(
                (
                    page.say("地点", "Place"),
                    f"{words(page, item.place.floor)} {words(page, item.place.zone)} {' '.join(item.place.windows)}",
                )
            )
        rows += [(page.say("未识别：", "Not understood: ") + key, value) for key, value in sorted(item.unread.items())]
        pairs(rows)
    if item.guide is None:
        with card():
            Tag("p", page.say("还没有完整办事指南", "No complete guide yet"), "empty")
        return
    with card(page.say("申请材料", "What to bring")):
        table(
            (page.say("材料", "Document"), page.say("份数", "Copies"), page.say("说明", "Note")),
            [(words(page, each.name), str(each.copies), words(page, each.note) or "—") for each in item.guide.materials],
            numbers=(1,),
        )
    with card(page.say("办理流程", "Steps")):
        table(
            (page.say("环节", "Step"), page.say("由谁", "By"), page.say("时限", "Limit")),
            [(words(page, each.name), words(page, each.by) or "—", limit(page, each.limit)) for each in item.guide.steps],
        )


def _departments(page: Page, hall: str) -> Sequence[Any]:
    try:
        return page.fleet.items.content(hall).departments
    except LookupError:
        return ()


def limit(page: Page, duration: Duration | None) -> str:
    """A time limit in words."""
    if duration is None:
        return "—"
    units = {"hour": ("小时", "h"), "working_day": ("个工作日", "working days"), "day": ("天", "days"), "month": ("个月", "months")}
    if duration.unit == "at_once":
        return page.say("即时办结", "At once")
    return f"{duration.amount} {page.say(*units[duration.unit])}"
