"""回访: cases drawn at random to be called, the call script, what each call gave, and the ledger as CSV or spreadsheet."""

from collections.abc import Iterator
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.responses import RedirectResponse, Response
from nicegui import run, ui

from fleet.access.service import Actor
from fleet.console.lists import download, spreadsheet
from fleet.console.page import Page
from fleet.console.parts import Area, Cell, Choice, Entry, Tag, button, card, chip, kpi, link, pairs, table
from fleet.console.site import Site
from fleet.console.visitor import percent
from fleet.oversight.revisits import MOST_LIST_BYTES, RESULTS, SCRIPT, Drawing, Revisit, read_cases
from fleet.oversight.sampling import Case, DrawRefused

MOST_NO = 2**63 - 1
TONES = {"satisfied": "good", "basically": "good", "dissatisfied": "bad"}


def mount(app: FastAPI, site: Site) -> None:
    """Add the list of drawings, one drawing's page and its ledger."""

    @ui.page("/revisits")
    def drawings(page: Page = Depends(site.guard("supervise"))) -> None:
        with site.frame(page, "revisits", page.say("回访", "Revisits")):
            _draw_card(page)
            _drawings(page)

    @ui.page("/revisits/{no}")
    def one(no: int, page: Page = Depends(site.guard("supervise"))) -> RedirectResponse | None:
        found = page.fleet.oversight.revisits.drawing(min(no, MOST_NO))
        if found is None:
            return RedirectResponse("/revisits")
        with site.frame(page, "revisits", found.title, crumb=(page.say("回访", "Revisits"), "/revisits")) as head:
            with head, Tag("div", classes="end"):
                link(page.say("导出 CSV", "Export CSV"), f"/revisits/{no}/ledger.csv", "btn")
                link(page.say("导出表格", "Spreadsheet"), f"/revisits/{no}/ledger.xlsx", "btn")
            book = page.fleet.oversight.revisits
            site.live(page, lambda: _one(page, no), shows=lambda: (book.drawing(no), book.cases(no)))
        return None

    @app.get("/revisits/{no}/ledger.csv", include_in_schema=False)
    def as_csv(no: int, page: Page = Depends(site.guard("supervise"))) -> Response:
        return download(f"revisits-{no}", LEDGER_HEAD, _ledger(page, min(no, MOST_NO)))

    @app.get("/revisits/{no}/ledger.xlsx", include_in_schema=False)
    def as_xlsx(no: int, page: Page = Depends(site.guard("supervise"))) -> Response:
        return spreadsheet(f"revisits-{no}", LEDGER_HEAD, _ledger(page, min(no, MOST_NO)))


LEDGER_HEAD = ("序号", "办件编号", "事项", "窗口", "办结日期", "结果", "说明", "拨打次数", "回访人", "回访时间")


def _ledger(page: Page, no: int) -> Iterator[tuple[object, ...]]:
    for each in page.fleet.oversight.revisits.cases(no):
        result = RESULTS[each.result][0] if each.result else ""
        when = page.local(each.at_ms).strftime("%Y-%m-%d %H:%M") if each.at_ms else ""
        yield each.place, each.ref, each.item, each.window, each.day, result, each.note, each.calls, page.person(each.by), when


def _draw_card(page: Page) -> None:
    with card(page.say("抽取回访名单", "Draw cases to call")):
        said = page.say(
            "上传办结清单（CSV：办件编号、事项、窗口、办结日期），按比例或件数随机抽取。不要包含姓名和电话。",
            "Upload the finished cases (CSV: ref, item, window, day); a share or a number is drawn. No names, no phone numbers.",
        )
        Tag("p", said, "soft small")
        with Tag("div", classes="form"):
            halls = [(hall.code, page.title(hall.title)) for hall in page.fleet.registry.halls()]
            hall = Choice(page.say("大厅", "Hall"), halls, halls[0][0] if halls else "")
            title = Entry(page.say("名称（如 2026年10月 一件事）", "Title"))
            quota = Entry(page.say("比例（0.239）或件数（1239）", "Share (0.239) or number (1239)"), "0.239")
            seed = Entry(page.say("随机种子（可不填）", "Seed (may be empty)"))
        with Tag("details"):
            Tag("summary", page.say("话术", "Call script"))
            script = Area(page.say("话术", "Call script"), SCRIPT)
        cases: list[Case] = []
        told = Tag("p", "", "small")

        async def take(event: Any) -> None:
            cases.clear()
            try:
                cases.extend(await run.io_bound(read_cases, await event.file.read()))
            except DrawRefused as error:
                told.set_text(error.words(page.language))
                return
            told.set_text(page.say(f"名单 {len(cases):,} 件", f"{len(cases):,} cases"))

        label = page.say("选择办结清单", "Choose the list")
        upload = ui.upload(on_upload=take, auto_upload=True, max_file_size=MOST_LIST_BYTES, label=label)
        upload.props('flat bordered accept=".csv"').style("width:100%")

        def draw() -> None:
            made: list[int] = []

            def deed(who: Actor) -> None:
                made.append(
                    page.fleet.oversight.revisits.draw(
                        hall.value, title.value, cases, _number(quota.value), actor=who, seed=seed.value, script=script.value
                    )
                )

            if page.act("supervise", deed):
                ui.navigate.to(f"/revisits/{made[0]}")

        with Tag("div", classes="btns"):
            button(page.say("抽取", "Draw"), draw, kind="main-act")


