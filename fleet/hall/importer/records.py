"""Makes an item out of a raw record: interprets every field and keeps what it cannot read as text."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from fleet.hall.importer import parts, values
from fleet.hall.importer.clean import clean_text, is_empty, narrow, one_line
from fleet.hall.importer.departments import Departments, derived
from fleet.hall.importer.headers import PARTS_OF_GUIDE, Mapping
from fleet.hall.importer.raw import Cell, Raw
from fleet.hall.importer.result import Problems
from fleet.hall.importer.told import Told, told
from pack.fold import fold
from pack.model import Guide, Item, Text

SHORT, LONG = 200, 20_000
_CODE = re.compile(r"[0-9A-Za-z._\-]{1,64}")
_SPREADSHEET_NUMBER = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
_DURATIONS = ("legal_limit", "promise")
_TABLES = {"kind": values.KINDS, "handling": values.HANDLINGS, "status": values.STATUSES}
_TEXTS = ("short_name", "hours")
_SHORTS = ("phone", "complaint_phone", "theme", "version")


def shown(value: Any) -> str:
    """A value as text, for keeping what differs."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def readable_code(said: str) -> str:
    """The code in a cell, "" when there is none that can be used."""
    cleaned = re.sub(r"\s+", "", narrow(clean_text(said)[0]))
    if is_empty(cleaned) or _SPREADSHEET_NUMBER.fullmatch(cleaned):
        return ""
    cleaned = re.sub(r"^(\d+)\.0$", r"\1", cleaned)
    return cleaned if _CODE.fullmatch(cleaned) else ""


