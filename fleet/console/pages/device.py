"""设备页: one device: its screen, what is wanted of it and what it reports, its parts, journals and commands."""

from fastapi import Depends, FastAPI
from fastapi.responses import RedirectResponse, Response
from nicegui import ui

from fleet.console import labels
from fleet.console.pages.devices import broken
from fleet.console.parts import Entry, Tag, button, card, chip, confirm, mark, pairs, table
from fleet.console.site import Page, Site
from fleet.control.orders import Order
from fleet.registry.records import Device, NotKnown
from fleet.watch.journals import journals_of
from fleet.watch.model import Known

VERBS = ("identify", "picture", "apply_configuration", "pull_content", "restart_face")


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
            site.live(page, lambda: _body(page, record))
        return None

    @app.get("/devices/{name}/picture.png", include_in_schema=False)
    def picture(name: str, page: Page = Depends(site.guard())) -> Response:
        shot = page.fleet.control.orders.picture(name)
        if shot is None:
            return Response(status_code=404)
        return Response(shot.png, media_type="image/png", headers={"Cache-Control": "private, max-age=31536000, immutable"})


def _body(page: Page, record: Device) -> None:
    known = page.fleet.watch.device(record.name)
    if record.is_revoked or known is None:
        with Tag("section", classes="card alarm"):
            text = (
                page.say("此设备已吊销", "This device is revoked")
                if record.is_revoked
                else page.say("此设备现在没有安放在任何地方", "This device stands nowhere now")
            )
            Tag("strong", f"{text}：{record.revoked_why or ''} {page.full_time(record.revoked_ms)}" if record.is_revoked else text)
        _journals(page, record.name)
        return
    if trouble := broken(page, known):
        with Tag("section", classes="card alarm"):
            Tag("strong", page.say("现在不能用：", "Out of service: ") + trouble, "bad")
    with Tag("div", classes="two"):
        with Tag("div", classes="stack"):
            _picture(page, known)
            _orders(page, known)
        with Tag("div", classes="stack"):
            _standing(page, known, record)
            _parts(page, known)
            _twin(page, known)
            _journals(page, record.name)
            _revoke(page, known)


def _standing(page: Page, known: Known, record: Device) -> None:
    state = known.state
    with card(page.say("现状", "Now")):
        rows = [
            (
                page.say("连接", "Link"),
                lambda: mark(
                    f"{labels.label(labels.SEEN, known.seen, page.language)} · {page.since(known.since_ms)}",
                    labels.SEEN_TONE[known.seen],
                ),
            ),
            (page.say("最后收到", "Last heard"), page.full_time(known.heard_ms)),
            (
                page.say("位置", "Place"),
                f"{page.title(known.hall_name)} {known.window and page.say(f'{known.window} 号窗口', f'window {known.window}')}",
            ),
            (page.say("种类", "Kind"), f"{labels.label(labels.DEVICE_ROLES, known.role, page.language)} · {record.model}"),
            (page.say("配对", "Paired"), f"{page.full_time(record.paired_ms)} · {record.paired_by}"),
        ]
        if state:
            rows += [
                (
                    page.say("屏幕程序", "Screen program"),
                    f"{labels.label(labels.FACES, state.face, page.language)} · {page.since(state.face_since_ms)}"
                    + (f" · {state.screen}" if state.screen else ""),
                ),
                (page.say("软件", "Software"), state.software),
                (page.say("时钟", "Clock"), labels.label(labels.CLOCKS, state.clock_trust, page.language)),
            ]
            for name, value in sorted(state.levels.items()):
                row = labels.LEVEL_GAUGES.get(name)
                unit = f" {row[2]}" if row else ""
                rows.append((labels.label(labels.LEVEL_GAUGES, name, page.language), f"{value:,.1f}{unit}".replace(".0 ", " ")))
        if known.paper_empty_ms:
            rows.append((page.say("纸预计用完", "Paper ends about"), page.ahead(known.paper_empty_ms)))
        pairs(rows)


def _picture(page: Page, known: Known) -> None:
    shot = page.fleet.control.orders.picture(known.device)
    with card(page.say("屏幕画面", "Screen")):
        with Tag("div", classes="screen"):
            if shot:
                alt = page.say("设备屏幕，个人内容已遮盖", "The device's screen, personal content masked")
                Tag("img", src=f"/devices/{known.device}/picture.png?{shot.command.hex()}", alt=alt)
            else:
                Tag("p", page.say("还没有画面", "No picture yet") + page.say("：", ": ") + why_no_picture(page, known), "soft")
        if shot:
            Tag("p", page.say("拍于 ", "Taken ") + page.full_time(shot.received_ms) + f" · {shot.screen}", "soft small")
            last = next((order for order in page.fleet.control.orders.of_device(known.device) if order.verb == "picture"), None)
            if last and last.id != shot.command and last.is_over and last.state != "done":
                Tag("p", page.say("此后没有新画面，因为", "No picture since, because ") + _why(page, last), "warn small")
            elif known.seen != "online" or (known.state and known.state.face != "up"):
                Tag("p", page.say("此后没有新画面，因为", "No picture since, because ") + why_no_picture(page, known), "warn small")
        if page.may("operate"):
            with Tag("div", classes="btns"):
                _order_button(page, known.device, "picture")


