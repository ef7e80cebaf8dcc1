"""Ask: five answers, one of them touched or pressed; or none, which is an answer too."""

from kivy.properties import NumericProperty, ObjectProperty

from evaluator.flow.scene import Ask
from evaluator.screens.view import View
from ui.language import words
from ui.theme import theme
from ui.widgets.level_card import LevelCard
from ui.widgets.text import fitting_size

LEVELS = (5, 4, 3, 2, 1)


class AskView(View):
    """Draws scene.Ask. A card answers when the finger lands; while a press goes to the disk, all cards wait.

    `level_size` is one font size for all five answers: a smaller 非常不满意 would push people to the others.
    """

    level_size = NumericProperty(20)
    lines = NumericProperty(1)
    look = ObjectProperty()
    """Whatever the common size depends on besides the panel; set by the rule."""

    def on_kv_post(self, base_widget: object) -> None:
        """Find the common size, and again when panel, language or profile change."""
        self.bind(size=self._equalise, lines=self._equalise, look=self._equalise)
        self._equalise()

    def _equalise(self, *_: object) -> None:
        inside = (self.width - 2 * theme.mm(5 if theme.compact else 8) - 4 * theme.mm(2.4 if theme.compact else 4)) / 5
        self.level_size = fitting_size(
            [words.t(f"level.{level}") for level in LEVELS],
            width=inside - 2 * theme.mm(1.2) - 2,
            lines=int(self.lines),
            font=words.font_bold,
            wanted=int(theme.large),
            floor=int(theme.floor),
        )


class AnswerCard(LevelCard):
    """A level card of an AskView; `waiting` while the scene says that its press goes to the disk."""

    view = ObjectProperty(None, allownone=True, rebind=True)


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
