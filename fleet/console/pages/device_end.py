"""The end of a device: revoking it, with why, and what became of its connection."""

from typing import Any

from nicegui import ui

from fleet.access.service import Actor
from fleet.broker import BrokerError
from fleet.console.page import Page
from fleet.console.parts import Entry, Tag, button, card
from fleet.control.orders import ControlError


def revoke_card(page: Page, device: str) -> None:
    """The card with the button; nothing for those who may not."""
    if not page.may("administer"):
        return
    with card(page.say("吊销", "Revoke")):
        text = page.say(
            "设备丢失、被盗或报废时吊销：立即断开，证书作废，已入库的记录保留。",
            "For a lost, stolen or scrapped device: it is cut off at once, its certificates are void, its records stay.",
        )
        Tag("p", text, "soft small")
        with Tag("div", classes="btns"):
            button(page.say("吊销设备…", "Revoke device…"), lambda: _ask(page, device), kind="danger")


def _ask(page: Page, device: str) -> None:
    with ui.dialog() as dialog, Tag("div", classes="card"):
        Tag("h2", page.say("吊销此设备？", "Revoke this device?"))
        why = Entry(page.say("原因（写入审计）", "Why (goes into the audit log)"), autofocus=True)

        async def revoke() -> None:
            reason = why.value.strip()
            if not reason:
                ui.notify(page.say("请写明原因", "Please say why"), type="warning")
                return
            dialog.close()
            await page.act_slowly(
                "administer",
                lambda who: _revoke(page, device, who, reason),
                doing=page.say("正在吊销并断开连接…", "Revoking and closing its connection…"),
                done=page.say("已吊销，连接已断开", "Revoked, and its connection is closed"),
            )
            if page.fleet.registry.device(device).is_revoked:
                ui.timer(SHOWN_S, lambda: ui.navigate.to(f"/devices/{device}"), once=True)

        with Tag("div", classes="btns"):
            button(page.say("吊销", "Revoke"), revoke, kind="danger")
            button(page.say("取消", "Cancel"), dialog.close)
    dialog.open()


SHOWN_S = 2.5
"""How long the answer stands before the page shows the revoked device."""


def _revoke(page: Page, device: str, who: Actor, why: str) -> Any:
    try:
        page.fleet.registry.revoke(device, by=who.name, why=why, address=who.address)
    except BrokerError as error:
        raise ControlError(
            f"已吊销，服务器不再接受它；但没有确认断开连接，请在服务器上重启 mosquitto（{error}）",
            f"Revoked: the fleet takes nothing from it any more. But its connection may stand: {error}",
        ) from error
    finally:
        page.fleet.watch.bump()