def why_no_picture(page: Page, known: Known) -> str:
    """Why there is none, in words."""
    if known.seen != "online":
        return page.say(
            f"设备{labels.SEEN[known.seen][0]}（{page.since(known.since_ms)}）",
            f"the device is {labels.SEEN[known.seen][1].lower()} ({page.since(known.since_ms)})",
        )
    if known.state and known.state.face != "up":
        return page.say("屏幕程序", "the screen program: ") + labels.label(labels.FACES, known.state.face, page.language)
    return page.say("还没有人要过", "nobody has asked for one")


def _why(page: Page, order: Order) -> str:
    return page.message(order.detail, order.args) or labels.label(labels.ORDER_STATES, order.state, page.language)


def _order_button(page: Page, device: str, verb: str) -> None:
    name = labels.label(labels.VERBS, verb, page.language)
    said = page.say(f"命令“{name}”已发出，看下面的状态", f"Order “{name}” given; see its state below")

    def give() -> None:
        page.act("operate", lambda who: page.fleet.control.orders.give(device, verb, by=who.name, address=who.address), done=said)

    if verb == "restart_face":
        question = page.say("重启屏幕程序？", "Restart the screen program?")
        detail = page.say("正在使用的群众会被打断约十秒。", "Whoever uses it is interrupted for about ten seconds.")
        button(name, lambda: confirm(question, detail, page.say("重启", "Restart"), page.say("取消", "Cancel"), give))
    else:
        button(name, give)


def _orders(page: Page, known: Known) -> None:
    with card(page.say("命令", "Orders")):
        if page.may("operate"):
            with Tag("div", classes="btns"):
                for verb in VERBS:
                    if verb != "picture":
                        _order_button(page, known.device, verb)
        rows = []
        for order in page.fleet.control.orders.of_device(known.device, limit=8):
            tone = labels.ORDER_STATES.get(order.state, ("", "", ""))[2]
            rows.append(
                (
                    labels.label(labels.VERBS, order.verb, page.language),
                    lambda order=order, tone=tone: chip(labels.label(labels.ORDER_STATES, order.state, page.language), tone),
                    page.message(order.detail, order.args) or "—",
                    page.time(order.changed_ms),
                    order.by,
                )
            )
        if rows:
            table(
                (
                    page.say("命令", "Order"),
                    page.say("真实状态", "True state"),
                    page.say("详情", "Detail"),
                    page.say("时间", "At"),
                    page.say("谁", "By"),
                ),
                rows,
            )
        else:
            Tag("p", page.say("还没有给过命令", "No orders yet"), "empty")


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
            tone = "warn" if stale else labels.PART_STATES[part.state][2]
            rows.append(
                (
                    labels.label(labels.PARTS, part.part, page.language),
                    lambda part=part, tone=tone: chip(labels.label(labels.PART_STATES, part.state, page.language), tone),
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
        table(
            ("", page.say("期望", "Desired"), page.say("上报", "Reported"), ""),
            [
                (
                    page.say("配置版本", "Configuration"),
                    f"{desired.version} · {page.time(made_ms)}",
                    str(applied),
                    lambda: _same(page, applied == desired.version),
                ),
                (
                    page.say("内容包", "Content pack"),
                    content or "—",
                    shown or "—",
                    lambda: _same(page, content == shown or not content),
                ),
            ],
        )
        if desired.settings:
            pairs([(key, str(value)) for key, value in sorted(desired.settings.items())])


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


def _revoke(page: Page, known: Known) -> None:
    if not page.may("administer"):
        return
    with card(page.say("吊销", "Revoke")):
        Tag(
            "p",
            page.say(
                "设备丢失、被盗或报废时吊销：立即断开，证书作废，已入库的记录保留。",
                "For a lost, stolen or scrapped device: it is cut off at once, its certificates are void, its records stay.",
            ),
            "soft small",
        )

        def ask() -> None:
            with ui.dialog() as dialog, Tag("div", classes="card"):
                Tag("h2", page.say("吊销此设备？", "Revoke this device?"))
                why = Entry(page.say("原因（写入审计）", "Why (goes into the audit log)"), autofocus=True)

                def done() -> None:
                    if not why.value.strip():
                        ui.notify(page.say("请写明原因", "Please say why"), type="warning")
                        return
                    dialog.close()
                    page.act(
                        "administer",
                        lambda who: _do_revoke(page, known.device, who, why.value.strip()),
                        done=page.say("已吊销", "Revoked"),
                    )
                    ui.navigate.reload()

                with Tag("div", classes="btns"):
                    button(page.say("吊销", "Revoke"), done, kind="danger")
                    button(page.say("取消", "Cancel"), dialog.close)
            dialog.open()

        with Tag("div", classes="btns"):
            button(page.say("吊销设备…", "Revoke device…"), ask, kind="danger")


def _do_revoke(page: Page, device: str, who, why: str) -> None:  # type: ignore[no-untyped-def]
    page.fleet.registry.revoke(device, by=who.name, why=why)
    page.fleet.audit.note(who.name, "device.revoke", subject=device, detail=why, address=who.address)
    page.fleet.watch.bump()
