"""设备: all devices, filtered, sorted, paged, and as CSV. The list's state is in its address, so it can be sent to a colleague."""

from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from nicegui import ui

from fleet.console import labels
from fleet.console.lists import download, pager
from fleet.console.page import Page
from fleet.console.parts import Cell, Tag, link, mark, select, table, text_input
from fleet.console.site import Site
from fleet.watch.ability import services_of
from fleet.watch.model import Known

PER_PAGE = 25
SORTS = ("label", "hall", "role", "seen", "heard")


def mount(app: FastAPI, site: Site) -> None:
    """Add the page and its download."""

    @ui.page("/devices")
    def devices(
        page: Page = Depends(site.guard()),
        q: str = "",
        hall: str = "",
        role: str = "",
        seen: str = "",
        sort: str = "label",
        at: int = 1,
    ) -> None:
        asked = {"q": q[:100], "hall": hall, "role": role, "seen": seen, "sort": sort if sort in SORTS else "label"}
        with site.frame(page, "devices", page.say("设备", "Devices")) as head:
            with head, Tag("div", classes="end"):
                link(page.say("导出 CSV", "Export CSV"), f"/devices.csv?{urlencode(asked)}", "btn")
            _filters(page, asked)
            site.live(page, lambda: _list(page, asked, max(1, at)))

    @app.get("/devices.csv", include_in_schema=False)
    def export(
        page: Page = Depends(site.guard()), q: str = "", hall: str = "", role: str = "", seen: str = "", sort: str = "label"
    ) -> Response:
        asked = {"q": q[:100], "hall": hall, "role": role, "seen": seen, "sort": sort if sort in SORTS else "label"}
        return download("devices", CSV_HEAD, (csv_row(page, known) for known in chosen(page, asked)))


def chosen(page: Page, asked: dict[str, str]) -> list[Known]:
    """The devices a filter leaves, in its order."""
    needle = asked["q"].strip().lower()
    found = [
        known
        for known in page.fleet.watch.devices()
        if asked["hall"] in ("", known.hall)
        and asked["role"] in ("", known.role)
        and asked["seen"] in ("", known.seen)
        and (not needle or needle in f"{known.device} {page.title(known.label)} {known.window}".lower())
    ]
    keys = {
        "label": lambda known: (page.title(known.hall_name), page.title(known.label)),
        "hall": lambda known: (page.title(known.hall_name), known.device),
        "role": lambda known: (known.role, page.title(known.label)),
        "seen": lambda known: (("offline", "unknown", "online").index(known.seen), -known.since_ms),
        "heard": lambda known: (known.heard_ms or 0, known.device),
    }
    return sorted(found, key=keys[asked["sort"]])


def _filters(page: Page, asked: dict[str, str]) -> None:
    with Tag("form", classes="filters", method="get", action="/devices"):
        text_input("q", page.say("名称、窗口或编号", "Label, window or name"), asked["q"], type="search")
        every = ("", page.say("全部", "All"))
        halls = [(hall.code, page.title(hall.title)) for hall in page.fleet.registry.halls()]
        select("hall", page.say("大厅", "Hall"), [every, *halls], asked["hall"])
        roles = [(key, labels.label(labels.DEVICE_ROLES, key, page.language)) for key in labels.DEVICE_ROLES]
        select("role", page.say("种类", "Kind"), [every, *roles], asked["role"])
        states = [(key, labels.label(labels.SEEN, key, page.language)) for key in labels.SEEN]
        select("seen", page.say("状态", "State"), [every, *states], asked["seen"])
        Tag("input", type="hidden", name="sort", value=asked["sort"])
        Tag("button", page.say("筛选", "Filter"), "btn", type="submit")


def _list(page: Page, asked: dict[str, str], at: int) -> None:
    found = chosen(page, asked)
    with Tag("section", classes="card"):
        if not found:
            Tag("p", page.say("没有符合条件的设备", "No device fits"), "empty")
            return
        pages = (len(found) + PER_PAGE - 1) // PER_PAGE
        at = min(at, pages)
        _sorts(page, asked)
        head = [
            page.say("设备", "Device"),
            page.say("大厅", "Hall"),
            page.say("种类", "Kind"),
            page.say("状态", "State"),
            page.say("持续", "For"),
            page.say("不能用的", "Out of service"),
            page.say("待传记录", "Waiting"),
        ]
        table(head, [_row(page, known) for known in found[(at - 1) * PER_PAGE : at * PER_PAGE]], numbers=(6,))
        told = page.say(f"共 {len(found)} 台，第 {at} / {pages} 页", f"{len(found)} devices, page {at} of {pages}")
        pager(page, "/devices", asked, at=at, has_more=at < pages, told=told)


def _sorts(page: Page, asked: dict[str, str]) -> None:
    names = {
        "label": page.say("名称", "Label"),
        "hall": page.say("大厅", "Hall"),
        "role": page.say("种类", "Kind"),
        "seen": page.say("状态", "State"),
        "heard": page.say("最久无声", "Longest silent"),
    }
    with Tag("div", classes="small soft"):
        Tag("span", page.say("排序：", "Sort: "))
        for key, name in names.items():
            here = key == asked["sort"]
            link(name, f"/devices?{urlencode(asked | {'sort': key})}", "strong" if here else "", style="margin-right:14px")


def _row(page: Page, known: Known) -> Sequence[Cell]:
    seen, tone = labels.label(labels.SEEN, known.seen, page.language), labels.SEEN_TONE[known.seen]
    trouble = broken(page, known)
    if trouble and known.seen == "online":
        seen, tone = page.say("在线，有故障", "Online, impaired"), "warn"
    heard = known.seen == "online" and known.state
    return (
        lambda: link(page.title(known.label), f"/devices/{known.device}", "strong"),
        page.title(known.hall_name),
        labels.label(labels.DEVICE_ROLES, known.role, page.language),
        lambda: mark(seen, tone),
        page.since(known.since_ms),
        (lambda: Tag("span", trouble, "bad")) if trouble else "—",
        f"{known.state.waiting_entries:,}" if heard and known.state else page.say("不明", "unknown"),
    )


def broken(page: Page, known: Known) -> str:
    """What this device cannot do now, with the reason."""
    lost = [
        page.say("{}（{}）", "{} ({})").format(labels.label(labels.SERVICES, service, page.language), page.message(reason))
        for service, (able, reason) in services_of(known).items()
        if not able
    ]
    return page.say("；", "; ").join(lost)


CSV_HEAD = (
    "device",
    "label",
    "hall",
    "role",
    "window",
    "state",
    "since",
    "last_heard",
    "software",
    "out_of_service",
    "waiting_entries",
)


def csv_row(page: Page, known: Known) -> Sequence[object]:
    """One device in the download."""
    return (
        known.device,
        page.title(known.label),
        page.title(known.hall_name),
        known.role,
        known.window,
        known.seen,
        page.full_time(known.since_ms),
        page.full_time(known.heard_ms),
        known.state.software if known.state else "",
        broken(page, known),
        known.state.waiting_entries if known.state else "",
    )
