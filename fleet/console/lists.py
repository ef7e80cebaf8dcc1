"""What long lists share: turning pages, and downloads for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

from fastapi.responses import Response

from fleet.console.page import Page
from fleet.console.parts import Tag, link


def pager(page: Page, path: str, asked: Mapping[str, str], *, at: int, has_more: bool, told: str = "") -> None:
    """Links to the page before and after; `told` says where one is."""
    with Tag("div", classes="pager"):
        if told:
            Tag("span", told, "soft")
        if at > 1:
            link(page.say("上一页", "Previous"), f"{path}?{urlencode({**asked, 'at': str(at - 1)})}", "btn")
        if has_more:
            link(page.say("下一页", "Next"), f"{path}?{urlencode({**asked, 'at': str(at + 1)})}", "btn")


def download(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A CSV file as an answer: UTF-8 with a byte order mark, and no cell that a spreadsheet would run as a formula."""
    return Response(
        as_csv(head, rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def spreadsheet(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """An XLSX file as an answer. Every text is written as text, so none is run as a formula."""
    return Response(
        as_xlsx(head, rows),
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"Content-Disposition": f'attachment; filename="{name}.xlsx"'},
    )


def as_xlsx(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The file's bytes: one sheet, its first row standing while one scrolls."""
    from xlsxwriter import Workbook

    made = io.BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
        for column, name in enumerate(head):
            sheet.write_string(0, column, name, bold)
        for number, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                if isinstance(cell, (int, float)):
                    sheet.write_number(number, column, cell)
                else:
                    sheet.write_string(number, column, str(cell))
        sheet.freeze_panes(1, 0)
        sheet.autofit()
    return made.getvalue()


def as_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The file's bytes."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([harmless(str(cell)) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def harmless(cell: str) -> str:
    """A cell with a quote before it where a spreadsheet would read a formula."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
