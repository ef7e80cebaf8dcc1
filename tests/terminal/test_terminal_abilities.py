"""What a terminal offers and says of itself: content that is there, answers that lead on, trouble with its reason."""

import pytest
from terminal_booth import OUT

from pack.model import Choice, Scenario, ScenarioQuestion, Situation, Text
from terminal.content import PackContent
from terminal.flow import places
from terminal.flow.phrase import phrase, spoken
from terminal.flow.status import Status, abilities, troubles
from terminal.flow.tree import TreeBroken, enter, follow, leads


def test_every_answer_of_every_life_event_in_the_catalogue_leads_to_a_plan(content: PackContent) -> None:
    for scenario in content.scenarios():
        todo = [enter(scenario)]
        ends = 0
        while todo:
            place = todo.pop()
            if isinstance(place, places.Plan):
                ends += 1
                continue
            question = next(each for each in scenario.questions if each.id == place.question)  # type: ignore[union-attr]
            todo += [follow(scenario, choice) for choice in question.choices]
        assert ends >= 1, scenario.code


def test_an_answer_that_leads_nowhere_is_not_offered() -> None:
    name = Text(zh="甲")
    broken = Choice(label=name, next_question="gone")
    scenario = Scenario(
        code="x", name=name, summary=name, lead_department="d",
        questions=(ScenarioQuestion(id="q", ask=name, choices=(broken, Choice(label=name, situation="s"))),),
        situations=(Situation(id="s", name=name, items=("a",)),),
    )  # fmt: skip
    assert [leads(scenario, choice) for choice in scenario.questions[0].choices] == [False, True]
    with pytest.raises(TreeBroken, match="gone"):
        follow(scenario, broken)


def test_what_cannot_be_done_is_not_promised() -> None:
    can = [each.id for each in abilities(Status(printer=OUT))]
    assert "attract.can_print" not in can
    assert "attract.can_take" in can
    assert [each.id for each in abilities(Status(content=False))] == ["attract.can_help"]


def test_trouble_names_the_reason() -> None:
    assert troubles(Status(printer=OUT)) == [phrase("trouble.printer", reason=phrase("printer.paper_out"))]


def test_all_well_says_no_trouble() -> None:
    assert troubles(Status()) == []


def test_phrases_inside_phrases_are_spoken_first() -> None:
    text = spoken(phrase("outer", inner=phrase("inner", n=3)), lambda message_id, **args: f"{message_id}{args}")
    assert text == "outer{'inner': \"inner{'n': 3}\"}"
