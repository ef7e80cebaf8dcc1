"""How incidents are shown wherever they are: name, cause, since when, who is on it, next step, a button."""

from collections.abc import Sequence

from fleet.console import labels
from fleet.console.parts import Tag, button, chip, link
from fleet.console.site import Page
from fleet.watch.incidents import Incident
from fleet.watch.model import Known

BY_HAND = ("finding", "help")
"""Kinds that a person closes; the others close when their cause is gone."""


def devices_of(page: Page, incident: Incident, known: dict[str, Known]) -> str:
    """The incident's devices by their labels, three at most."""
    names = [page.title(known[name].label) if name in known else name for name in incident.devices]
    more = page.say(f" 等 {len(names)} 台", f" and {len(names) - 3} more") if len(names) > 3 else ""
    return page.say("、", ", ").join(names[:3]) + more


def headline(page: Page, incident: Incident, halls: dict[str, str]) -> str:
    """What it means for the hall, service first: "三楼大厅不能打印", not an error code."""
    hall = halls.get(incident.hall, incident.hall)
    if incident.kind == "help":
        return page.say(f"{hall}有群众求助", f"{hall}: a visitor asks for help")
    if incident.kind == "uplink":
        return page.say(f"{hall}失联", f"{hall} is unreachable")
    if incident.service and incident.severity == "bad":
        service = labels.label(labels.SERVICES, incident.service, page.language)
        return page.say(f"{hall}{service}受限", f"{hall}: {service.lower()} impaired")
    return f"{hall} · {page.message(incident.reason, incident.args)}" if hall else page.message(incident.reason, incident.args)


def show(page: Page, incidents: Sequence[Incident], *, known: dict[str, Known]) -> None:
    """One row an incident."""
    halls = {hall.code: page.title(hall.title) for hall in page.fleet.registry.halls()}
    for incident in incidents:
        with Tag("div", classes="incident", data_incident=str(incident.no)):
            tone = {"bad": "bad", "warn": "warn", "note": "note"}[incident.severity]
            severity = labels.label(labels.SEVERITIES, incident.severity, page.language)
            Tag("span", classes=f"dot {tone}", role="img", aria_label=severity, title=severity)
            link(headline(page, incident, halls), f"/incidents/{incident.no}", "name")
            Tag("span", _cause(page, incident, known), "soft cause")
            Tag("span", page.since(incident.since_ms), "soft when nowrap", title=page.full_time(incident.since_ms))
            Tag("span", taken(page, incident), "who")
            Tag("span", page.message(incident.next_step), "step")
            with Tag("span", classes="act"):
                act_button(page, incident)


def _cause(page: Page, incident: Incident, known: dict[str, Known]) -> str:
    where = incident.args.get("where") or devices_of(page, incident, known)
    count = (
        page.say(f"，{incident.args['count']} 次", f", {incident.args['count']} times")
        if incident.args.get("count", "1") != "1"
        else ""
    )
    return (
        f"{page.message(incident.reason, incident.args)}{count} · {where}"
        if where
        else page.message(incident.reason, incident.args)
    )


def taken(page: Page, incident: Incident) -> str:
    """Who is on it."""
    if incident.closed_ms:
        return page.say("已关闭", "Closed")
    if incident.taken_by:
        return page.say(f"{incident.taken_by} 已接单", f"{incident.taken_by} is on it")
    return page.say("未接单", "Nobody yet")


def act_button(page: Page, incident: Incident) -> None:
    """Take it, or look at it."""
    if incident.closed_ms is None and incident.taken_by is None and page.may("operate"):
        said = page.say("已接单", "Taken")
        button(
            page.say("接单", "Take"),
            lambda: page.act(
                "operate", lambda who: page.fleet.watch.incidents.take(incident.no, by=who.name, address=who.address), done=said
            ),
        )
    else:
        link(page.say("查看", "Look"), f"/incidents/{incident.no}", "btn")


def severity_chip(page: Page, incident: Incident) -> None:
    """The severity as a word in its colour."""
    tone = {"bad": "bad", "warn": "warn", "note": ""}[incident.severity]
    chip(labels.label(labels.SEVERITIES, incident.severity, page.language), tone)
