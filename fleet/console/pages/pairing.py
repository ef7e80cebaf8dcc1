"""配对: new devices show a code; compare it with the one here, say where the device stands, approve."""

from fastapi import Depends, FastAPI
from nicegui import ui

from fleet.access.service import Actor
from fleet.console import labels
from fleet.console.page import Page
from fleet.console.parts import Cell, Choice, Entry, Tag, button, card, chip, confirm, link, pairs, table
from fleet.console.site import Site
from fleet.registry.records import Pairing
from wire.messages import Words

_STATES = {
    "approved": ("已批准", "Approved", "good"),
    "refused": ("已拒绝", "Refused", "bad"),
    "expired": ("已过期", "Expired", ""),
    "waiting": ("等待批准", "Waiting", "warn"),
    "committed": ("刚开始", "Just begun", ""),
}


def mount(app: FastAPI, site: Site) -> None:
    """Add the page."""

    @ui.page("/pairing")
    def pairing(page: Page = Depends(site.guard("operate"))) -> None:
        with site.frame(page, "pairing", page.say("配对", "Pairing")):
            shown = [each.id for each in page.fleet.pairings.all(state="waiting")]

            # Drawn again only when the waiting devices differ, so that nobody's half-filled form is thrown away.
            @ui.refreshable
            def waiting() -> None:
                _waiting(page)

            def look() -> None:
                now = [each.id for each in page.fleet.pairings.all(state="waiting")]
                if now != shown:
                    shown[:] = now
                    waiting.refresh()
                    past.refresh()

            @ui.refreshable
            def past() -> None:
                _past(page)

            waiting()
            past()
            ui.timer(2.0, look)


def _waiting(page: Page) -> None:
    found = page.fleet.pairings.all(state="waiting")
    if not found:
        with card():
            Tag(
                "p",
                page.say(
                    "没有设备在等待配对。新设备联网后会在屏幕上显示六位配对码，这里随即出现。",
                    "No device waits. A new device shows a six-letter code on its screen and appears here.",
                ),
                "empty",
            )
    for each in found:
        _one(page, each)


def _one(page: Page, pairing: Pairing) -> None:
    with card(page.say("新设备等待批准", "A new device waits")), Tag("div", classes="two"):
        with Tag("div", classes="stack"):
            Tag("p", page.say("与设备屏幕上的配对码逐字比较：", "Compare letter by letter with the device's screen:"), "soft")
            Tag("div", pairing.code, "code")
            Tag(
                "p",
                page.say("不一致就拒绝：可能有人冒充。", "If it differs, refuse: somebody may be posing as the device."),
                "warn small",
            )
            if page.fleet.pairings.is_known(pairing.device):
                Tag("p", _known(page, pairing), "warn")
            pairs(
                [
                    (page.say("种类", "Kind"), labels.label(labels.DEVICE_ROLES, pairing.role, page.language)),
                    (page.say("型号", "Model"), pairing.model),
                    (page.say("软件", "Software"), pairing.software),
                    (page.say("编号", "Name"), pairing.device),
                    (page.say("来自", "From"), pairing.peer),
                    (page.say("有效至", "Valid until"), page.time(pairing.expires_ms)),
                ]
            )
        with Tag("div", classes="stack"):
            _form(page, pairing)


def _known(page: Page, pairing: Pairing) -> str:
    """What to know before a device is approved that is registered already."""
    registry = page.fleet.registry
    placing = registry.placement(pairing.device)
    where = f"{placing.hall} {placing.window} {page.title(placing.label)}" if placing else page.say("未登记位置", "nowhere")
    if registry.device(pairing.device).is_revoked:
        return page.say(
            f"这台设备登记过（{where}），后来被吊销。批准即撤销吊销。",
            f"This device is registered already ({where}) and was revoked. Approving takes the revocation back.",
        )
    return page.say(
        f"这台设备已经登记（{where}）。批准后旧的登记和证书由新的代替；请确认它确实重新安装或被重置过。",
        f"This device is registered already ({where}). Approving replaces that; make sure that it was really installed anew.",
    )


