"""Takes interpreted records in: refuses what cannot be an item, and settles codes that occur twice."""

from typing import Any

import msgspec

from fleet.hall.importer.clean import is_error_page
from fleet.hall.importer.departments import Departments, derived
from fleet.hall.importer.headers import Mapping
from fleet.hall.importer.raw import Raw
from fleet.hall.importer.records import SHORT, Record, readable_code, shown
from fleet.hall.importer.result import Problems, ReadItem
from fleet.hall.importer.told import Told, told
from pack.fold import fold
from pack.model import Item


class Assembler:
    """Turns the raw records of one file into items."""

    def __init__(self, problems: Problems, mapping: Mapping, departments: Departments) -> None:
        self.refused = 0
        self.refused_codes: set[str] = set()
        self._problems = problems
        self._mapping = mapping
        self._departments = departments
        self._items: dict[str, ReadItem] = {}

    def items(self) -> tuple[ReadItem, ...]:
        """Everything accepted so far, in the order of the file."""
        return tuple(self._items.values())

    def refuse(self, row: int, column: str, value: object, reason: Told, *, code: str = "") -> None:
        """Count and report a row that gives no item."""
        self.refused += 1
        if code:
            self.refused_codes.add(code)
        self._problems.add("error", row, column, value, reason)

    def add(self, raw: Raw) -> None:
        """Interpret one record and take it in, or refuse it."""
        built = Record(raw, self._mapping, self._problems, self._departments)
        code_cell = raw.fields.get("code")
        code = readable_code(str(code_cell.value)) if code_cell else ""
        if page := next((cell for cell in raw.fields.values() if is_error_page(str(cell.value))), None):
            self.refuse(raw.row, page.column, page.value, told("row.web_page"), code=code)
            return
        name = built.name()
        if not fold(name).text:
            column = raw.fields["name"].column if "name" in raw.fields else "name"
            self.refuse(raw.row, column, name, told("row.no_name"), code=code)
            return
        department = built.department()
        if not department:
            self.refuse(raw.row, "department", "", told("row.no_department"), code=code)
            return
        code = code or built.made_code(department, name)
        try:
            item = built.item(code=code, name=name, department=department)
            msgspec.json.decode(msgspec.json.encode(item), type=Item)
        except (msgspec.ValidationError, ValueError) as error:
            self.refuse(raw.row, "", name, told("row.breaks_rule", error=error), code=code)
            return
        self.take(ReadItem(item, raw.row, frozenset(built.spoken)))

    def take(self, read: ReadItem) -> None:
        """Settle a code that is there already: the same item twice becomes one, another item gets a code of its own."""
        code = read.item.code
        first = self._items.get(code)
        if first is None:
            self._items[code] = read
            return
        if fold(first.item.name.zh).text == fold(read.item.name.zh).text and first.item.department == read.item.department:
            self._items[code] = _merged(first, read, self._problems)
            return
        own = f"{code[:51]}-{derived('', read.item.department, fold(read.item.name.zh).text)[:12]}"
        reason = told("code.other", row=first.row, name=first.item.name.zh[:60], own=own)
        self._problems.add("warning", read.row, "code", code, reason)
        self.take(ReadItem(msgspec.structs.replace(read.item, code=own), read.row, read.fields, read.is_full))


def _merged(first: ReadItem, second: ReadItem, problems: Problems) -> ReadItem:
    """One item of two rows with the same code and name: themes together, blanks filled, the first row's values kept."""
    if first.item == second.item:
        problems.add("note", second.row, "code", second.item.code, told("code.same", row=first.row))
        return first
    changes: dict[str, Any] = {}
    differing = []
    for field in sorted(second.fields - first.fields):
        if "." not in field:
            changes[field] = getattr(second.item, field)
    if second.item.theme and second.item.theme not in first.item.theme.split("、"):
        changes["theme"] = "、".join(part for part in (first.item.theme, second.item.theme) if part)[:SHORT]
    for field in sorted(first.fields & second.fields - {"theme"}):
        if "." not in field and getattr(first.item, field) != getattr(second.item, field):
            differing.append(field)
    said = told("code.differs" if differing else "code.merged", row=first.row, fields=", ".join(differing))
    problems.add("warning", second.row, "code", second.item.code, said)
    unread = {**second.item.unread, **first.item.unread}
    changes["unread"] = unread | {f"{field}（{second.row}）": shown(getattr(second.item, field)) for field in differing}
    guide = first.item.guide or second.item.guide
    item = msgspec.structs.replace(first.item, guide=guide, **changes)
    return ReadItem(item, first.row, first.fields | second.fields, first.is_full)
