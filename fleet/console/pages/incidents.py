"""告警: every incident with its cause, since when, who is on it, next step and button; and one incident's own page."""

from fastapi import Depends, FastAPI
from fastapi.responses import RedirectResponse
from nicegui import ui

from fleet.console import incident_rows
from fleet.console.page import Page
from fleet.console.parts import Cell, Tag, button, card, link, pairs, table
from fleet.console.site import Site
from fleet.watch.incidents import Incident

MOST_NO = 2**63 - 1
"""What a number column holds; an address with a larger one names no incident."""


def mount(app: FastAPI, site: Site) -> None:
    """Add the pages."""

    @ui.page("/incidents")
    def incidents(page: Page = Depends(site.guard()), show: str = "open") -> None:
        with site.frame(page, "incidents", page.say("告警", "Incidents")) as head:
            with head, Tag("div", classes="end"), Tag("div", classes="segment"):
                for key, zh, en in (("open", "未关闭", "Open"), ("closed", "已关闭", "Closed")):
                    link(page.say(zh, en), f"/incidents?show={key}", "here" if key == show else "")
            is_open = show != "closed"
            site.live(
                page,
                lambda: _list(page, is_open=is_open),
                shows=lambda: incident_rows.facts(page, page.fleet.watch.incidents.list(is_open=is_open)),
            )

    @ui.page("/incidents/{no}")
    def incident(no: int, page: Page = Depends(site.guard())) -> RedirectResponse | None:
        book = page.fleet.watch.incidents
        if no > MOST_NO or book.get(no) is None:
            return RedirectResponse("/incidents")
        with site.frame(
            page, "incidents", page.say(f"告警 {no}", f"Incident {no}"), crumb=(page.say("告警", "Incidents"), "/incidents")
        ):
            site.live(page, lambda: _one(page, no), shows=lambda: (book.get(no), incident_rows.facts(page, [])))
        return None


def _list(page: Page, *, is_open: bool) -> None:
    found = page.fleet.watch.incidents.list(is_open=is_open, limit=200)
    if not found:
        with Tag("section", classes="card calm"):
            Tag("span", classes="dot good", aria_hidden="true")
            Tag(
                "span",
                page.say("没有未关闭的告警", "No open incidents")
                if is_open
                else page.say("还没有已关闭的告警", "No closed incidents yet"),
            )
        return
    with card(), Tag("div"):
        incident_rows.show(page, found)


def _one(page: Page, no: int) -> None:
    fleet = page.fleet
    incident = fleet.watch.incidents.get(no)
    if incident is None:
        return
    scene = incident_rows.scene_of(page)
    known = scene.known
    with card(incident_rows.headline(page, incident, scene)):
        with Tag("div"):
            incident_rows.severity_chip(page, incident)
        rows: list[tuple[str, Cell]] = [
            (page.say("原因", "Cause"), incident_rows.reason_of(page, incident)),
            (page.say("开始", "Since"), _span(page, incident)),
        ]
        if incident.closed_ms is None:
            rows += [
                (page.say("谁在处理", "Who is on it"), incident_rows.taken(page, incident)),
                (page.say("下一步", "Next step"), lambda: incident_rows.next_step(page, incident, known)),
            ]
        if incident.args.get("where"):
            rows.append((page.say("位置", "Where"), incident.args["where"]))
        if incident.args.get("detail"):
            rows.append((page.say("详情", "Detail"), incident.args["detail"]))
        if incident.args.get("count", "1") != "1":
            rows.append((page.say("次数", "Seen"), incident.args["count"]))
        if incident.closed_ms:
            by = page.person(incident.closed_by) if incident.closed_by else page.say("原因消除，自动关闭", "its cause is gone")
            rows.append((page.say("关闭", "Closed"), f"{page.moment(incident.closed_ms)} · {by}"))
        pairs(rows)
        _buttons(page, incident)
    if incident.devices:
        with card(page.say("涉及设备", "Devices")):
            table(
                (page.say("设备", "Device"), page.say("编号", "Name")),
                [(_device_link(page, name, known), name) for name in incident.devices],
            )


def _span(page: Page, incident: Incident) -> str:
    """When it began, and how long it lasts or lasted."""
    lasted = page.span((incident.closed_ms or page.now_ms) - incident.since_ms)
    return f"{page.moment(incident.since_ms)} · " + page.say(f"持续 {lasted}", f"for {lasted}")


def _device_link(page: Page, name: str, known: dict):  # type: ignore[no-untyped-def, type-arg]
    label = page.title(known[name].label) if name in known else name
    return (lambda: link(label, f"/devices/{name}")) if name in known else label


def _buttons(page: Page, incident: Incident) -> None:
    if incident.closed_ms or not page.may("operate"):
        return
    book = page.fleet.watch.incidents
    with Tag("div", classes="btns"):
        if incident.taken_by is None:
            incident_rows.act_button(page, incident)
        elif incident.taken_by == page.actor.name:
            given = page.say("已退回", "Given back")
            button(
                page.say("退回", "Give back"),
                lambda: page.act("operate", lambda who: book.release(incident.no, by=who.name, address=who.address), done=given),
            )
        if incident.kind in incident_rows.BY_HAND:
            closed = page.say("已关闭", "Closed")
            button(
                page.say("处理完毕，关闭", "Dealt with: close"),
                lambda: page.act("operate", lambda who: book.close(incident.no, by=who.name, address=who.address), done=closed),
                kind="main-act",
            )
        else:
            Tag("span", page.say("原因消除后自动关闭", "Closes by itself when the cause is gone"), "soft small")
