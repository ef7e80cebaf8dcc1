"""审计: who did what, newest first, with search and the check of the log's own chain."""

from urllib.parse import urlencode

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from nicegui import ui

from fleet.access.audit import Act
from fleet.console import deeds, labels
from fleet.console.lists import download
from fleet.console.page import Page
from fleet.console.parts import Cell, Tag, button, link, table, text_input
from fleet.console.site import Site

PER_PAGE = 50
ROUTINE = ("command.invite", "command.withdraw")
"""What other systems do thousands of times a day; left out unless asked for, so that people's deeds can be found."""
MOST_NO = 2**63 - 1
MOST_EXPORTED = 100_000


def mount(app: FastAPI, site: Site) -> None:
    """Add the page and its download."""

    @ui.page("/audit")
    def audit(page: Page = Depends(site.guard("administer")), q: str = "", before: int = 0, all: str = "") -> None:
        with site.frame(page, "audit", page.say("审计", "Audit")) as head:
            with head, Tag("div", classes="end"):
                button(page.say("校验链条", "Check the chain"), lambda: _verify(page))
                link(page.say("导出 CSV", "Export CSV"), "/audit.csv", "btn")
            with Tag("form", classes="filters", method="get", action="/audit"):
                text_input("q", page.say("人、动作、对象", "Person, deed, subject"), q[:100], type="search")
                Tag("button", page.say("查找", "Search"), "btn", type="submit")
            said = ("不看业务系统的邀请", "Hide invitations by other systems")
            if not all:
                said = ("也看业务系统的邀请", "Show invitations by other systems")
            with Tag("p", classes="small soft"):
                link(page.say(*said), f"/audit?{urlencode({'q': q[:100]} | ({} if all else {'all': '1'}))}")
            _rows(page, q[:100], min(before, MOST_NO), everything=bool(all))

    @app.get("/audit.csv", include_in_schema=False)
    def export(page: Page = Depends(site.guard("administer"))) -> Response:
        head = ("no", "at", "actor", "action", "subject", "detail", "address")
        acts = page.fleet.audit.read(limit=MOST_EXPORTED)
        rows = ((act.no, page.full_time(act.at_ms), act.actor, act.action, act.subject, act.detail, act.address) for act in acts)
        return download("audit", head, rows)


def _rows(page: Page, search: str, before: int, *, everything: bool) -> None:
    acts = page.fleet.audit.read(search=search, before=before or None, limit=PER_PAGE, without=() if everything else ROUTINE)
    names = {known.device: page.title(known.label) for known in page.fleet.watch.devices()}
    halls = {hall.code: page.title(hall.title) for hall in page.fleet.registry.halls()}
    with Tag("section", classes="card"):
        if not acts:
            Tag("p", page.say("没有记录", "Nothing found"), "empty")
            return
        head = (
            page.say("时间", "At"),
            page.say("谁", "Who"),
            page.say("动作", "Deed"),
            page.say("对象", "Subject"),
            page.say("详情", "Detail"),
            page.say("地址", "Address"),
        )
        table(
            head,
            [
                (
                    _moment(page, act),
                    page.person(act.actor),
                    labels.act(act.action, page.language),
                    _subject(page, act, names, halls),
                    deeds.detail(page, act) or "—",
                    act.address or "—",
                )
                for act in acts
            ],
        )
        if len(acts) == PER_PAGE:
            asked = {"q": search, "before": str(acts[-1].no)} | ({"all": "1"} if everything else {})
            with Tag("div", classes="pager"):
                link(page.say("更早", "Earlier"), f"/audit?{urlencode(asked)}", "btn")


def _moment(page: Page, act: Act) -> Cell:
    return lambda: Tag("span", page.moment(act.at_ms), "nowrap", title=page.full_time(act.at_ms))


def _subject(page: Page, act: Act, names: dict[str, str], halls: dict[str, str]) -> Cell:
    """What it was done to; a device by its label, with a link, a hall and its windows by the hall's name."""
    if act.subject in names:
        return lambda: link(names[act.subject], f"/devices/{act.subject}")
    if act.action.startswith("incident."):
        return lambda: link(page.say(f"告警 {act.subject}", f"Incident {act.subject}"), f"/incidents/{act.subject}")
    hall, _, number = act.subject.partition("/")
    if act.action == "window.change" and hall in halls:
        return page.say(f"{halls[hall]} {number} 号窗口", f"{halls[hall]}, window {number}")
    return halls.get(act.subject, act.subject) if act.action in ("pack.publish", "items.import") else act.subject


def _verify(page: Page) -> None:
    broken = page.fleet.audit.verify()
    if broken is None:
        ui.notify(page.say("链条完整：没有记录被改动或删除", "The chain is whole: nothing was changed or removed"), type="positive")
    else:
        ui.notify(
            page.say(f"第 {broken} 条起链条断裂：记录被改动过", f"The chain breaks at row {broken}: the log was changed"),
            type="negative",
            timeout=0,
            close_button=True,
        )
