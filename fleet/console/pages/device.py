"""设备页: one device: its screen, orders, settings, what it reports, its parts, journals, and its end."""

from fastapi import Depends, FastAPI
from fastapi.responses import RedirectResponse, Response
from nicegui import ui

from fleet.console import labels
from fleet.console.page import Page
from fleet.console.pages import device_orders, device_settings
from fleet.console.pages.device_end import revoke_card
from fleet.console.pages.devices import broken
from fleet.console.parts import Cell, Tag, card, chip, link, mark, pairs, table
from fleet.console.site import Site
from fleet.registry.records import Device, NotKnown
from fleet.watch.journals import journals_of
from fleet.watch.model import Known, by_fleet_clock


def mount(app: FastAPI, site: Site) -> None:
    """Add the page and the picture."""

    @ui.page("/devices/{name}")
    def device(name: str, page: Page = Depends(site.guard())) -> RedirectResponse | None:
        try:
            record = page.fleet.registry.device(name)
        except NotKnown:
            return RedirectResponse("/devices")
        known = page.fleet.watch.device(name)
        heading = page.title(known.label) if known else name
        with site.frame(page, "devices", heading, crumb=(page.say("设备", "Devices"), "/devices")) as head:
            with head:
                Tag("span", name, "soft mono")
            if record.is_revoked or known is None:
                _gone(page, record)
            else:
                _here(page, site, record)
        return None

    @app.get("/devices/{name}/picture.png", include_in_schema=False)
    def picture(name: str, page: Page = Depends(site.guard())) -> Response:
        shot = page.fleet.control.orders.picture(name)
        if shot is None:
            return Response(status_code=404)
        return Response(shot.png, media_type="image/png", headers={"Cache-Control": "private, max-age=31536000, immutable"})


def _gone(page: Page, record: Device) -> None:
    with Tag("section", classes="card alarm"):
        if record.is_revoked:
            Tag("strong", page.say("此设备已吊销", "This device is revoked"))
            by = page.person(record.revoked_by or "")
            Tag("p", f"{page.moment(record.revoked_ms)} · {by} · {record.revoked_why}")
            again = page.say(
                "要重新使用：在设备上重新配对，再到“配对”页批准。", "To use it again: pair it anew and approve it under Pairing."
            )
            Tag("p", again, "soft small")
        else:
            Tag("strong", page.say("此设备现在没有安放在任何地方", "This device stands nowhere now"))
    _journals(page, record.name)


def _here(page: Page, site: Site, record: Device) -> None:
    """What changes is drawn again; buttons and forms stand."""

    def known() -> Known:
        return page.fleet.watch.device(record.name) or Known(
            device=record.name, role=record.role, hall="", hall_name={"zh": ""}, label={"zh": record.name}
        )

    site.live(page, lambda: _alarm(page, known()), shows=lambda: _alarm_facts(page, known()))
    with Tag("div", classes="two"):
        with Tag("div", classes="stack"):
            device_orders.picture_card(page, site, record.name, known)
            device_orders.orders_card(page, site, record.name)
            device_settings.settings_card(page, record)
        with Tag("div", classes="stack"):
            site.live(page, lambda: _standing(page, known(), record))
            site.live(page, lambda: _parts(page, known()))
            site.live(page, lambda: _twin(page, known()))
            site.live(page, lambda: _journals(page, record.name), every_s=5.0)
            revoke_card(page, record.name)


def _alarm_facts(page: Page, known: Known) -> object:
    return broken(page, known), _incidents(page, known)


def _incidents(page: Page, known: Known) -> list[tuple[int, str, str]]:
    """Number, reason and next step of what is open about this device, worst first."""
    return [
        (each.no, page.message(each.reason, each.args), page.message(each.next_step))
        for each in page.fleet.watch.incidents.list()
        if known.device in each.devices and each.severity != "note"
    ]


def _alarm(page: Page, known: Known) -> None:
    trouble, matters = broken(page, known), _incidents(page, known)
    if not trouble and not matters:
        return
    with Tag("section", classes="card alarm"):
        if trouble:
            Tag("strong", page.say("现在不能用：", "Out of service: ") + trouble, "bad")
        for no, reason, step in matters:
            with Tag("p"):
                link(reason, f"/incidents/{no}")
                Tag("span", page.say("。下一步：", ". Next step: ") + step)


