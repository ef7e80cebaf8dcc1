"""差评工单: the list with its filters, by state, card, hall and deadline."""

from urllib.parse import urlencode

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from nicegui import ui

from fleet.console import labels, order_words
from fleet.console.lists import download, pager
from fleet.console.page import Page
from fleet.console.pages import work_order
from fleet.console.parts import Cell, Tag, card, chip, kpi, link, mark, select, table
from fleet.console.site import Site
from fleet.oversight.cards import LIGHTS
from fleet.oversight.order_view import Order
from fleet.oversight.rules import STATES

PER_PAGE = 30
MOST_LISTED = 5_000
SHOWN = {"open": ("办理中", "Open"), "done": ("已结束", "Done"), "all": ("全部", "All")}
DUES = {
    "": ("全部时限", "Any deadline"),
    "late": ("已逾期", "Late"),
    "today": ("今天到期", "Due today"),
    "soon": ("三天内", "In three days"),
}


def mount(app: FastAPI, site: Site) -> None:
    """Add the list, one order's page and the download."""

    @ui.page("/work-orders")
    def orders(
        page: Page = Depends(site.guard("handle")),
        show: str = "open",
        state: str = "",
        card: str = "",
        due: str = "",
        hall: str = "",
        at: int = 1,
    ) -> None:
        asked = _asked(show=show, state=state, card=card, due=due, hall=hall)
        with site.frame(page, "work-orders", page.say("差评工单", "Work orders")) as head:
            with head, Tag("div", classes="end"):
                link(page.say("导出 CSV", "Export CSV"), f"/work-orders.csv?{urlencode(asked)}", "btn")
            _filters(page, asked)
            site.live(page, lambda: _body(page, asked, max(1, at)), shows=lambda: _found(page, asked), every_s=4.0)

    @app.get("/work-orders.csv", include_in_schema=False)
    def export(
        page: Page = Depends(site.guard("handle")),
        show: str = "open",
        state: str = "",
        card: str = "",
        due: str = "",
        hall: str = "",
    ) -> Response:
        found = _found(page, _asked(show=show, state=state, card=card, due=due, hall=hall))
        return download("work-orders", CSV_HEAD, (csv_row(order) for order in found))

    work_order.mount(app, site)


def _asked(*, show: str, state: str, card: str, due: str, hall: str) -> dict[str, str]:
    return {
        "show": show if show in SHOWN else "open",
        "state": state if state in STATES else "",
        "card": card if card in LIGHTS else "",
        "due": due if due in DUES else "",
        "hall": hall[:64],
    }


def _found(page: Page, asked: dict[str, str]) -> list[Order]:
    orders = page.fleet.oversight.orders
    found = orders.listing(page.actor, hall=asked["hall"], show=asked["show"], limit=MOST_LISTED)
    if asked["state"]:
        found = [order for order in found if order.standing.state == asked["state"]]
    if asked["card"]:
        found = [order for order in found if order.light == asked["card"]]
    if asked["due"]:
        most = {"late": -1, "today": 0, "soon": 3}[asked["due"]]
        found = [order for order in found if order.deadline and (order.deadline.due.day - orders.today(order.hall)).days <= most]
    # What has to be done first stands first; what is done, by its number.
    return sorted(found, key=lambda order: (order.deadline.due.day.isoformat() if order.deadline else "9", -order.no))


def _filters(page: Page, asked: dict[str, str]) -> None:
    with Tag("form", classes="filters", method="get", action="/work-orders"):
        select("show", page.say("范围", "Show"), [(key, page.say(*row)) for key, row in SHOWN.items()], asked["show"])
        every = [("", page.say("全部状态", "Any state"))]
        states = [(key, labels.label(order_words.STATES, key, page.language)) for key in STATES]
        select("state", page.say("状态", "State"), every + states, asked["state"])
        lights = [(key, labels.label(order_words.LIGHTS, key, page.language)) for key in LIGHTS]
        select("card", page.say("亮牌", "Card"), [("", page.say("全部", "Any")), *lights], asked["card"])
        select("due", page.say("时限", "Deadline"), [(key, page.say(*row)) for key, row in DUES.items()], asked["due"])
        halls = [(hall.code, page.title(hall.title)) for hall in page.fleet.registry.halls()]
        select("hall", page.say("大厅", "Hall"), [("", page.say("全部大厅", "All halls")), *halls], asked["hall"])
        Tag("button", page.say("查看", "Show"), "btn", type="submit")


def _body(page: Page, asked: dict[str, str], at: int) -> None:
    found = _found(page, asked)
    with Tag("div", classes="cards three"):
        count = {light: sum(order.light == light for order in found) for light in LIGHTS}
        kpi(page.say("工单", "Orders"), f"{len(found):,}", page.say(*SHOWN[asked["show"]]))
        kpi(page.say("黄牌", "Yellow cards"), str(count["yellow"]), "", "warn" if count["yellow"] else "")
        red = count["red"] + count["red2"]
        kpi(page.say("红牌", "Red cards"), str(red), "", "bad" if red else "")
    if not page.may("supervise"):
        said = page.say(
            "这里是交您办理的工单。为保护评价人，工单在所在五条评价满后的下一个工作日才显示，并且不显示日期和事项。",
            "Orders assigned to you. To protect raters they appear the working day after their block of five is whole.",
        )
        Tag("p", said, "hint card small")
    with card():
        if not found:
            Tag("p", page.say("没有工单", "No orders"), "empty")
            return
        head = tuple(
            page.say(*pair)
            for pair in (
                ("编号", "No."),
                ("窗口", "Window"),
                ("评价日", "Day"),
                ("等级", "Level"),
                ("状态", "State"),
                ("承办人", "Assigned to"),
                ("下一步", "Next step"),
                ("时限", "Deadline"),
                ("亮牌", "Card"),
            )
        )
        table(head, [_row(page, order) for order in found[(at - 1) * PER_PAGE : at * PER_PAGE]])
        pager(page, "/work-orders", asked, at=at, has_more=len(found) > at * PER_PAGE)


def _row(page: Page, order: Order) -> tuple[Cell, ...]:
    state = order_words.STATES[order.standing.state]
    light = order_words.LIGHTS[order.light]
    return (
        lambda: link(f"#{order.no}", f"/work-orders/{order.no}"),
        work_order.window(page, order),
        work_order.days(page, order),
        f"{order.level} {labels.label(labels.LEVELS, order.level, page.language)}",
        lambda: chip(page.say(state[0], state[1]), state[2]),
        page.person(order.standing.assigned_to) if order.standing.assigned_to else "—",
        labels.label(order_words.NEXT, order.deadline.step, page.language) if order.deadline else "—",
        work_order.due(page, order),
        (lambda: mark(page.say(light[0], light[1]), light[2])) if not order.standing.is_done else "—",
    )


CSV_HEAD = (
    "no",
    "hall",
    "window",
    "first_day",
    "last_day",
    "level",
    "state",
    "class",
    "assigned_to",
    "next",
    "due",
    "provisional",
    "card",
)


def csv_row(order: Order) -> tuple[object, ...]:
    """One order in the download."""
    line = order.deadline
    ends = (line.step, line.due.day, line.due.provisional) if line else ("", "", "")
    who = (order.standing.state, order.standing.classification, order.standing.assigned_to)
    return (order.no, order.hall, order.window, *work_order.ends(order), order.level, *who, *ends, order.light)
