"""What one situation of a life event needs: its items, and their materials merged so that nothing is brought twice."""

from collections.abc import Sequence
from dataclasses import dataclass

from pack.model import Item, Language, Material, Scenario, Situation
from terminal.flow.answers import Bring, bring
from terminal.flow.phrase import phrase
from terminal.flow.ports import Content, Subject
from terminal.flow.tree import TreeBroken, situation


@dataclass(frozen=True)
class PlanAnswers:
    """A situation with its items in handling order. `without_guide` counts items whose materials nobody has recorded."""

    scenario: Scenario
    situation: Situation
    items: tuple[Item, ...]
    bring: tuple[Bring, ...]
    without_guide: int


def plan(content: Content, subject: Subject, language: Language) -> PlanAnswers | None:
    """What `subject` needs, or None when the content does not have it (any more)."""
    scenario = content.scenario(subject.scenario)
    if scenario is None:
        return None
    try:
        chosen = situation(scenario, subject.situation)
    except TreeBroken:
        return None
    items = tuple(item for item in map(content.item, chosen.items) if item is not None)
    missing = len(chosen.items) - sum(item.guide is not None for item in items)
    return PlanAnswers(scenario, chosen, items, merged(items, language), missing)


def merged(items: Sequence[Item], language: Language) -> tuple[Bring, ...]:
    """One checklist of several items; a row used by more than one says by which."""
    rows: dict[tuple[str, str], tuple[Material, list[Item]]] = {}
    for item in items:
        for material in item.guide.materials if item.guide else ():
            key = (material.name.zh, material.kind)
            known, users = rows.get(key, (material, []))
            rows[key] = (known if known.copies >= material.copies else material, [*users, item])
    return tuple(_row(material, users, language) for material, users in rows.values())


def _row(material: Material, users: list[Item], language: Language) -> Bring:
    row = bring(material, language)
    if len(users) < 2:
        return row
    names = "、".join((item.short_name or item.name).get(language) for item in users)
    return Bring(row.name, (*row.about, phrase("plan.used_by", items=names)), row.required)
