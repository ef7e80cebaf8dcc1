"""One work order: what it is about, its cards, its log, and what may be done now."""

from collections.abc import Callable

from fastapi import Depends, FastAPI
from fastapi.responses import RedirectResponse, Response
from nicegui import ui

from fleet.console import labels, order_words
from fleet.console.page import Page
from fleet.console.pages import work_order_acts
from fleet.console.pages.items import named_item
from fleet.console.parts import Cell, Tag, button, card, chip, link, pairs, table
from fleet.console.site import Site
from fleet.oversight.cards import Card
from fleet.oversight.files import FileRefused
from fleet.oversight.order_view import Order
from fleet.oversight.rules import SYSTEM, OrderRefused, Step
from fleet.oversight.vault import VaultError

MOST_NO = 2**63 - 1


def mount(app: FastAPI, site: Site) -> None:
    """Add the page and its attachments."""

    @ui.page("/work-orders/{no}")
    def one(no: int, page: Page = Depends(site.guard("handle"))) -> RedirectResponse | None:
        if _order(page, no) is None:
            return RedirectResponse("/work-orders")
        crumb = (page.say("差评工单", "Work orders"), "/work-orders")
        with site.frame(page, "work-orders", page.say(f"工单 {no}", f"Order {no}"), crumb=crumb):
            site.live(page, lambda: _body(page, no), shows=lambda: _order(page, no))
        return None

    @app.get("/work-orders/{no}/files/{file}", include_in_schema=False)
    def attachment(no: int, file: int, page: Page = Depends(site.guard("handle"))) -> Response:
        try:
            found, media = page.fleet.oversight.orders.file(min(no, MOST_NO), min(file, MOST_NO), page.actor)
        except (OrderRefused, FileRefused, VaultError) as error:
            return Response(error.words(page.language), status_code=404, media_type="text/plain; charset=utf-8")
        end = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}[media]
        disposition = f'attachment; filename="order-{no}-{file}.{end}"'
        return Response(found.data, media_type=media, headers={"Content-Disposition": disposition, "Cache-Control": "no-store"})


def _order(page: Page, no: int) -> Order | None:
    try:
        return page.fleet.oversight.orders.get(min(max(no, 0), MOST_NO), page.actor)
    except OrderRefused:
        return None


def window(page: Page, order: Order) -> str:
    """Where the rating was given."""
    if not order.window:
        return page.say("自助终端", "Terminal")
    return page.say(f"{order.window} 号窗口", f"Window {order.window}")


def ends(order: Order) -> tuple[str, str]:
    """The first and last day the rating may be of, as far as who looks may know."""
    return (order.day, order.day) if order.day else order.days


def days(page: Page, order: Order) -> str:
    """The same in one text."""
    first, last = ends(order)
    return first if first == last else page.say(f"{first} 至 {last}", f"{first} to {last}")


def due(page: Page, order: Order) -> str:
    """The deadline of the next step."""
    if order.deadline is None:
        return "—"
    return f"{order.deadline.due.day}" + (page.say("（暂定）", " (provisional)") if order.deadline.due.provisional else "")


def _body(page: Page, no: int) -> None:
    order = _order(page, no)
    if order is None:
        Tag("p", page.say("此工单已不由您办理", "This order is no longer yours"), "empty")
        return
    with Tag("div", classes="two"):
        with Tag("div", classes="stack"):
            _facts(page, order)
            work_order_acts.show(page, order)
        with Tag("div", classes="stack"):
            _cards(page, order)
            _files(page, order)
    _log(page, order)