class Record:
    """One raw record while it is interpreted. `spoken` collects the fields that the file says something about."""

    def __init__(self, raw: Raw, mapping: Mapping, problems: Problems, departments: Departments) -> None:
        self.spoken: set[str] = set()
        self._raw = raw
        self._mapping = mapping
        self._problems = problems
        self._departments = departments
        self._unread: dict[str, str] = {}

    def _text(self, field: str) -> str:
        """The field's cleaned text: mapped, defaulted, "" when it says nothing."""
        cell = self._raw.fields.get(field)
        if cell is None or cell.value is None or isinstance(cell.value, dict | list):
            return self._mapping.defaults.get(field, "") if cell is None or cell.value is None else _joined(cell.value)
        said = str(cell.value)
        cleaned, is_dirty = clean_text(said)
        if is_dirty:
            self._problems.add("note", self._raw.row, cell.column, said, told("value.cleaned"))
        if len(cleaned) > LONG:
            self._problems.add("warning", self._raw.row, cell.column, cleaned, told("value.cut", limit=LONG))
            cleaned = cleaned[:LONG]
        if is_empty(cleaned):
            return self._mapping.defaults.get(field, "")
        return self._mapping.values.get(field, {}).get(cleaned, cleaned)

    def _keep(self, field: str, said: str, reason: Told) -> None:
        cell = self._raw.fields.get(field)
        column = cell.column if cell else field
        self._unread[column[:SHORT]] = said[:LONG]
        self._problems.add("warning", self._raw.row, column, said, reason)

    def _complain(self, field: str) -> Callable[[str, str], None]:
        def complain(column: str, said: str) -> None:
            cell = self._raw.fields[field]
            self._unread[f"{cell.column}·{column}"[:SHORT]] = said[:LONG]
            self._problems.add("warning", self._raw.row, f"{cell.column}·{column}", said, told("value.unread"))

        return complain

    def name(self) -> str:
        """The item's name, the main item's when a sub-item has none of its own."""
        return one_line(self._text("name") or self._text("main_name"))

    def department(self) -> str:
        """The department's code, "" when the record names none."""
        said = one_line(self._text("department"))
        return self._departments.code_of(said) if fold(said).text else ""

    def made_code(self, department: str, name: str) -> str:
        """A code for a record without a usable one."""
        code = derived("x-", department, fold(name).text)
        cell = self._raw.fields.get("code")
        said = "" if cell is None or cell.value is None else str(cell.value)
        if is_empty(clean_text(said)[0]):
            self._problems.add("warning", self._raw.row, cell.column if cell else "code", said, told("code.none", code=code))
            return code
        self._keep("code", said, told("code.rounded" if _SPREADSHEET_NUMBER.search(said) else "code.form", code=code))
        return code

    def item(self, *, code: str, name: str, department: str) -> Item:
        """Interpret everything else."""
        found: dict[str, Any] = {"code": code, "name": Text(zh=name), "department": department}
        self.spoken.update(found)
        self._plain(found)
        self._looked_up(found)
        self._numbers(found)
        self._money_and_place(found)
        guide = self._guide()
        main = one_line(self._text("main_name"))
        if main and main != name:
            self._unread["主项"] = main
        self._unread |= {column[:SHORT]: value[:LONG] for column, value in self._raw.kept.items()}
        if re.fullmatch(r"[0-9A-Z]{18}\d{13}", code):
            found["code_scheme"] = "national"
        self.spoken.add("unread")
        return Item(**found, guide=guide, unread=self._unread)

    def _plain(self, found: dict[str, Any]) -> None:
        for field in _TEXTS:
            if said := self._text(field):
                self._set(found, field, Text(zh=one_line(said)))
        for field in _SHORTS:
            if said := self._text(field):
                line = one_line(said) if field != "theme" else "、".join(re.split(r"[,，;；、\n]+", said))
                if len(line) > SHORT:
                    self._keep(field, line, told("value.long", limit=SHORT))
                else:
                    self._set(found, field, line)
        if said := self._text("aliases"):
            words = [word.strip() for word in re.split(r"[,，;；、|\n]+", said) if not is_empty(word)]
            self._set(found, "aliases", tuple(dict.fromkeys(word[:SHORT] for word in words)))

    def _set(self, found: dict[str, Any], field: str, value: Any) -> None:
        found[field] = value
        self.spoken.add(field)

    def _looked_up(self, found: dict[str, Any]) -> None:
        for field, table in _TABLES.items():
            if said := self._text(field):
                value = said if said in table.values() else values.look_up(table, said)
                if value:
                    self._set(found, field, value)
                else:
                    self._keep(field, said, told("value.unknown", known="、".join(dict.fromkeys(table))))
        if said := self._text("audience"):
            words = [word for word in re.split(r"[,，;；、/|\s]+", said) if word]
            known = [values.look_up(values.AUDIENCES, word) for word in words]
            if all(known):
                self._set(found, "audience", tuple(dict.fromkeys(known)))
            else:
                self._keep("audience", said, told("value.audience"))

    def _numbers(self, found: dict[str, Any]) -> None:
        for field in _DURATIONS:
            if said := self._text(field):
                column = self._raw.fields[field].column if field in self._raw.fields else ""
                understood = values.duration(one_line(said), unit_of_column=values.unit_in(column))
                self._interpreted(found, field, said, understood, "value.limit")
        for field in ("charged", "online", "at_terminal"):
            if said := self._text(field):
                self._interpreted(found, field, said, values.yes_no(said), "value.yes_no")
        if said := self._text("visits"):
            number = values.whole_number(said)
            self._interpreted(found, "visits", said, number if number is not None and number <= 9 else None, "value.visits")
        if said := self._text("popularity"):
            self._interpreted(found, "popularity", said, values.whole_number(said) or None, "value.rank")
        if said := self._text("valid_from"):
            self._interpreted(found, "valid_from", said, values.iso_date(said), "value.date")
        promise = found.get("promise")
        if promise is not None and promise.unit == "at_once" and "handling" not in found:
            self._set(found, "handling", "at_once")

    def _interpreted(self, found: dict[str, Any], field: str, said: str, value: Any, fault: str) -> None:
        if value is None:
            self._keep(field, said, told(fault))
        else:
            self._set(found, field, value)

    def _money_and_place(self, found: dict[str, Any]) -> None:
        said = self._text("fees")
        free = said and re.fullmatch(r"(不收费|免费|无收费|免收费|0元?)[。.]?", said)
        if said and not free:
            self._set(found, "fees", parts.fees(said, self._text("fee_basis")))
        if said and "charged" not in found:
            self._set(found, "charged", not free)
        elif "charged" in found and found["charged"] is False and said and not free:
            self._problems.add("warning", self._raw.row, self._raw.fields["fees"].column, said, told("value.charge"))
        address, floor, zone, window = (self._text(field) for field in ("place", "floor", "zone", "windows"))
        if place := parts.place(one_line(address), floor=one_line(floor), zone=one_line(zone), window=window):
            self._set(found, "place", place)
            shown = place.floor.zh + place.zone.zh + "".join(place.windows)
            if len(fold(address).text) > len(fold(shown).text) + len("号窗口"):
                self._unread[self._raw.fields["place"].column[:SHORT]] = address
            if window and not place.windows:
                self._keep("windows", window, told("value.window"))

    def _guide(self) -> Guide | None:
        found: dict[str, Any] = {}
        for field in sorted(PARTS_OF_GUIDE):
            cell = self._raw.fields.get(field)
            is_nested = cell is not None and isinstance(cell.value, dict | list)
            value: Any = cell.value if cell is not None and is_nested else self._text(field)
            if not value:
                continue
            found[field] = self._part(field, value)
            self.spoken.add(f"guide.{field}")
        if not any(found.get(field) for field in ("conditions", "materials", "steps")):
            self._keep_parts(found)
            return None
        empty: dict[str, Any] = {"conditions": (), "materials": (), "steps": (), "result": Text(zh="")}
        return Guide(**(empty | found))

    def _part(self, field: str, value: Any) -> Any:
        complain = self._complain(field) if field in self._raw.fields else _ignore
        limited = value[: parts.MOST_PARTS] if isinstance(value, list) else value
        if isinstance(value, list) and len(value) > parts.MOST_PARTS:
            self._keep(field, shown(value), told("value.many", count=len(value), limit=parts.MOST_PARTS))
        match field:
            case "materials":
                return parts.materials(limited, complain)
            case "steps":
                return parts.steps(limited, complain)
            case "questions":
                return parts.questions(limited, complain)
            case "legal_basis":
                return parts.legal_basis(limited)
            case "result":
                return parts.result(limited)
            case _:
                return parts.texts(limited)

    def _keep_parts(self, found: dict[str, Any]) -> None:
        """A result or legal basis alone makes no guide: they are kept as text until conditions or materials are known."""
        for field in found:
            self.spoken.discard(f"guide.{field}")
            cell = self._raw.fields.get(field)
            column = cell.column if cell else field
            self._unread[column[:SHORT]] = _joined(cell.value if cell else self._text(field))[:LONG]


def _ignore(column: str, said: str) -> None:
    """Defaults from a mapping file have no cell to complain about."""


def _joined(value: Any) -> str:
    if isinstance(value, list) and not any(isinstance(entry, dict | list) for entry in value):
        return "、".join(clean_text(str(entry))[0] for entry in value if entry is not None)
    return shown(value) if isinstance(value, dict | list) else clean_text(str(value))[0]


def raw_of(row: int, pairs: Sequence[tuple[str, Any]], mapping: Mapping, field_of: Callable[[str, Mapping], str | None]) -> Raw:
    """Sort a row's (column, value) pairs by field; the first column of a field with a value wins, the others are kept."""
    raw = Raw(row)
    for column, value in pairs:
        field = field_of(column, mapping)
        blank = value is None or (isinstance(value, str) and is_empty(clean_text(value)[0]))
        if field == "ignore":
            continue
        if field is None or field == "keep":
            if not blank:
                raw.kept[column or "?"] = _joined(value)
        elif field not in raw.fields or (not raw.fields[field].value and not blank):
            raw.fields[field] = Cell(value, column)
        elif not blank:
            raw.kept[column] = _joined(value)
    return raw
