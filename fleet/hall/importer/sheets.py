"""Reads spreadsheets and CSV files into raw records. Open this when a header row is not found."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from itertools import islice
from typing import Any

from fleet.hall.importer.clean import clean_text, is_empty, one_line
from fleet.hall.importer.headers import Mapping, field_of
from fleet.hall.importer.raw import Cell, FileRefused, Raw
from fleet.hall.importer.records import raw_of
from fleet.hall.importer.result import Problems
from fleet.hall.importer.told import told

MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_UNPACKED = 512 << 20
MAX_RATIO = 200
_MAX_MEMBERS = 2_000
_HEADER_WITHIN = 20
_CSV_CELL = 1 << 20

Rows = Iterable[tuple[int, list[Any]]]


def check_archive(data: bytes) -> None:
    """Refuse a spreadsheet that would unpack to very much more than it is, before anything is unpacked.

    Raises:
        FileRefused: it is no archive, or larger unpacked than 512 MiB or 200 times its size.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise FileRefused(told("sheet.damaged", error=error)) from None
    unpacked = sum(member.file_size for member in members)
    # Small files compress very well without meaning harm, hence the floor.
    if len(members) > _MAX_MEMBERS or unpacked > MAX_UNPACKED or unpacked > max(len(data) * MAX_RATIO, 16 << 20):
        raise FileRefused(
            told(
                "sheet.large",
                size=unpacked >> 20,
                parts=len(members),
                limit=MAX_UNPACKED >> 20,
                ratio=MAX_RATIO,
                most=_MAX_MEMBERS,
            )
        )


def workbook(data: bytes, mapping: Mapping, problems: Problems) -> Iterator[Raw]:
    """Every row of every sheet whose header row can be recognised.

    Raises:
        FileRefused: not a readable workbook, or no sheet has recognisable headers.
    """
    check_archive(data)
    # Loading the library takes a third of a second, and most imports of a server are other formats.
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except Exception as error:
        raise FileRefused(told("sheet.unreadable", error=f"{type(error).__name__}: {error}")) from None
    found = False
    names = [name for name in book.sheetnames if not mapping.sheet or name == mapping.sheet]
    if not names:
        raise FileRefused(told("sheet.missing", sheet=mapping.sheet, known=", ".join(book.sheetnames)))
    for name in names:
        sheet = book[name]
        if not hasattr(sheet, "iter_rows"):
            continue
        try:
            if hasattr(sheet, "reset_dimensions"):
                # Some programs write a wrong size into the sheet, and rows beyond it would be lost.
                sheet.reset_dimensions()
            rows = _sheet_rows(sheet)
            for raw in table(rows, mapping, problems, sheet=name, is_only=len(names) == 1):
                found = True
                yield raw
        except FileRefused:
            raise
        except Exception as error:
            raise FileRefused(told("sheet.broken", sheet=name, error=f"{type(error).__name__}: {error}")) from None
    if not found and not any(problem.severity == "error" for problem in problems.found):
        raise FileRefused(told("sheet.no_headers"))


def _sheet_rows(sheet: Any) -> Rows:
    for number, row in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True), start=1):
        yield number, [_value(cell) for cell in row]


def _value(cell: Any) -> Any:
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return cell.isoformat(sep=" ") if isinstance(cell, datetime) else cell.isoformat()
    return None if cell is None else str(cell)


def decoded(data: bytes, mapping: Mapping, problems: Problems) -> str:
    """A text file's content: by the mapping's encoding, a byte order mark, UTF-8, or GB18030."""
    if mapping.encoding:
        candidates = [mapping.encoding]
    elif data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8-sig", "gb18030"]
    for encoding in candidates:
        try:
            return data.decode(encoding).removeprefix("\ufeff")
        except (UnicodeDecodeError, LookupError):
            continue
    encoding = candidates[-1]
    text = data.decode(encoding, errors="replace").removeprefix("\ufeff")
    reason = told("file.characters", count=text.count(chr(0xFFFD)), encoding=encoding)
    problems.add("warning", 0, "", encoding, reason)
    return text


def comma_separated(data: bytes, mapping: Mapping, problems: Problems) -> Iterator[Raw]:
    """Every row of a CSV file with commas, semicolons or tabs.

    Raises:
        FileRefused: no recognisable headers, or no CSV at all.
    """
    text = decoded(data, mapping, problems).replace("\0", "")
    found = False
    for raw in table(_csv_rows(text, _delimiter(text, mapping), problems), mapping, problems, sheet="", is_only=True):
        found = True
        yield raw
    if not found and not any(problem.severity == "error" for problem in problems.found):
        raise FileRefused(told("sheet.no_headers"))


