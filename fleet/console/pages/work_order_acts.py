"""What may be done with a work order now: a button a step, and a dialog that asks for what the step needs."""

from collections.abc import Callable

from nicegui import ui

from fleet.access.rules import may
from fleet.console import labels, order_words
from fleet.console.page import Page
from fleet.console.parts import Area, Choice, Entry, Tag, button, card, pairs
from fleet.oversight import rules
from fleet.oversight.files import MOST_BYTES, Attachment
from fleet.oversight.order_view import Order
from fleet.oversight.vault import read_contact

ORDER = (
    "assign",
    "contact",
    "classify",
    "rectify",
    "reply",
    "take",
    "revisit",
    "close",
    "review",
    "reopen",
    "appeal",
    "release",
    "note",
)

MAIN = frozenset(ORDER) - {"note", "appeal", "release", "reopen"}


def show(page: Page, order: Order) -> None:
    """The card with buttons; nothing when there is nothing this person may do."""
    deeds = [deed for deed in ORDER if _may(page, order, deed)]
    if not deeds:
        return
    with card(page.say("办理", "To do")), Tag("div", classes="btns"):
        for number, deed in enumerate(deeds):
            name = labels.label(order_words.DEEDS, deed, page.language)
            button(name, lambda deed=deed: ask(page, order, deed), kind="main-act" if number == 0 and deed in MAIN else "")
        if page.may("supervise") and not order.standing.is_done:
            button(page.say("登记联系方式", "Enter contact data"), lambda: _enter_contact(page, order))
        if order.named and order.standing.in_hands_of == page.actor.name:
            button(page.say("查看联系方式", "Show contact data"), lambda: _look(page, order))


def _may(page: Page, order: Order, deed: str) -> bool:
    """Whether a button is worth showing: the rules decide again when it is pressed."""
    if order.standing.state not in rules.fits(deed, named=order.named):
        return False
    if deed == "release":
        return page.may("supervise") and not order.standing.released_day
    if deed in rules.NEED_NOTE or deed in rules.CHOICES or deed not in ("assign", "note"):
        blank = {name: choices[0] for name, choices in [rules.CHOICES[deed]]} if deed in rules.CHOICES else {}
        try:
            how = {"actor": page.actor.name, "supervises": page.may("supervise"), "named": order.named}
            rules.check(order.standing, deed, note="-", args=blank, **how)  # type: ignore[arg-type]
        except rules.OrderRefused:
            return False
        return True
    return page.may("supervise") or order.standing.assigned_to == page.actor.name if deed == "note" else page.may("supervise")


def ask(page: Page, order: Order, deed: str, *, card: str = "") -> None:
    """The dialog of one step."""
    with ui.dialog() as dialog, Tag("div", classes="card", lang="en" if page.language == "en" else "zh-CN"):
        Tag("h2", labels.label(order_words.DEEDS, deed, page.language))
        choice = _choice(page, deed)
        needs = deed in rules.NEED_NOTE
        note = Area(page.say("说明", "Note") + ("" if needs else page.say("（可不填）", " (optional)")))
        if deed == "note" or deed in rules.BY_ASSIGNEE:
            Tag("p", page.say("不要写评价人的姓名和电话。", "Write no name and no telephone number of the rater."), "soft small")
        files: list[Attachment] = []
        _upload(page, files)

        def save() -> None:
            args = ({choice[0]: choice[1].value} if choice else {}) | ({"card": card} if card else {})
            orders = page.fleet.oversight.orders
            done = page.act(
                "handle",
                lambda who: orders.act(order.no, deed, who, note=note.value, args=args, files=files),
                done=page.say("已登记", "Done"),
            )
            if done:
                page.fleet.watch.bump()
                dialog.close()

        with Tag("div", classes="btns"):
            button(page.say("确定", "Confirm"), save, kind="main-act")
            button(page.say("取消", "Cancel"), dialog.close)
    dialog.open()


def _choice(page: Page, deed: str) -> tuple[str, Choice] | None:
    if deed == "assign":
        people = [each for each in page.fleet.access.users() if may(each.role, "handle") and not each.disabled]
        options = [(each.name, f"{each.display}（{labels.label(labels.ROLES, each.role, page.language)}）") for each in people]
        return "to", Choice(page.say("承办人", "Assign to"), options, options[0][0] if options else "")
    if deed not in rules.CHOICES:
        return None
    name, values = rules.CHOICES[deed]
    options = [(value, labels.label(order_words.CHOSEN, value, page.language)) for value in values]
    return name, Choice(page.say("结果", "Result"), options, values[0])


def _upload(page: Page, files: list[Attachment]) -> None:
    async def take(event) -> None:  # type: ignore[no-untyped-def]
        files.append(Attachment(event.file.name, await event.file.read()))

    label = page.say("附件：PDF、PNG、JPEG，每个 5 MB 以内", "Attachments: PDF, PNG, JPEG, 5 MB each")
    upload = ui.upload(on_upload=take, auto_upload=True, multiple=True, max_files=5, max_file_size=MOST_BYTES, label=label)
    upload.props('flat bordered accept=".pdf,.png,.jpg,.jpeg"').style("width:100%")


def _enter_contact(page: Page, order: Order) -> None:
    with ui.dialog() as dialog, Tag("div", classes="card", lang="en" if page.language == "en" else "zh-CN"):
        Tag("h2", page.say("登记联系方式", "Enter contact data"))
        said = page.say(
            "评价人自愿留下时才登记。加密保存，只有正在办理的人能看，每次查看都有记录，办结后按期删除。",
            "Only what the rater gives of their own will. Encrypted, shown to who handles the order, each look on record.",
        )
        Tag("p", said, "soft small")
        name = Entry(page.say("称呼", "Name"), autofocus=True)
        reach = Entry(page.say("电话或其他联系方式", "Telephone or another way"))
        words = Entry(page.say("补充说明", "Their words"))

        def save() -> None:
            contacts = page.fleet.oversight.contacts

            def deed(who) -> None:  # type: ignore[no-untyped-def]
                contacts.keep_for_order(order.no, read_contact(name.value, reach.value, words.value), who)

            if page.act("supervise", deed, done=page.say("已加密保存", "Kept, encrypted")):
                page.fleet.watch.bump()
                dialog.close()

        with Tag("div", classes="btns"):
            button(page.say("保存", "Save"), save, kind="main-act")
            button(page.say("取消", "Cancel"), dialog.close)
    dialog.open()


def _look(page: Page, order: Order) -> None:
    found: list = []  # type: ignore[type-arg]
    look: Callable[..., None] = lambda who: found.append(page.fleet.oversight.contacts.look(order.no, who))  # noqa: E731
    if not page.act("handle", look):
        return
    contact = found[0]
    with ui.dialog() as dialog, Tag("div", classes="card", lang="en" if page.language == "en" else "zh-CN"):
        Tag("h2", page.say("联系方式", "Contact data"))
        rows = [(page.say("称呼", "Name"), contact.name or "—"), (page.say("联系方式", "Reach"), contact.reach)]
        pairs([*rows, (page.say("补充说明", "Words"), contact.words or "—")])
        Tag("p", page.say("本次查看已记入审计。", "This look is in the audit log."), "soft small")
        button(page.say("关闭", "Close"), dialog.close, kind="main-act")
    dialog.open()
