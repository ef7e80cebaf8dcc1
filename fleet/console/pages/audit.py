"""审计: who did what, newest first, with search and the check of the log's own chain."""

import csv
import io

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from nicegui import ui

from fleet.console import labels
from fleet.console.pages.devices import harmless
from fleet.console.parts import Tag, button, link, table, text_input
from fleet.console.site import Page, Site

PER_PAGE = 50
MOST_EXPORTED = 100_000


def mount(app: FastAPI, site: Site) -> None:
    """Add the page and its download."""

    @ui.page("/audit")
    def audit(page: Page = Depends(site.guard("administer")), q: str = "", before: int = 0) -> None:
        with site.frame(page, "audit", page.say("审计", "Audit")) as head:
            with head, Tag("div", classes="end"):
                button(page.say("校验链条", "Check the chain"), lambda: _verify(page))
                link(page.say("导出 CSV", "Export CSV"), "/audit.csv", "btn")
            with Tag("form", classes="filters", method="get", action="/audit"):
                text_input("q", page.say("人、动作、对象", "Person, deed, subject"), q[:100], type="search")
                Tag("button", page.say("查找", "Search"), "btn", type="submit")
            _rows(page, q[:100], before)

    @app.get("/audit.csv", include_in_schema=False)
    def export(page: Page = Depends(site.guard("administer"))) -> Response:
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["no", "at", "actor", "action", "subject", "detail", "address"])
        for act in page.fleet.audit.read(limit=MOST_EXPORTED):
            row = [str(act.no), page.full_time(act.at_ms), act.actor, act.action, act.subject, act.detail, act.address]
            writer.writerow([harmless(cell) for cell in row])
        body = b"\xef\xbb\xbf" + text.getvalue().encode()
        return Response(
            body, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": 'attachment; filename="audit.csv"'}
        )


def _rows(page: Page, search: str, before: int) -> None:
    acts = page.fleet.audit.read(search=search, before=before or None, limit=PER_PAGE)
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
                    page.full_time(act.at_ms),
                    act.actor,
                    labels.act(act.action, page.language),
                    act.subject,
                    act.detail or "—",
                    act.address or "—",
                )
                for act in acts
            ],
        )
        if len(acts) == PER_PAGE:
            with Tag("div", classes="pager"):
                link(page.say("更早", "Earlier"), f"/audit?q={search}&before={acts[-1].no}", "btn")


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
