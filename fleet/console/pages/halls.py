"""大厅: what each hall can do now, its windows, and changing what a window is doing."""

from fastapi import Depends, FastAPI
from nicegui import ui

from fleet.console import labels
from fleet.console.page import Page
from fleet.console.parts import Choice, Tag, button, card, chip, link, mark, table
from fleet.console.site import Site
from fleet.registry.records import Hall, Window
from fleet.watch.model import Ability

SHORT = 8
"""A list of so many windows stands open."""
_TONE = {"ok": "good", "limited": "warn", "down": "bad", "unknown": "warn"}


def mount(app: FastAPI, site: Site) -> None:
    """Add the page."""

    @ui.page("/halls")
    def halls(page: Page = Depends(site.guard())) -> None:
        with site.frame(page, "halls", page.say("大厅", "Halls")):
            found = page.fleet.registry.halls()
            if not found:
                with Tag("section", classes="card"):
                    text = page.say(
                        "还没有大厅；用 nw-fleet items import hall.json 导入。",
                        "No hall yet; import one with nw-fleet items import hall.json.",
                    )
                    Tag("p", text, "empty")
            for hall in found:
                _hall(page, site, hall)


def _hall(page: Page, site: Site, hall: Hall) -> None:
    with card(page.title(hall.title)):
        site.live(page, lambda: _services(page, hall))
        windows = page.fleet.registry.windows(hall.code)
        if windows:
            is_short = {"open": "open"} if len(windows) <= SHORT else {}
            with Tag("details", **is_short):
                Tag("summary", page.say(f"{len(windows)} 个窗口", f"{len(windows)} windows"))
                site.live(page, lambda: _windows(page, hall), shows=lambda: _window_rows(page, hall))


def _services(page: Page, hall: Hall) -> None:
    _abilities(page, [each for each in page.fleet.watch.abilities() if each.hall == hall.code])
    count = sum(known.hall == hall.code for known in page.fleet.watch.devices())
    with Tag("p", classes="small"):
        link(page.say(f"{count} 台设备 →", f"{count} devices →"), f"/devices?hall={hall.code}")


def _abilities(page: Page, abilities: list[Ability]) -> None:
    if not abilities:
        Tag("p", page.say("这里还没有设备", "No devices here yet"), "empty")
        return
    rows = []
    for each in abilities:
        words = {
            "ok": page.say("正常", "Available"),
            "limited": page.say("部分可用", "Partly available"),
            "down": page.say("不可用", "Not available"),
            "unknown": page.say("状态不明", "Unknown"),
        }[each.state]
        rows.append(
            (
                labels.label(labels.SERVICES, each.service, page.language),
                lambda words=words, each=each: mark(words, _TONE[each.state]),
                f"{each.able} / {each.total}",
                page.say("；", "; ").join(page.message(reason) for reason in each.reasons) or "—",
            )
        )
    table(
        (page.say("服务", "Service"), page.say("状态", "State"), page.say("可用设备", "Devices able"), page.say("原因", "Reason")),
        rows,
    )


def _window_rows(page: Page, hall: Hall) -> list[tuple[Window, str, str, str, str]]:
    """What is shown of the windows: window, state, clerk, its evaluator and what is known of that; those in use first."""
    states = page.fleet.control.window_states(hall.code)
    staff = {person.number: person.name for person in page.fleet.registry.staff(hall.code)}
    placed = {known.window: known for known in page.fleet.watch.devices() if known.hall == hall.code and known.window}
    rows = []
    for window in page.fleet.registry.windows(hall.code):
        state, known = states.get(window.number), placed.get(window.number)
        clerk = staff.get(state.clerk, state.clerk) if state else ""
        shown = state.state if state else "closed"
        rows.append((window, shown, clerk, known.device if known else "", known.seen if known else ""))
    return sorted(rows, key=lambda row: (not row[3], row[1] == "closed", row[0].number))


def _windows(page: Page, hall: Hall) -> None:
    rows = []
    for window, state, clerk, device, seen in _window_rows(page, hall):
        row = labels.WINDOW_STATES[state]
        evaluator = labels.label(labels.SEEN, seen, page.language)
        rows.append(
            (
                window.number,
                page.title(window.business),
                lambda row=row: chip(page.say(row[0], row[1]), row[2]),
                clerk or "—",
                (lambda words=evaluator, device=device: link(words, f"/devices/{device}")) if device else "—",
                (lambda number=window.number: button(page.say("更改", "Change"), lambda: _change(page, hall.code, number)))
                if page.may("operate")
                else "",
            )
        )
    head = (
        page.say("窗口", "Window"),
        page.say("业务", "Business"),
        page.say("状态", "State"),
        page.say("工作人员", "Clerk"),
        page.say("评价器", "Evaluator"),
        "",
    )
    table(head, rows)


def _change(page: Page, hall: str, number: str) -> None:
    """The dialog that changes what a window is doing."""
    control, registry = page.fleet.control, page.fleet.registry
    now = control.window_state(hall, number)
    with ui.dialog() as dialog, Tag("div", classes="card"):
        Tag("h2", page.say(f"{number} 号窗口", f"Window {number}"))
        states = [(key, labels.label(labels.WINDOW_STATES, key, page.language)) for key in labels.WINDOW_STATES]
        state = Choice(page.say("状态", "State"), states, now.state)
        people = [("", page.say("无人签到", "Nobody"))] + [
            (person.number, f"{person.number} {person.name}") for person in registry.staff(hall)
        ]
        clerk = Choice(page.say("工作人员", "Clerk"), people, now.clerk)

        def save() -> None:
            dialog.close()
            page.act(
                "operate",
                lambda who: control.set_window(hall, number, by=who.name, state=state.value, clerk=clerk.value),
                done=page.say("已更改", "Changed"),
            )

        with Tag("div", classes="btns"):
            button(page.say("保存", "Save"), save, kind="main-act")
            button(page.say("取消", "Cancel"), dialog.close)
    dialog.open()
