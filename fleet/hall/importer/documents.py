"""Reads JSON: our own records, a province's records, and lists nested by department. Open this to see how they are told apart."""

from collections.abc import Iterator
from typing import Any

import msgspec

from fleet.hall.importer.clean import clean_text, is_empty, is_error_page
from fleet.hall.importer.headers import Mapping, field_of
from fleet.hall.importer.intake import Assembler
from fleet.hall.importer.raw import Cell, FileRefused, Raw
from fleet.hall.importer.records import raw_of
from fleet.hall.importer.result import Problems, ReadItem
from fleet.hall.importer.told import told
from pack.model import Content, Department, Hall, Item, Scenario

PROVINCIAL_GROUPS = {
    "事项": "",
    "办理": "",
    "申请": "",
    "办理结果": "result",
    "常见问答": "questions",
    "法律依据": "legal_basis",
}
"""Groups whose members are fields, and groups that are one field; other groups, such as 来源, are kept as text."""
_NAME_KEYS = ("name", "名称", "事项名称", "title", "itemName", "taskName", "label", "text", "主项名称", "部门名称", "deptName")
_CHILD_KEYS = (
    *("children", "items", "subitems", "subItems", "sub_items", "list", "child", "nodes"),
    *("子项", "事项", "主项", "办理项", "业务办理项", "事项列表"),
)
_ENVELOPES = ("data", "result", "rows", "records", "content", "departments", "部门")
_MAX_DEPTH = 12
_ITEM_FIELDS = frozenset(field.name for field in msgspec.structs.fields(Item))


class Own:
    """Collects records in our own format."""

    def __init__(self) -> None:
        self.departments: list[Department] = []
        self.scenarios: list[Scenario] = []
        self.hall: Hall | None = None


def own_kind(value: Any) -> type[Any] | None:
    """Which record of `pack.model` a JSON object means to be, told by keys that no other format has."""
    if not isinstance(value, dict):
        return None
    keys = value.keys()
    if {"hall", "items"} <= keys and isinstance(value["hall"], dict):
        return Content
    if {"zones", "windows", "area_code"} <= keys:
        return Hall
    if {"code", "name"} <= keys and isinstance(value["name"], dict) and "zh" in value["name"]:
        return Scenario if "situations" in keys else Item if "department" in keys else Department
    return None


def take_own(row: int, value: Any, kind: type[Any], own: Own, assembler: Assembler) -> None:
    """Decode one of our records strictly and take it in, or refuse it with the decoder's own words."""
    try:
        record = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        code = value.get("code") if isinstance(value.get("code"), str) else ""
        assembler.refuse(row, "", value, told("row.no_record", kind=kind.__name__, error=error), code=code if kind is Item else "")
        return
    if isinstance(record, Item):
        assembler.take(ReadItem(record, row, _ITEM_FIELDS, is_full=True))
    elif isinstance(record, Department):
        own.departments.append(record)
    elif isinstance(record, Scenario):
        own.scenarios.append(record)
    elif isinstance(record, Hall):
        own.hall = record
    else:
        own.hall = record.hall
        own.departments += record.departments
        own.scenarios += record.scenarios
        for item in record.items:
            assembler.take(ReadItem(item, row, _ITEM_FIELDS, is_full=True))


def is_provincial(value: Any) -> bool:
    """Whether an object has a province's groups with an item among them."""
    return isinstance(value, dict) and isinstance(value.get("事项"), dict) and "名称" in value["事项"]


def provincial(row: int, value: dict[str, Any], mapping: Mapping) -> Raw:
    """One provincial record, its groups opened."""
    pairs: list[tuple[str, Any]] = []
    kept: dict[str, str] = {}
    grouped: dict[str, Cell] = {}
    for group, content in value.items():
        meaning = PROVINCIAL_GROUPS.get(group)
        if meaning == "" and isinstance(content, dict):
            pairs += content.items()
        elif meaning in ("result", "questions", "legal_basis"):
            grouped[meaning] = Cell(content, group)
        elif content not in (None, "", [], {}):
            kept[group] = msgspec.json.encode(content).decode()
    raw = raw_of(row, pairs, mapping, field_of)
    raw.fields |= grouped
    raw.kept |= kept
    return raw


