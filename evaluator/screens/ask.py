"""Ask: five answers, one of them touched or pressed; or none, which is an answer too."""

from kivy.properties import BooleanProperty, ObjectProperty

from evaluator.flow.scene import Ask
from evaluator.screens.view import View
from ui.language import words
from ui.widgets.level_card import LevelCard

LEVELS = (5, 4, 3, 2, 1)


class AskView(View):
    """Draws scene.Ask. A card answers when the finger lands; while a press goes to the disk, all cards wait."""


class AnswerCard(LevelCard):
    """A level card of an AskView; `waiting` while its press goes to the disk."""

    view = ObjectProperty(None, allownone=True, rebind=True)
    waiting = BooleanProperty(False)


def where(scene: Ask) -> str:
    """Business and window in one line."""
    if scene.card is None:
        return ""
    return " · ".join([words.of(scene.card.business), words.t("idle.window", number=scene.card.number)])


def about(scene: Ask) -> str:
    """What is rated: the item and the tail of the case number, by which people recognise their own."""
    parts = [words.of(scene.item)]
    if scene.case_tail:
        parts.append(words.t("ask.case_tail", tail=scene.case_tail))
    return " · ".join(part for part in parts if part)