def _form(page: Page, pairing: Pairing) -> None:
    registry = page.fleet.registry
    halls = registry.halls()
    if not halls:
        Tag(
            "p",
            page.say("先登记大厅：nw-fleet items import hall.json", "Register a hall first: nw-fleet items import hall.json"),
            "bad",
        )
        return
    chosen: dict[str, Choice] = {}

    @ui.refreshable
    def window() -> None:
        windows = [(each.number, f"{each.number} {page.title(each.business)}") for each in registry.windows(chosen["hall"].value)]
        first = windows[0][0] if windows and pairing.role == "evaluator" else ""
        none = [] if pairing.role == "evaluator" and windows else [("", page.say("不在窗口", "Not at a window"))]
        chosen["window"] = Choice(page.say("窗口", "Window"), none + windows, first)

    chosen["hall"] = Choice(
        page.say("大厅", "Hall"), [(hall.code, page.title(hall.title)) for hall in halls], halls[0].code, on_change=window.refresh
    )
    window()
    label = Entry(page.say("设备名称（显示在屏幕上）", "Label (shown on its screen)"), _label(page, pairing))
    _decision(page, pairing, chosen, label)


def _decision(page: Page, pairing: Pairing, chosen: dict[str, Choice], label: Entry) -> None:
    """The two buttons: approve with what was chosen and written, or refuse."""

    def approve() -> None:
        words: Words = {"zh": label.value.strip()}
        if not words["zh"]:
            ui.notify(page.say("请填写设备名称", "Give the device a label"), type="warning")
            return
        page.act(
            "operate",
            lambda who: _approve(page, pairing, who, chosen["hall"].value, chosen["window"].value, words),
            done=page.say("已批准，设备即将上线", "Approved; the device comes online soon"),
        )

    def refuse() -> None:
        pairings, done = page.fleet.pairings, page.say("已拒绝", "Refused")
        page.act("operate", lambda who: pairings.refuse(pairing.id, by=who.name, address=who.address), done=done)

    with Tag("div", classes="btns"):
        button(page.say("配对码一致，批准", "The code is the same: approve"), approve, kind="main-act")
        question = page.say("拒绝这台设备？", "Refuse this device?")
        button(
            page.say("拒绝", "Refuse"),
            lambda: confirm(question, "", page.say("拒绝", "Refuse"), page.say("取消", "Cancel"), refuse, danger=True),
            kind="danger",
        )


def _label(page: Page, pairing: Pairing) -> str:
    count = sum(known.role == pairing.role for known in page.fleet.watch.devices()) + 1
    return f"自助服务区 · {count}号机" if pairing.role == "terminal" else f"评价器 {count}"


def _approve(page: Page, pairing: Pairing, who: Actor, hall: str, window: str, label: Words) -> None:
    device = page.fleet.pairings.approve(pairing.id, hall=hall, window=window, label=label, by=who.name, address=who.address)
    page.fleet.control.refresh(device)
    page.fleet.watch.bump()


def _past(page: Page) -> None:
    done = sorted(
        (each for each in page.fleet.pairings.all() if each.state not in ("waiting", "committed")), key=lambda each: -each.made_ms
    )
    if not done:
        return
    with card(page.say("以前的配对", "Earlier pairings")):
        rows = []
        for each in done[:20]:
            zh, en, tone = _STATES[each.state]
            rows.append(
                (
                    page.time(each.made_ms),
                    _device(page, each.device),
                    each.code,
                    lambda zh=zh, en=en, tone=tone: chip(page.say(zh, en), tone),
                    page.person(each.decided_by) if each.decided_by else "—",
                )
            )
        table(
            (
                page.say("时间", "At"),
                page.say("设备", "Device"),
                page.say("配对码", "Code"),
                page.say("结果", "Result"),
                page.say("谁", "By"),
            ),
            rows,
        )


def _device(page: Page, name: str) -> Cell:
    """The device by its label, with a link, once it is placed."""
    known = page.fleet.watch.device(name)
    return (lambda: link(page.title(known.label), f"/devices/{name}")) if known else name