def _delimiter(text: str, mapping: Mapping) -> str:
    """The sign with which one of the first rows is a header row."""
    for sign in ",\t;":
        rows = _csv_rows(text[:20_000], sign, Problems(""))
        if any(_is_header(row, mapping) for _, row in islice(rows, _HEADER_WITHIN)):
            return sign
    return ","


def _csv_rows(text: str, delimiter: str, problems: Problems) -> Rows:
    """Rows with the number of their first line. Lines that a quote which is never closed makes one row are read one by one."""
    held: list[str] = []
    reader = csv.reader(_noted(text, held), delimiter=delimiter)
    while True:
        row_start = reader.line_num + 1
        held.clear()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if len(held) == 1:
                problems.add("error", row_start, "", "", told("sheet.no_csv", error=error))
                continue
            row = []
        # In a row that is as it should be quotes come in pairs, also when its cells hold several lines.
        if len(held) > 1 and (not row or sum(line.count('"') for line in held) % 2):
            problems.add("warning", row_start, "", held[0].strip(), told("sheet.quote", count=len(held)))
            yield from ((row_start + at, _plain(line, delimiter)) for at, line in enumerate(held))
        else:
            yield row_start, list(row[:MAX_COLUMNS])


def _noted(text: str, held: list[str]) -> Iterator[str]:
    for line in io.StringIO(text, newline=""):
        held.append(line)
        yield line


def _plain(line: str, delimiter: str) -> list[str]:
    """The cells of one line; a quote without its counterpart stands for nothing."""
    text = line.rstrip("\r\n")
    if text.count('"') % 2 == 0 and len(text) < csv.field_size_limit():
        return next(csv.reader([text], delimiter=delimiter), [])[:MAX_COLUMNS]
    return text.replace('"', "").split(delimiter)[:MAX_COLUMNS]


def table(rows: Rows, mapping: Mapping, problems: Problems, *, sheet: str, is_only: bool) -> Iterator[Raw]:
    """Records below the header row, which is looked for in the first 20 rows.

    A blank department takes the one above: that is what merged cells look like. Without a department column the sheet's
    name stands for it.
    """
    headers: list[str] = []
    filled = 0
    above: dict[str, Cell] = {}
    for count, (number, row) in enumerate(rows, start=1):
        if count > MAX_ROWS:
            problems.add("error", number, "", "", told("sheet.rows", limit=MAX_ROWS))
            return
        if not headers:
            if count > _HEADER_WITHIN:
                break
            headers = _headers(row, mapping, problems, number)
            continue
        if all(cell is None or not str(cell).strip() for cell in row) or _repeats(row, headers):
            continue
        raw = raw_of(number, list(zip(headers, [*row, *[None] * len(headers)], strict=False)), mapping, field_of)
        filled += _fill_down(raw, above)
        if "department" not in raw.fields and sheet and not is_only:
            raw.fields["department"] = Cell(sheet, "sheet")
        if raw.fields.keys() - {"department"} or raw.kept:
            yield raw
    if filled:
        problems.add("note", 0, "department", filled, told("sheet.filled", count=filled))
    if not headers and not is_only:
        problems.add("note", 0, sheet, "", told("sheet.not_read"))


def _header_names(row: list[Any]) -> list[str]:
    return ["" if cell is None else one_line(clean_text(str(cell))[0]) for cell in row]


def _is_header(row: list[Any], mapping: Mapping) -> bool:
    fields = {field_of(name, mapping) for name in _header_names(row) if name} - {None, "ignore", "keep"}
    return bool(fields & {"name", "main_name"}) and len(fields) >= 2


def _headers(row: list[Any], mapping: Mapping, problems: Problems, number: int) -> list[str]:
    if not _is_header(row, mapping):
        return []
    names = _header_names(row)
    for name in names:
        if name and field_of(name, mapping) is None:
            problems.add("note", number, name, name, told("sheet.column"))
    return names


def _repeats(row: list[Any], headers: list[str]) -> bool:
    """Printed lists repeat their header row on every page."""
    said = [one_line(clean_text(str(cell))[0]) for cell in row if cell is not None]
    return len(said) > 1 and said == [header for header, cell in zip(headers, row, strict=False) if cell is not None]


def _fill_down(raw: Raw, above: dict[str, Cell]) -> int:
    taken = 0
    for field in ("department", "main_name"):
        cell = raw.fields.get(field)
        if cell is None:
            continue
        if cell.value is not None and not is_empty(clean_text(str(cell.value))[0]):
            above[field] = cell
        elif field in above:
            raw.fields[field] = above[field]
            taken += field == "department"
    return taken
