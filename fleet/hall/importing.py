"""Importing item lists into a hall: reads files, compares with what is stored, writes all or nothing."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from fleet.hall.importer import ImportPlan, Mapping, ReadResult, compare, read_items
from fleet.hall.items import ContentMissing, Items
from fleet.registry.records import Area, NotKnown
from fleet.registry.records import Hall as RegistryHall
from fleet.registry.records import Window as RegistryWindow
from fleet.registry.service import Registry
from pack.model import Department, Hall, Item, Scenario, Text
from wire.messages import Words


class ImportRefused(Exception):
    """The files would do what a person has to confirm first, or hold nothing; nothing was written."""


class Wish(Struct, frozen=True, kw_only=True):
    """How to import. `is_partial`: the files do not hold all items, so none is withdrawn. `may_withdraw_many`: confirmed."""

    hall: str
    tenant: str
    by: str
    is_partial: bool = False
    may_withdraw_many: bool = False


def plan_import(items: Items, paths: Iterable[Path], mapping: Mapping | None, wish: Wish) -> ImportPlan:
    """What importing the files together would change. Raises ImportRefused when the plan is blocked, OSError."""
    stored = items.stored(wish.hall)
    read = _read_all(list(paths), mapping, stored.departments)
    plan = compare(
        {item.code: item for item in stored.items},
        read,
        departments=stored.departments,
        scenarios=stored.scenarios,
        hall=stored.hall,
        is_complete=bool(read.items) and not wish.is_partial,
        may_withdraw_many=wish.may_withdraw_many,
    )
    if plan.blocked:
        raise ImportRefused(f"{plan.blocked} (options --partial and --confirm-withdrawals)")
    if plan.hall is not None and plan.hall.code != wish.hall:
        raise ImportRefused(f"the file describes hall {plan.hall.code!r}, not {wish.hall!r}; name the right --hall")
    return plan


def apply_import(items: Items, registry: Registry, plan: ImportPlan, wish: Wish) -> int:
    """Write a plan; gives how many records changed. A hall card also registers hall and windows.

    Raises ContentMissing when neither the registry nor the plan knows the hall.
    """
    if plan.hall is not None:
        _register(registry, plan.hall, tenant=wish.tenant)
    try:
        registry.hall(wish.hall)
    except NotKnown as error:
        known = ", ".join(hall.code for hall in registry.halls()) or "none"
        raise ContentMissing(
            f"hall {wish.hall!r} is not registered (registered: {known}); import its hall.json together with the items"
        ) from error
    records: list[Hall | Department | Item | Scenario] = [
        *plan.departments,
        *plan.items,
        *plan.scenarios,
        *([plan.hall] if plan.hall else []),
    ]
    return items.put(wish.hall, records, by=wish.by)


def _read_all(paths: list[Path], mapping: Mapping | None, departments: Iterable[Department]) -> ReadResult:
    """The files as one. What they say of departments is known to the files after them."""
    known, results = {each.code: each for each in departments}, []
    # Small descriptions come before the lists that refer to them.
    for path in sorted(paths, key=lambda each: (each.suffix.lower() != ".json", "department" not in each.name, each.name)):
        results.append(read_items(path, mapping, departments=known.values()))
        known |= {each.code: each for each in results[-1].departments}
    if len(results) == 1:
        return results[0]
    return ReadResult(
        file=", ".join(result.file for result in results),
        items=sum((result.items for result in results), ()),
        departments=tuple({each.code: each for result in results for each in result.departments}.values()),
        scenarios=sum((result.scenarios for result in results), ()),
        hall=next((result.hall for result in results if result.hall), None),
        problems=sum((result.problems for result in results), ()),
        more_problems=sum(result.more_problems for result in results),
        refused=sum(result.refused for result in results),
        refused_codes=frozenset().union(*(result.refused_codes for result in results)),
    )


def _register(registry: Registry, hall: Hall, *, tenant: str) -> None:
    """Enter the hall card's hall and windows into the registry; what is registered and not on the card stays."""
    registry.put(Area(code=hall.area_code, tenant=tenant, title={"zh": hall.area_code}))
    registry.put(
        RegistryHall(code=hall.code, tenant=tenant, title=_words(hall.name), area=hall.area_code, demonstration=hall.demonstration)
    )
    for window in hall.windows:
        registry.put(
            RegistryWindow(
                hall=hall.code,
                number=window.number,
                business=_words(window.business),
                place=_words(window.floor, window.zone),
                department=window.department,
            )
        )


def _words(*texts: Text) -> Words:
    joined = {language: " ".join(getattr(text, language) for text in texts).strip() for language in ("zh", "ko", "en")}
    return msgspec.convert({language: text[:200] for language, text in joined.items() if text}, Words)
