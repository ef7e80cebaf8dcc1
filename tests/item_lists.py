"""Item lists for tests of the importer: CSV, workbooks, JSON lines and a province's records, and what is read of them."""

import io
import json
from typing import Any

from openpyxl import Workbook

from fleet.hall.importer import Mapping, read_bytes
from fleet.hall.importer.result import ReadResult

NOTHING = Mapping()


def csv_of(*rows: str, encoding: str = "utf-8") -> bytes:
    return "\r\n".join(rows).encode(encoding)


def read(data: bytes | str, mapping: Mapping = NOTHING, **more: Any) -> ReadResult:
    return read_bytes(data.encode() if isinstance(data, str) else data, "list", mapping, **more)


def lines(*records: Any) -> bytes:
    return b"\n".join(
        record if isinstance(record, bytes) else json.dumps(record, ensure_ascii=False).encode() for record in records
    )


def workbook(*sheets: tuple[str, list[list[Any]]], merge: str = "") -> bytes:
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if merge:
            sheet.merge_cells(merge)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def one(result: ReadResult) -> Any:
    assert len(result.items) == 1, [problem.reason for problem in result.problems]
    return result.items[0].item


def row_with(**cells: str) -> Any:
    """The item of a CSV with the usual columns and these."""
    columns = {"部门": "民政局", "事项名称": "结婚登记", "实施编码": "A1"} | cells

    def quoted(values: Any) -> str:
        return ",".join('"' + value.replace('"', '""') + '"' for value in values)

    return read(csv_of(quoted(columns), quoted(columns.values())))


def reasons(result: ReadResult, severity: str = "") -> list[str]:
    return [problem.reason for problem in result.problems if not severity or problem.severity == severity]


def provincial(**groups: Any) -> dict[str, Any]:
    item = {"名称": "食品经营许可", "实施主体": "市场监管局", "编码": "B7", "事项类型": "行政许可", "服务对象": "自然人,法人"}
    return {"事项": item} | groups
