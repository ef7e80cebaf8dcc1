"""`read_items`: one file in, items and problems out, whatever is in the file. Start here."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from fleet.hall.importer import documents, sheets
from fleet.hall.importer.clean import is_error_page
from fleet.hall.importer.departments import Departments
from fleet.hall.importer.headers import Mapping
from fleet.hall.importer.intake import Assembler
from fleet.hall.importer.raw import FileRefused
from fleet.hall.importer.result import Problems, ReadResult
from fleet.hall.importer.told import told
from pack.model import Department

MAX_BYTES = 64 << 20
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read_items(path: Path | str, mapping: Mapping | None = None, *, departments: Iterable[Department] = ()) -> ReadResult:
    """Read a hall's item list: .xlsx, CSV, nested JSON, a province's JSON lines, or our own records, told by content.

    Never fails because of what the file holds: a file that cannot be read gives a result without items and with an error
    problem at row 0.

    Args:
        mapping: what the hall knows about its file's headers and values; see `load_mapping`.
        departments: those the hall has already, found again by code or name; others are made from their names.

    Raises:
        OSError: the file cannot be opened.
    """
    path = Path(path)
    problems = Problems(path.name)
    known = list(departments)
    size = path.stat().st_size
    if size > MAX_BYTES:
        problems.add("error", 0, "", size, told("file.large", size=size >> 20, limit=MAX_BYTES >> 20))
        return ReadResult(path.name, problems=tuple(problems.found))
    return read_bytes(path.read_bytes(), path.name, mapping or Mapping(), known)


def read_bytes(data: bytes, name: str, mapping: Mapping, departments: Iterable[Department] = ()) -> ReadResult:
    """As `read_items`, for a file's bytes, such as an upload; `name` is shown in problems."""
    problems = Problems(name)
    found = Departments(departments, mapping)
    assembler = Assembler(problems, mapping, found)
    own = documents.Own()
    try:
        _dispatch(data, mapping, problems, own, assembler)
    except FileRefused as error:
        problems.add("error", 0, "", "", error.told)
    _warn_of_unlisted(assembler, problems, [*found.known(), *(department.code for department in own.departments)])
    made = {department.code: department for department in (*found.made.values(), *own.departments)}
    used = {read.item.department for read in assembler.items()}
    own_codes = {department.code for department in own.departments}
    return ReadResult(
        file=name,
        items=assembler.items(),
        departments=tuple(department for code, department in made.items() if code in used or code in own_codes),
        scenarios=tuple(own.scenarios),
        hall=own.hall,
        problems=tuple(problems.found),
        more_problems=problems.more,
        refused=assembler.refused,
        refused_codes=frozenset(assembler.refused_codes),
    )


def _warn_of_unlisted(assembler: Assembler, problems: Problems, listed: Iterable[str]) -> None:
    """Our own records name departments by code; a pack cannot be built while one is missing."""
    missing = {read.item.department: read for read in assembler.items()}
    for code in listed:
        missing.pop(code, None)
    for code, read in missing.items():
        problems.add("warning", read.row, "department", code, told("department.unlisted"))


def _dispatch(data: bytes, mapping: Mapping, problems: Problems, own: documents.Own, assembler: Assembler) -> None:
    if len(data) > MAX_BYTES:
        raise FileRefused(told("file.large", size=len(data) >> 20, limit=MAX_BYTES >> 20))
    head = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        raise FileRefused(told("file.empty"))
    if data.startswith(_OLD_EXCEL):
        raise FileRefused(told("file.old_excel"))
    if data.startswith(b"PK\x03\x04") or data.startswith(b"PK\x05\x06"):
        for raw in sheets.workbook(data, mapping, problems):
            assembler.add(raw)
    elif head[:1] in (b"{", b"["):
        _json(data.removeprefix(b"\xef\xbb\xbf"), mapping, problems, own, assembler)
    elif head[:1] == b"<":
        # A province's lines may begin with an error page and go on with records.
        if b"\n{" not in data:
            is_page = is_error_page(head.decode("utf-8", errors="replace"))
            raise FileRefused(told("file.web_page" if is_page else "file.markup"))
        _lines(data, mapping, own, assembler)
    else:
        for raw in sheets.comma_separated(data, mapping, problems):
            assembler.add(raw)


def _json(data: bytes, mapping: Mapping, problems: Problems, own: documents.Own, assembler: Assembler) -> None:
    if not _is_utf8(data):
        data = sheets.decoded(data, mapping, problems).encode("utf-8", errors="replace")
    try:
        value = msgspec.json.decode(data)
    except RecursionError:
        raise FileRefused(told("json.deep")) from None
    except msgspec.DecodeError:
        _lines(data, mapping, own, assembler)
        return
    if _is_record(value, mapping):
        documents.line(1, data, mapping, own, assembler)
    elif isinstance(value, list) and value and all(_is_record(entry, mapping) for entry in value[:50]):
        for number, entry in enumerate(value, start=1):
            documents.line(number, msgspec.json.encode(entry), mapping, own, assembler)
    else:
        for raw in documents.nested(value, mapping, problems):
            assembler.add(raw)


def _is_record(value: object, mapping: Mapping) -> bool:
    if documents.own_kind(value) or documents.is_provincial(value):
        return True
    if not isinstance(value, dict) or any(isinstance(value.get(key), dict | list) for key in ("children", "items", "事项", "子项")):
        return False
    raw = documents.flat(0, value, mapping)
    return raw is not None and "department" in raw.fields


def _lines(data: bytes, mapping: Mapping, own: documents.Own, assembler: Assembler) -> None:
    for number, line in enumerate(data.splitlines(), start=1):
        if number > sheets.MAX_ROWS:
            assembler.refuse(number, "", "", told("file.lines", limit=sheets.MAX_ROWS))
            return
        if line.strip():
            documents.line(number, line.strip(), mapping, own, assembler)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
