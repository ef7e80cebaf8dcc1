"""How incidents are shown wherever they are: name, cause, since when, who is on it, next step, a button."""

from collections.abc import Sequence

from msgspec import Struct

from fleet.console import labels
from fleet.console.parts import Tag, button, chip, link
from fleet.console.site import Page
from fleet.watch.incidents import Incident
from fleet.watch.model import Known


class Scene(Struct, frozen=True):
    """Devices by name, hall titles by code, devices able to serve by (hall, service), people's names by user name."""

    known: dict[str, Known]
    halls: dict[str, str]
    able: dict[tuple[str, str], int]
    people: dict[str, str]


BY_HAND = ("finding", "help")
"""Kinds that a person closes; the others close when their cause is gone."""


def devices_of(page: Page, incident: Incident, known: dict[str, Known]) -> str:
    """The incident's devices by their labels, three at most."""
    names = [page.title(known[name].label) if name in known else name for name in incident.devices]
    more = page.say(f" 等 {len(names)} 台", f" and {len(names) - 3} more") if len(names) > 3 else ""
    return page.say("、", ", ").join(names[:3]) + more


def headline(page: Page, incident: Incident, scene: Scene) -> str:
    """What it means for the hall, service first: "三楼大厅不能打印", not an error code."""
    hall = scene.halls.get(incident.hall, incident.hall)
    if incident.kind == "help":
        return page.say(f"{hall}有群众求助", f"{hall}: a visitor asks for help")
    if incident.kind == "uplink":
        return page.say(f"{hall}失联", f"{hall} is unreachable")
    if incident.service and incident.severity == "bad":
        service = labels.label(labels.SERVICES, incident.service, page.language)
        if scene.able.get((incident.hall, incident.service)) == 0:
            return page.say(f"{hall}不能{service}", f"{hall}: no {service.lower()}")
        return page.say(f"{hall}{service}受限", f"{hall}: {service.lower()} impaired")
    return devices_of(page, incident, scene.known) or page.message(incident.reason, incident.args)


def scene_of(page: Page) -> Scene:
    """What rows need to know of the fleet, read once a page."""
    return Scene(
        known={known.device: known for known in page.fleet.watch.devices()},
        halls={hall.code: page.title(hall.title) for hall in page.fleet.registry.halls()},
        able={(each.hall, each.service): each.able for each in page.fleet.watch.abilities()},
        people={user.name: user.display for user in page.fleet.access.users()},
    )


def show(page: Page, incidents: Sequence[Incident]) -> None:
    """One row an incident."""
    scene = scene_of(page)
    for incident in incidents:
        with Tag("div", classes="incident", data_incident=str(incident.no)):
            severity = labels.label(labels.SEVERITIES, incident.severity, page.language)
            Tag("span", classes=f"dot {incident.severity}", role="img", aria_label=severity, title=severity)
            name = headline(page, incident, scene)
            link(name, f"/incidents/{incident.no}", "name")
            Tag("span", _cause(page, incident, scene, name), "soft cause")
            Tag("span", page.since(incident.since_ms), "soft when nowrap", title=page.full_time(incident.since_ms))
            Tag("span", taken(page, incident, scene), "who")
            Tag("span", page.message(incident.next_step), "step")
            with Tag("span", classes="act"):
                act_button(page, incident)


def _cause(page: Page, incident: Incident, scene: Scene, name: str) -> str:
    """The reason, and what the headline has not named yet: the devices, or else the hall."""
    seen = incident.args.get("count", "1")
    count = page.say(f"，{seen} 次", f", {seen} times") if seen != "1" else ""
    where = incident.args.get("where") or devices_of(page, incident, scene.known)
    if where == name:
        where = scene.halls.get(incident.hall, "")
    reason = page.message(incident.reason, incident.args) + count
    return f"{reason} · {where}" if where else reason


def taken(page: Page, incident: Incident, scene: Scene) -> str:
    """Who is on it."""
    if incident.closed_ms:
        return page.say("已关闭", "Closed")
    if incident.taken_by:
        who = scene.people.get(incident.taken_by, incident.taken_by)
        return page.say(f"{who} 已接单", f"{who} is on it")
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
