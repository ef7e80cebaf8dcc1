"""The picture of a device's screen and the orders given to it, each with its true state."""

from collections.abc import Callable

from fleet.console import labels
from fleet.console.page import Page
from fleet.console.parts import Tag, button, card, chip, confirm, table
from fleet.console.site import Site
from fleet.control.orders import Order
from fleet.watch.model import Known

VERBS = ("identify", "apply_configuration", "pull_content", "restart_face")
OF_PEOPLE = (*VERBS, "picture")
SHOWN = 8


def picture_card(page: Page, site: Site, device: str, known: Callable[[], Known]) -> None:
    """The last picture with when it was taken, why there is no newer one, and the button that asks for one."""
    with card(page.say("屏幕画面", "Screen")):
        site.live(page, lambda: _picture(page, known()), shows=lambda: _picture_facts(page, known()))
        if page.may("operate"):
            with Tag("div", classes="btns"):
                _order_button(page, device, "picture")


def orders_card(page: Page, site: Site, device: str) -> None:
    """The buttons, and what became of the last orders."""
    with card(page.say("命令", "Orders")):
        if page.may("operate"):
            with Tag("div", classes="btns"):
                for verb in VERBS:
                    _order_button(page, device, verb)
        site.live(page, lambda: _orders(page, device))


def _last_picture(page: Page, device: str) -> Order | None:
    return next(iter(page.fleet.control.orders.of_device(device, verbs=("picture",), limit=1)), None)


def _picture_facts(page: Page, known: Known) -> object:
    shot = page.fleet.control.orders.picture(known.device)
    return shot and shot.command, _last_picture(page, known.device), why_no_picture(page, known)


def _picture(page: Page, known: Known) -> None:
    shot, last = page.fleet.control.orders.picture(known.device), _last_picture(page, known.device)
    with Tag("div", classes="screen"):
        if shot:
            alt = page.say("设备屏幕，个人内容已遮盖", "The device's screen, personal content masked")
            Tag("img", src=f"/devices/{known.device}/picture.png?{shot.command.hex()}", alt=alt)
        else:
            Tag("p", page.say("还没有画面", "No picture yet") + page.say("：", ": ") + why_no_picture(page, known), "soft")
    if last and not last.is_over:
        Tag("p", page.say("已要画面，等设备送来…", "Asked for a picture; waiting for the device…"), "soft small")
    if shot is None:
        return
    screen = labels.label(labels.SCREENS, shot.screen, page.language)
    Tag("p", page.say("拍于 ", "Taken ") + page.moment(shot.received_ms) + f" · {screen}", "soft small")
    if last and last.id != shot.command and last.is_over and last.state != "done":
        Tag("p", page.say("此后没有新画面：", "No picture since: ") + _why(page, last), "warn small")
    elif known.seen != "online" or (known.state and known.state.face != "up"):
        Tag("p", page.say("此后没有新画面：", "No picture since: ") + why_no_picture(page, known), "warn small")


def why_no_picture(page: Page, known: Known) -> str:
    """Why there is none, in words."""
    if known.seen != "online":
        return page.say(
            f"设备{labels.SEEN[known.seen][0]}（{page.since(known.since_ms)}）",
            f"the device is {labels.SEEN[known.seen][1].lower()} ({page.since(known.since_ms)})",
        )
    if known.state and known.state.face != "up":
        return page.say("屏幕程序", "the screen program: ") + labels.label(labels.FACES, known.state.face, page.language)
    last = _last_picture(page, known.device)
    if last and last.is_over and last.state != "done":
        return _why(page, last)
    return page.say("还没有人要过", "nobody has asked for one")


def _why(page: Page, order: Order) -> str:
    return page.message(order.detail, order.args) or labels.label(labels.ORDER_STATES, order.state, page.language)


def _order_button(page: Page, device: str, verb: str) -> None:
    name = labels.label(labels.VERBS, verb, page.language)
    said = page.say(f"命令“{name}”已发出，状态见“命令”", f"“{name}” is ordered; its state is under Orders")

    def give() -> None:
        page.act("operate", lambda who: page.fleet.control.orders.give(device, verb, by=who.name, address=who.address), done=said)

    if verb == "restart_face":
        question = page.say("重启屏幕程序？", "Restart the screen program?")
        detail = page.say("正在使用的群众会被打断约十秒。", "Whoever uses it is interrupted for about ten seconds.")
        button(name, lambda: confirm(question, detail, page.say("重启", "Restart"), page.say("取消", "Cancel"), give))
    else:
        button(name, give)


def _orders(page: Page, device: str) -> None:
    """What people ordered; the invitations that other systems give are many, and stand apart."""
    orders = page.fleet.control.orders
    given, invited = orders.of_device(device, verbs=OF_PEOPLE, limit=SHOWN), orders.of_device(device, verbs=("invite",), limit=1)
    if given:
        _table(page, given)
    else:
        Tag("p", page.say("还没有给过命令", "No orders yet"), "empty")
    for order in invited:
        state = labels.label(labels.ORDER_STATES, order.state, page.language)
        words = " · ".join(filter(None, (page.moment(order.issued_ms), state, page.message(order.detail, order.args))))
        Tag("p", page.say("最近一次邀请评价：", "Last invitation to rate: ") + words, "soft small")


def _table(page: Page, given: list[Order]) -> None:
    rows = []
    for order in given:
        tone = labels.ORDER_STATES.get(order.state, ("", "", ""))[2]
        rows.append(
            (
                labels.label(labels.VERBS, order.verb, page.language),
                lambda order=order, tone=tone: chip(labels.label(labels.ORDER_STATES, order.state, page.language), tone),
                page.message(order.detail, order.args) or "—",
                page.moment(order.changed_ms),
                page.person(order.by),
            )
        )
    head = (
        page.say("命令", "Order"),
        page.say("真实状态", "True state"),
        page.say("详情", "Detail"),
        page.say("时间", "At"),
        page.say("谁", "By"),
    )
    table(head, rows)
