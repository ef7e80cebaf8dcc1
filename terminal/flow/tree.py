"""A life event's questions: which place an answer leads to."""

from pack.model import Choice, Scenario, ScenarioQuestion, Situation
from terminal.flow.places import Asking, Place, Plan


class TreeBroken(LookupError):
    """The content's question tree leads nowhere."""


def enter(scenario: Scenario) -> Place:
    """The first place of a life event: its first question, or at once the plan when there is only one situation."""
    if scenario.questions:
        return Asking(scenario.code, scenario.questions[0].id)
    if not scenario.situations:
        raise TreeBroken(f"scenario {scenario.code} has neither questions nor situations; correct the content")
    return Plan(scenario.code, scenario.situations[0].id)


def question(scenario: Scenario, question_id: str) -> ScenarioQuestion:
    """The question with that id. Raises TreeBroken when there is none."""
    for each in scenario.questions:
        if each.id == question_id:
            return each
    raise TreeBroken(f"scenario {scenario.code} has no question {question_id!r}; correct the content")


def situation(scenario: Scenario, situation_id: str) -> Situation:
    """The situation with that id. Raises TreeBroken when there is none."""
    for each in scenario.situations:
        if each.id == situation_id:
            return each
    raise TreeBroken(f"scenario {scenario.code} has no situation {situation_id!r}; correct the content")


def follow(scenario: Scenario, choice: Choice) -> Place:
    """Where a choice leads. Raises TreeBroken when it leads nowhere, so that no button does."""
    if choice.situation:
        return Plan(scenario.code, situation(scenario, choice.situation).id)
    return Asking(scenario.code, question(scenario, choice.next_question).id)


def leads(scenario: Scenario, choice: Choice) -> bool:
    """Whether a choice can be offered."""
    try:
        follow(scenario, choice)
    except TreeBroken:
        return False
    return True
