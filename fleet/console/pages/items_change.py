"""Changing a hall's items: importing a list after its report, building and publishing packs."""

import tempfile
from pathlib import Path
from typing import Any

from nicegui import run, ui

from fleet.access.service import Actor
from fleet.console.page import Page
from fleet.console.parts import Tag, button, card, chip, table
from fleet.hall.importer import ImportPlan, ImportReport, compare, read_items
from fleet.hall.publish import publish

MOST_PROBLEMS = 100
MAX_UPLOAD_BYTES = 64 * 1024 * 1024


def packs_card(page: Page, hall: str) -> None:
    """The packs published last, and the button that builds and publishes the next."""
    fleet = page.fleet
    history = ui.refreshable(lambda: _history(page, hall))

    async def build() -> None:
        await page.act_slowly(
            "operate",
            lambda who: publish(fleet.items, fleet.control, hall, signer=bytes(fleet.keys.signing), by=who.name),
            doing=page.say("正在生成…", "Building…"),
            done=page.say("已发布", "Published"),
        )
        history.refresh()

    with card(page.say("内容包", "Content packs")):
        history()
        if page.may("operate"):
            with Tag("div", classes="btns"):
                button(page.say("生成并发布", "Build and publish"), build, kind="main-act")


def _history(page: Page, hall: str) -> None:
    packs = page.fleet.control.packs.history(hall)[:5]
    if not packs:
        text = page.say("还没有发布内容包，终端显示自带内容。", "No pack published yet; terminals show what they have.")
        Tag("p", text, "empty")
        return
    rows = [
        (
            lambda version=pack.version: Tag("span", page.version(version), title=version),
            f"{pack.size / 1e6:.1f} MB",
            page.moment(pack.published_ms),
            page.person(pack.published_by),
        )
        for pack in packs
    ]
    head = (page.say("生成", "Built"), page.say("大小", "Size"), page.say("发布", "Published"), page.say("谁", "By"))
    table(head, rows, numbers=(1,))
    Tag("p", page.say("各设备显示的版本见设备页。", "Which device shows which version is on its page."), "soft small")


def import_card(page: Page, hall: str) -> None:
    """The card that takes a file, shows what it would change, and writes it after that."""
    with card(page.say("导入事项", "Import items")):
        Tag(
            "p",
            page.say("xlsx、csv、json；先出报告，确认后才写入。", "xlsx, csv, json; you see a report before anything is written."),
            "soft small",
        )
        result = Tag("div", classes="stack")

        async def take(event: Any) -> None:
            data = await event.file.read()
            name = Path(event.file.name).name[:120]
            plan = await run.io_bound(_plan, page, hall, data, name)
            if plan is None:
                return  # The server is being stopped.
            result.clear()
            with result:
                _report(page, hall, plan, result)

        upload = ui.upload(
            on_upload=take, auto_upload=True, max_file_size=MAX_UPLOAD_BYTES, label=page.say("选择文件", "Choose a file")
        )
        upload.props('flat bordered accept=".xlsx,.csv,.json,.jsonl"').style("width:100%")


def _plan(page: Page, hall: str, data: bytes, name: str) -> ImportPlan | str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("items" + Path(name).suffix)
        path.write_bytes(data)
        try:
            content = page.fleet.items.content(hall)
        except LookupError:
            content = None
        try:
            read = read_items(path, departments=content.departments if content else ())
            return compare(
                page.fleet.items.items(hall),
                read,
                departments=content.departments if content else (),
                scenarios=content.scenarios if content else (),
                hall=content.hall if content else None,
            )
        except (ValueError, OSError) as error:
            return str(error)


def _report(page: Page, hall: str, plan: ImportPlan | str, box: Tag) -> None:
    if isinstance(plan, str):
        Tag("p", plan, "bad")
        return
    report = plan.report
    with Tag("div"):
        for count, zh, en, tone in (
            (len(report.new), "新增", "new", "good"),
            (len(report.changed), "变更", "changed", "warn"),
            (len(report.unchanged), "不变", "unchanged", ""),
            (len(report.withdrawn), "取消", "withdrawn", "warn"),
            (report.refused, "拒收", "refused", "bad"),
        ):
            chip(f"{page.say(zh, en)} {count}", tone if count else "").style("margin-right:8px")
    if plan.blocked:
        Tag("p", page.say(plan.blocked_zh, plan.blocked), "bad")
    if report.problems:
        _problems(page, report)
    records = [*([plan.hall] if plan.hall else []), *plan.departments, *plan.items, *plan.scenarios]
    if plan.blocked or not records:
        return

    async def write() -> None:
        if await page.act_slowly(
            "operate",
            lambda who: _write(page, hall, records, who, report.summary()),
            doing=page.say(f"正在写入 {len(records)} 条…", f"Writing {len(records)} records…"),
            done=page.say(f"已导入 {len(records)} 条", f"{len(records)} records imported"),
        ):
            box.clear()
            ui.navigate.reload()

    button(page.say(f"写入 {len(records)} 条", f"Write {len(records)} records"), write, kind="main-act")


def _problems(page: Page, report: ImportReport) -> None:
    count = len(report.problems) + report.more_problems
    with Tag("details"):
        Tag("summary", page.say(f"{count} 个问题", f"{count} problems"))
        rows = [
            (str(each.row), _column(page, each.column), each.value[:60], page.say(each.reason_zh, each.reason))
            for each in report.problems[:MOST_PROBLEMS]
        ]
        table((page.say("行", "Row"), page.say("列", "Column"), page.say("值", "Value"), page.say("问题", "Problem")), rows)


def _column(page: Page, column: str) -> str:
    """The file's own column, or the field that the file has no column for."""
    return page.say({"department": "部门", "code": "编码", "name": "名称"}.get(column, column), column)


def _write(page: Page, hall: str, records: list[Any], who: Actor, summary: str) -> None:
    page.fleet.items.put(hall, records, by=who.name)
    page.fleet.audit.note(who.name, "items.import", subject=hall, detail=summary, address=who.address)