def _number(text: str) -> float:
    try:
        return float(text.strip().rstrip("%")) / (100 if text.strip().endswith("%") else 1)
    except ValueError as error:
        raise DrawRefused(f"“{text[:20]}”不是比例或件数", f"{text[:20]!r} is no share and no number") from error


def _drawings(page: Page) -> None:
    found = page.fleet.oversight.revisits.drawings()
    with card(page.say("已抽取", "Drawn")):
        if not found:
            Tag("p", page.say("还没有抽取", "Nothing drawn yet"), "empty")
            return
        pairs_of = (("名称", "Title"), ("抽取", "Drawn"), ("抽查率", "Share"), ("已回访", "Called"), ("时间", "At"), ("谁", "Who"))
        table(tuple(page.say(*each) for each in pairs_of), [_drawing(page, each) for each in found])


def _drawing(page: Page, each: Drawing) -> tuple[Cell, ...]:
    return (
        lambda: link(each.title, f"/revisits/{each.no}"),
        f"{each.drawn:,} / {each.population:,}",
        percent(each.drawn / each.population),
        f"{each.called:,}",
        page.time(each.made_ms),
        page.person(each.made_by),
    )


def _one(page: Page, no: int) -> None:
    drawing, cases = page.fleet.oversight.revisits.drawing(no), page.fleet.oversight.revisits.cases(no)
    if drawing is None:
        return
    _figures(page, drawing, cases)
    with Tag("div", classes="two"):
        with card(page.say("话术", "Call script")):
            title = page.title(page.fleet.registry.hall(drawing.hall).title)
            # By replacement and not by format: what somebody typed may hold braces.
            for line in drawing.script.replace("{hall}", title).replace("{item}", "…").splitlines():
                Tag("p", line)
        with card(page.say("抽取依据", "How it was drawn")):
            rows: list[tuple[str, Cell]] = [
                (page.say("种子", "Seed"), drawing.seed),
                (page.say("比例或件数", "Quota"), f"{drawing.quota:g}"),
                (page.say("名单摘要", "Digest of the list"), drawing.digest),
            ]
            pairs(rows)
    head = tuple(
        page.say(*each)
        for each in (
            ("序号", "No."),
            ("办件编号", "Case"),
            ("事项", "Item"),
            ("办结", "Finished"),
            ("结果", "Result"),
            ("说明", "Note"),
            ("", ""),
        )
    )
    with card(page.say("名单", "Cases")):
        table(head, [_case(page, no, each) for each in cases[:300]])
        if len(cases) > 300:
            Tag("p", page.say("只显示前 300 件，全部见导出。", "The first 300; all are in the export."), "soft small")


def _figures(page: Page, drawing: Drawing, cases: list[Revisit]) -> None:
    good = sum(each.result in ("satisfied", "basically") for each in cases)
    answered = good + sum(each.result == "dissatisfied" for each in cases)
    with Tag("div", classes="cards three"):
        kpi(
            page.say("抽查率", "Share drawn"),
            percent(drawing.drawn / drawing.population),
            f"{drawing.drawn:,} / {drawing.population:,}",
        )
        kpi(page.say("回访率", "Called"), percent(drawing.called / drawing.drawn), f"{drawing.called:,} / {drawing.drawn:,}")
        kpi(page.say("回访满意率", "Satisfied"), percent(good / answered if answered else None), f"n={answered:,}")


def _case(page: Page, no: int, each: Revisit) -> tuple[Cell, ...]:
    def result() -> None:
        if each.result:
            chip(page.say(*RESULTS[each.result]), TONES.get(each.result, "warn"))
            if each.calls > 1:
                Tag("span", f" ×{each.calls}", "soft small")

    def act() -> None:
        if each.result in ("", "unreachable"):
            button(page.say("登记结果", "Record"), lambda: _record(page, no, each))

    return (str(each.place), each.ref, each.item or "—", each.day or "—", result if each.result else "—", each.note or "—", act)


def _record(page: Page, no: int, each: Revisit) -> None:
    with ui.dialog() as dialog, Tag("div", classes="card", lang="en" if page.language == "en" else "zh-CN"):
        Tag("h2", page.say(f"回访 {each.ref}", f"Revisit {each.ref}"))
        result = Choice(page.say("结果", "Result"), [(key, page.say(*row)) for key, row in RESULTS.items()], "satisfied")
        note = Area(page.say("说明（不要写姓名和电话）", "Note (no names, no telephone numbers)"), most=500)

        def save() -> None:
            book = page.fleet.oversight.revisits
            deed = lambda who: book.record(no, each.place, result.value, note.value, actor=who)  # noqa: E731
            if page.act("supervise", deed, done=page.say("已登记", "Recorded")):
                page.fleet.watch.bump()
                dialog.close()

        with Tag("div", classes="btns"):
            button(page.say("保存", "Save"), save, kind="main-act")
            button(page.say("取消", "Cancel"), dialog.close)
    dialog.open()
