"""What one situation of a life event needs: its items, and their materials merged so that nothing is brought twice."""

from dataclasses import dataclass

from pack.model import Item, Language, Scenario, Situation
from terminal.flow.answers import Bring, checklist
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
    return PlanAnswers(scenario, chosen, items, checklist(items, language), missing)
