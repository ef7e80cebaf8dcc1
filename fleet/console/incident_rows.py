"""How incidents are shown wherever they are: name, cause, since when, who is on it, next step, a button."""

from collections.abc import Sequence

from msgspec import Struct

from fleet.console import labels
from fleet.console.page import Page
from fleet.console.parts import Tag, button, chip, link
from fleet.watch.incidents import Incident
from fleet.watch.model import Known
from fleet.watch.part_names import place_of


class Scene(Struct, frozen=True):
    """Devices by name, hall titles by code, devices able to serve by (hall, service)."""

    known: dict[str, Known]
    halls: dict[str, str]
    able: dict[tuple[str, str], int]


BY_HAND = ("finding", "help")
"""Kinds that a person closes; the others close when their cause is gone."""


_AWAY = {
    "device.offline": ("失联", "disconnected"),
    "device.silent": ("状态不明", "silent"),
    "device.never_heard": ("从未上线", "never heard from"),
}
DONE_ON_ITS_PAGE = ("next.restart_face", "next.apply_configuration", "next.pull_content", "next.look")
"""Next steps that are taken on the device's page: shown as links to it."""


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
    devices = devices_of(page, incident, scene.known)
    if incident.kind == "offline":
        return f"{devices}{page.say('', ': ')}{page.say(*_AWAY[incident.reason])}"
    if incident.service and incident.severity == "bad":
        service = labels.label(labels.SERVICES, incident.service, page.language)
        if incident.closed_ms is None and scene.able.get((incident.hall, incident.service)) == 0:
            return page.say(f"{hall}不能{service}", f"{hall}: no {service.lower()}")
        return page.say(f"{hall}{service}受限", f"{hall}: {service.lower()} impaired")
    return devices or page.message(incident.reason, incident.args)


def scene_of(page: Page) -> Scene:
    """What rows need to know of the fleet, read once a page."""
    return Scene(
        known={known.device: known for known in page.fleet.watch.devices()},
        halls={hall.code: page.title(hall.title) for hall in page.fleet.registry.halls()},
        able={(each.hall, each.service): each.able for each in page.fleet.watch.abilities()},
    )


def facts(page: Page, incidents: Sequence[Incident]) -> object:
    """What rows of these incidents show, to be compared."""
    return tuple(incidents), scene_of(page).able, tuple((known.device, known.label) for known in page.fleet.watch.devices())


def show(page: Page, incidents: Sequence[Incident]) -> None:
    """One row an incident."""
    scene = scene_of(page)
    for incident in incidents:
        with Tag("div", classes="incident", data_incident=str(incident.no)):
            severity = labels.label(labels.SEVERITIES, incident.severity, page.language)
            tone = incident.severity if incident.closed_ms is None else "over"
            Tag("span", classes=f"dot {tone}", role="img", aria_label=severity, title=severity)
            name = headline(page, incident, scene)
            link(name, f"/incidents/{incident.no}", "name")
            Tag("span", _cause(page, incident, scene, name), "soft cause")
            Tag("span", _when(page, incident), "soft when", title=page.full_time(incident.since_ms))
            Tag("span", taken(page, incident), "who")
            with Tag("span", classes="step"):
                if incident.closed_ms is None:
                    next_step(page, incident, scene.known)
            with Tag("span", classes="act"):
                act_button(page, incident)


def next_step(page: Page, incident: Incident, known: dict[str, Known]) -> None:
    """The next step in words, as a link where the device's page has the button for it."""
    text, first = page.message(incident.next_step), incident.devices[0] if incident.devices else ""
    if incident.next_step in DONE_ON_ITS_PAGE and first in known:
        link(text, f"/devices/{first}")
    else:
        Tag("span", text)


def _when(page: Page, incident: Incident) -> str:
    """For how long, or when it was and how long it lasted."""
    if incident.closed_ms is None:
        return page.since(incident.since_ms)
    lasted = page.span(incident.closed_ms - incident.since_ms)
    return page.say(f"{page.time(incident.since_ms)} 起，{lasted}", f"{page.time(incident.since_ms)}, {lasted}")


def reason_of(page: Page, incident: Incident) -> str:
    """The reason in words, with the part it is of where a device may have several of that kind."""
    reason, part = page.message(incident.reason, incident.args), incident.args.get("part", "")
    return f"{labels.part(part, page.language)}: {reason}" if place_of(part) else reason


def _cause(page: Page, incident: Incident, scene: Scene, name: str) -> str:
    """The reason, and what the headline has not named yet: the devices, or else the hall."""
    seen = incident.args.get("count", "1")
    count = page.say(f"，{seen} 次", f", {seen} times") if seen != "1" else ""
    where = incident.args.get("where") or devices_of(page, incident, scene.known)
    if where == name or incident.kind == "offline":
        where = scene.halls.get(incident.hall, "")
    reason = reason_of(page, incident) + count
    return f"{reason} · {where}" if where else reason


def taken(page: Page, incident: Incident) -> str:
    """Who is on it."""
    if incident.closed_ms:
        return page.say("已关闭", "Closed")
    if incident.taken_by:
        who = page.person(incident.taken_by)
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