def _facts(page: Page, order: Order) -> None:
    state, light = order_words.STATES[order.standing.state], order_words.LIGHTS[order.light]
    with card(page.say("情况", "About")):
        with Tag("div", classes="btns"):
            chip(page.say(state[0], state[1]), state[2])
            if not order.standing.is_done:
                chip(page.say(light[0], light[1]), light[2])
            chip(page.say("实名", "Named") if order.named else page.say("匿名", "Anonymous"))
        hidden = page.say("不显示（保护评价人）", "Not shown, to protect the rater")
        reasons = page.say("、", ", ").join(labels.reason(tag, page.language) for tag in order.reasons)
        rows: list[tuple[str, Cell]] = [
            (page.say("等级", "Level"), f"{order.level} {labels.label(labels.LEVELS, order.level, page.language)}"),
            (page.say("理由", "Reasons"), reasons or "—"),
            (page.say("窗口", "Window"), window(page, order)),
            (page.say("评价日", "Day"), days(page, order) + ("" if order.day else page.say("（五条评价之一）", " (one of five)"))),
            (page.say("事项", "Item"), named_item(page, order.hall, order.item) if order.item else ("—" if order.day else hidden)),
            (page.say("工作人员", "Clerk"), order.clerk or ("—" if order.day else hidden)),
            (page.say("承办人", "Assigned to"), page.person(order.standing.assigned_to) if order.standing.assigned_to else "—"),
        ]
        if order.standing.classification:
            rows.append((page.say("分类", "Class"), labels.label(order_words.CHOSEN, order.standing.classification, page.language)))
        if order.deadline:
            step = labels.label(order_words.NEXT, order.deadline.step, page.language)
            rows.append((page.say("下一步", "Next step"), f"{step} · {due(page, order)}"))
            promise = page.say("（暂定）", " (provisional)") if order.promise.provisional else ""
            rows.append((page.say("承诺时限", "Promise"), f"{order.promise.day}{promise}"))
        pairs(rows)


def _cards(page: Page, order: Order) -> None:
    with card(page.say("亮牌", "Cards")):
        if not order.cards:
            Tag("p", page.say("没有亮牌", "No cards"), "empty")
            return
        for each in order.cards:
            with Tag("div"):
                _card(page, order, each)


def _card(page: Page, order: Order, each: Card) -> None:
    name = order_words.LIGHTS[each.colour]
    with Tag("div", classes="btns"):
        chip(page.say(name[0], name[1]), "" if each.withdrawn_by else name[2])
        ended = page.say(f"至 {each.cleared}", f"to {each.cleared}") if each.cleared else page.say("起", "on")
        Tag("span", f"{order_words.rule(each.rule, page.language)} · {each.issued} {ended}", "small")
    if each.staff:
        Tag("p", page.person(each.staff), "small soft")
    if each.withdrawn_by:
        said = page.say(
            f"{page.person(each.withdrawn_by)} 撤销：{each.why}", f"Withdrawn by {page.person(each.withdrawn_by)}: {each.why}"
        )
        Tag("p", said, "small soft")
    elif page.may("supervise"):
        ask: Callable[[], None] = lambda: work_order_acts.ask(page, order, "withdraw_card", card=each.key)  # noqa: E731
        button(page.say("撤销", "Withdraw"), ask)


def _files(page: Page, order: Order) -> None:
    if not order.files:
        return
    with card(page.say("附件", "Attachments")):
        for each in order.files:
            with Tag("p", classes="small"):
                link(each.name, f"/work-orders/{order.no}/files/{each.no}")
                Tag(
                    "span",
                    page.say(
                        f" · 第 {each.place} 步 · {each.size // 1024 + 1} KB", f" · step {each.place} · {each.size // 1024 + 1} KB"
                    ),
                    "soft",
                )


def _log(page: Page, order: Order) -> None:
    head = tuple(
        page.say(*each) for each in (("时间", "At"), ("谁", "Who"), ("步骤", "Step"), ("结果", "Result"), ("说明", "Note"))
    )
    with card(page.say("办理记录", "Log")):
        table(head, [_step(page, step) for step in order.steps])


def _step(page: Page, step: Step) -> tuple[Cell, ...]:
    is_own = step.actor == SYSTEM
    # Steps of the fleet itself carry no time of day: it would be the rating's.
    when = step.day if is_own or not step.at_ms else page.local(step.at_ms).strftime("%Y-%m-%d %H:%M")
    chosen = [value for name, value in step.args.items() if name in ("class", "result", "verdict", "how")]
    result = [labels.label(order_words.CHOSEN, value, page.language) for value in chosen]
    if step.deed == "assign":
        result.append(page.person(step.args["to"]))
    if step.deed == "amend":
        result.append(f"{step.args['from']} → {step.args['to']}")
    return (
        when,
        page.say("系统", "The fleet") if is_own else page.person(step.actor),
        labels.label(order_words.DEEDS, step.deed, page.language),
        page.say("，", ", ").join(result) or "—",
        step.note or "—",
    )