def flat(row: int, value: dict[str, Any], mapping: Mapping) -> Raw | None:
    """One object whose keys are column names; None when they are not."""
    raw = raw_of(row, list(value.items()), mapping, field_of)
    return raw if "name" in raw.fields and len(raw.fields) >= 2 else None


def nested(value: Any, mapping: Mapping, problems: Problems) -> Iterator[Raw]:
    """Every leaf of a list by department → main item → sub-items; `row` counts the leaves from 1.

    Raises:
        FileRefused: nothing in it looks like such a list.
    """
    count = 0
    for path, leaf in _leaves(value, []):
        count += 1
        raw = _leaf(count, path, leaf, mapping)
        if raw is None:
            problems.add("warning", count, " › ".join(path), leaf, told("row.no_name_here"))
        else:
            yield raw
    if not count:
        raise FileRefused(told("json.unknown"))


def _leaves(node: Any, path: list[str]) -> Iterator[tuple[list[str], Any]]:
    if len(path) > _MAX_DEPTH:
        raise FileRefused(told("json.levels", limit=_MAX_DEPTH))
    if isinstance(node, list):
        for entry in node:
            yield from _leaves(entry, path)
    elif isinstance(node, dict):
        yield from _object_leaves(node, path)
    elif path and node is not None:
        yield path, {"name": node}


def _object_leaves(node: dict[str, Any], path: list[str]) -> Iterator[tuple[list[str], Any]]:
    name = next((key for key in _NAME_KEYS if isinstance(node.get(key), str)), None)
    if name is None:
        envelope = [key for key in _ENVELOPES if isinstance(node.get(key), dict | list)] if not path else []
        for key, value in node.items():
            if key in envelope:
                yield from _leaves(value, path)
            elif isinstance(value, dict | list) and not envelope:
                yield from _leaves(value, [*path, clean_text(key)[0]])
            elif path and isinstance(value, str | int):
                yield path, {"name": key, "code": value}
        return
    children = [key for key in _CHILD_KEYS if isinstance(node.get(key), dict | list) and node[key]]
    if not children:
        yield path, node
    for key in children:
        yield from _leaves(node[key], [*path, clean_text(node[name])[0]])


def _leaf(row: int, path: list[str], leaf: dict[str, Any], mapping: Mapping) -> Raw | None:
    pairs = [(key, value) for key, value in leaf.items() if not (key in _CHILD_KEYS and not value)]
    raw = raw_of(row, pairs, mapping, field_of)
    name = next((key for key in _NAME_KEYS if isinstance(leaf.get(key), str | int)), None)
    if "name" not in raw.fields and name:
        raw.fields["name"] = Cell(leaf[name], name)
        raw.kept.pop(name, None)
    if "name" not in raw.fields or is_empty(str(raw.fields["name"].value)):
        return None
    link = raw.fields.get("code")
    if link and "://" in str(link.value):
        raw.kept["link"] = str(raw.fields.pop("code").value)
    if path and "department" not in raw.fields:
        raw.fields["department"] = Cell(path[0], "department")
    if len(path) > 1 and "main_name" not in raw.fields:
        raw.fields["main_name"] = Cell(" › ".join(path[1:]), "main item")
    return raw


def line(number: int, text: bytes, mapping: Mapping, own: Own, assembler: Assembler) -> None:
    """One line of a JSON Lines file, whatever it holds."""
    shown = text[:400].decode("utf-8", errors="replace")
    if is_error_page(shown):
        assembler.refuse(number, "", shown, told("row.web_page"))
        return
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        assembler.refuse(number, "", shown, told("row.no_json", error=error))
        return
    if kind := own_kind(value):
        take_own(number, value, kind, own, assembler)
    elif is_provincial(value):
        assembler.add(provincial(number, value, mapping))
    elif isinstance(value, dict) and (raw := flat(number, value, mapping)) is not None:
        assembler.add(raw)
    else:
        assembler.refuse(number, "", shown, told("row.unknown"))
