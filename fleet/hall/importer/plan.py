"""`compare`: what an import would change, as pure calculation; nothing is written here."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from fleet.hall.importer.result import ImportPlan, ImportReport, ReadItem, ReadResult
from fleet.hall.importer.told import Told, told
from pack.model import Department, Guide, Hall, Item, Scenario, Text

MOST_WITHDRAWN = 0.5
"""A list that would withdraw more than this share of a hall's items is more likely a part of the list."""
_FEW = 10


def compare(
    current: Mapping[str, Item],
    read: ReadResult,
    *,
    departments: Iterable[Department] = (),
    scenarios: Iterable[Scenario] = (),
    hall: Hall | None = None,
    is_complete: bool = True,
    may_withdraw_many: bool = False,
) -> ImportPlan:
    """Which records an import would write, and the report about it. Importing the same file again changes nothing.

    A field that the file does not speak of stays as it is, translations of unchanged Chinese texts too. Items that a
    complete list no longer holds become withdrawn; they are never deleted.

    Args:
        current: the hall's items by code, withdrawn ones too.
        departments, scenarios, hall: what the hall has already, to leave equal records out.
        is_complete: False for a list of some departments or of additions: nothing is withdrawn.
        may_withdraw_many: a person has confirmed that more than half of the items go.
    """
    planned: dict[str, Item] = {}
    for entry in read.items:
        # Several files read as one may each speak of an item.
        old = planned.get(entry.item.code) or current.get(entry.item.code)
        planned[entry.item.code] = entry.item if old is None else merge(old, entry)
    new = [code for code in planned if code not in current]
    changed = [code for code, item in planned.items() if code in current and item != current[code]]
    unchanged = [code for code, item in planned.items() if item == current.get(code)]
    items = [item for code, item in planned.items() if item != current.get(code)]
    gone = _withdrawn(current, read) if is_complete and read.items else []
    blocked = _blocked(current, read, gone, may_withdraw_many=may_withdraw_many)
    report = ImportReport(
        read.file, read.problems, read.more_problems, tuple(new), tuple(changed), tuple(unchanged), tuple(gone), read.refused
    )
    if blocked:
        return ImportPlan(report, blocked=blocked.en, blocked_zh=blocked.zh)
    items += [msgspec.structs.replace(current[code], status="withdrawn") for code in gone]
    return ImportPlan(
        report,
        items=tuple(items),
        departments=_differing(read.departments, departments),
        scenarios=_differing(read.scenarios, scenarios),
        hall=read.hall if read.hall != hall else None,
    )


def _withdrawn(current: Mapping[str, Item], read: ReadResult) -> list[str]:
    """Codes that the list no longer holds; none when a refused row might be one of them."""
    if read.refused > len(read.refused_codes):
        return []
    kept = {entry.item.code for entry in read.items} | read.refused_codes
    return sorted(code for code, item in current.items() if code not in kept and item.status != "withdrawn")


def _blocked(current: Mapping[str, Item], read: ReadResult, gone: list[str], *, may_withdraw_many: bool) -> Told | None:
    if not read.is_readable:
        errors = [problem for problem in read.problems if problem.severity == "error"]
        nothing = told("plan.no_items")
        zh = "；".join(problem.reason_zh for problem in errors) or nothing.zh
        en = "; ".join(problem.reason for problem in errors) or nothing.en
        return Told(told("plan.nothing", file=read.file, reasons=zh).zh, told("plan.nothing", file=read.file, reasons=en).en)
    in_use = sum(item.status != "withdrawn" for item in current.values())
    if not may_withdraw_many and len(gone) > max(_FEW, in_use * MOST_WITHDRAWN):
        return told("plan.withdraws", file=read.file, gone=len(gone), in_use=in_use)
    return None


def _differing(read: Iterable[Any], current: Iterable[Any]) -> tuple[Any, ...]:
    known = {record.code: record for record in current}
    return tuple(record for record in read if known.get(record.code) != record)


def merge(old: Item, entry: ReadItem) -> Item:
    """The stored item with everything that the file speaks of; a full record replaces it."""
    if entry.is_full:
        return entry.item
    translations = {text.zh: text for text in _texts(old) if text.ko or text.en}
    changes = {field: getattr(entry.item, field) for field in entry.fields if "." not in field and field != "guide"}
    changes["unread"] = entry.item.unread
    if "status" not in entry.fields and old.status == "withdrawn":
        changes["status"] = "in_use"
    parts = {field.partition(".")[2] for field in entry.fields if field.startswith("guide.")}
    if entry.item.guide is not None:
        base = old.guide or Guide(conditions=(), materials=(), steps=(), result=Text(zh=""))
        changes["guide"] = msgspec.structs.replace(base, **{part: getattr(entry.item.guide, part) for part in parts})
    translated = {field: _translated(value, translations) for field, value in changes.items()}
    return msgspec.structs.replace(old, **translated)


def _texts(value: Any) -> Iterable[Text]:
    if isinstance(value, Text):
        yield value
    elif isinstance(value, Struct):
        for field in value.__struct_fields__:
            yield from _texts(getattr(value, field))
    elif isinstance(value, tuple):
        for entry in value:
            yield from _texts(entry)


def _translated(value: Any, translations: Mapping[str, Text]) -> Any:
    """The value with the known translations of its Chinese texts put back."""
    if isinstance(value, Text):
        return translations.get(value.zh, value) if not (value.ko or value.en) else value
    if isinstance(value, Struct):
        fields = {field: _translated(getattr(value, field), translations) for field in value.__struct_fields__}
        return msgspec.structs.replace(value, **fields)
    if isinstance(value, tuple):
        return tuple(_translated(entry, translations) for entry in value)
    return value