def _standing(page: Page, known: Known, record: Device) -> None:
    state = known.state
    window = page.say(f" {known.window} 号窗口", f", window {known.window}") if known.window else ""
    kind = labels.label(labels.DEVICE_ROLES, known.role, page.language)
    words = f"{labels.label(labels.SEEN, known.seen, page.language)} · {page.since(known.since_ms)}"
    tone = labels.SEEN_TONE[known.seen]
    rows: list[tuple[str, Cell]] = [
        (page.say("连接", "Link"), lambda: mark(words, tone)),
        (page.say("最后收到", "Last heard"), page.moment(known.heard_ms)),
        (page.say("位置", "Place"), page.title(known.hall_name) + window),
        (page.say("种类", "Kind"), " · ".join(filter(None, (kind, record.model)))),
        (page.say("配对", "Paired"), f"{page.moment(record.paired_ms)} · {page.person(record.paired_by)}"),
    ]
    if state:
        rows.append((page.say("屏幕程序", "Screen program"), _face(page, known)))
        rows.append((page.say("软件", "Software"), state.software))
        rows.append((page.say("时钟", "Clock"), labels.label(labels.CLOCKS, state.clock_trust, page.language)))
        for name, value in sorted(state.levels.items()):
            row = labels.LEVEL_GAUGES.get(name)
            unit = f" {row[2]}" if row else ""
            rows.append((labels.label(labels.LEVEL_GAUGES, name, page.language), f"{value:,.1f}{unit}".replace(".0 ", " ")))
    if known.paper_empty_ms:
        rows.append((page.say("纸预计用完", "Paper ends about"), page.ahead(known.paper_empty_ms)))
    with card(page.say("现状", "Now")):
        pairs(rows)


def _last(page: Page, word: str) -> str:
    """A word of a device that is away: what it said last."""
    return page.say(f"上次：{word}", f"Last: {word}")


def _face(page: Page, known: Known) -> str:
    """What the screen program does; of a device that is away only what it was, because silence is not health."""
    state = known.state
    assert state is not None
    face = labels.label(labels.FACES, state.face, page.language)
    if known.seen != "online":
        return _last(page, face)
    words = [face, page.since(by_fleet_clock(known, state.face_since_ms, page.now_ms))]
    if state.screen and state.face == "up":
        words.append(labels.label(labels.SCREENS, state.screen, page.language))
    return " · ".join(words)


def _parts(page: Page, known: Known) -> None:
    with card(page.say("部件", "Parts")):
        if not known.state or not known.state.parts:
            Tag("p", page.say("设备还没有报告部件", "The device has not reported its parts"), "empty")
            return
        stale = known.seen != "online"
        if stale:
            Tag("p", page.say("设备不在线，以下是最后一次报告。", "The device is away; this is its last report."), "warn small")
        rows = []
        for part in known.state.parts:
            word, tone = labels.label(labels.PART_STATES, part.state, page.language), labels.PART_STATES[part.state][2]
            if stale:
                word, tone = _last(page, word), "warn"
            rows.append(
                (
                    labels.part(part.part, page.language),
                    lambda word=word, tone=tone: chip(word, tone),
                    page.message(part.reason, part.args) if part.state != "ok" else "—",
                    page.message(part.next_step) if part.state not in ("ok", "absent") else "—",
                )
            )
        table(
            (page.say("部件", "Part"), page.say("状态", "State"), page.say("原因", "Reason"), page.say("下一步", "Next step")), rows
        )


def _twin(page: Page, known: Known) -> None:
    wanted = page.fleet.control.wanted(known.device)
    state = known.state
    with card(page.say("期望与上报", "Desired and reported")):
        if wanted is None:
            Tag("p", page.say("还没有下发配置", "Nothing is wanted of it yet"), "empty")
            return
        desired, made_ms = wanted
        applied = state.configuration_version if state else 0
        shown = state.content_version if state else ""
        content = desired.content.version if desired.content else ""
        is_shown = content == shown or not content
        table(
            ("", page.say("期望", "Desired"), page.say("上报", "Reported"), ""),
            [
                (
                    page.say("配置", "Settings"),
                    page.say(f"第 {desired.version} 版 · {page.time(made_ms)}", f"{desired.version} · {page.time(made_ms)}"),
                    page.say(f"第 {applied} 版", str(applied)) if applied else "—",
                    lambda: _same(page, applied == desired.version),
                ),
                (
                    page.say("内容包", "Content"),
                    lambda: Tag("span", page.version(content) or "—", title=content),
                    lambda: Tag("span", page.version(shown) or "—", title=shown),
                    lambda: _same(page, is_shown),
                ),
            ],
        )


def _same(page: Page, yes: bool) -> None:
    chip(page.say("一致", "Same"), "good") if yes else chip(page.say("未一致", "Differs"), "warn")


def _journals(page: Page, device: str) -> None:
    rows = []
    for journal in journals_of(page.fleet.store, device):
        state = (page.say("已隔离", "Quarantined"), "bad") if journal.state != "open" else (page.say("正常", "Open"), "good")
        rows.append(
            (
                {"evidence": page.say("评价与服务", "Evidence"), "ops": page.say("运维", "Operations")}.get(
                    journal.stream, journal.stream
                ),
                lambda state=state: chip(*state),
                f"{journal.seq:,}",
                f"{journal.archived:,}",
                page.time(journal.last_ms),
            )
        )
    with card(page.say("日志保管", "Journals in custody")):
        if rows:
            table(
                (
                    page.say("日志", "Journal"),
                    page.say("状态", "State"),
                    page.say("已入库", "In custody"),
                    page.say("已备份", "Archived"),
                    page.say("最后", "Last"),
                ),
                rows,
                numbers=(2, 3),
            )
        else:
            Tag("p", page.say("还没有收到记录", "No entries yet"), "empty")
