"""One question of a life event, its answers as large buttons. Only answers that lead somewhere are shown."""

from kivy.uix.widget import Widget

from pack.model import Choice
from terminal.flow.tree import TreeBroken, follow, leads, question
from terminal.screens.view import Row, View, local
from ui.language import words
from ui.widgets.banner import Banner


class AskingView(View):
    """The question, and its choices below."""

    def build(self) -> None:
        self.scenario = self.visit.content.scenario(self.shown.scenario)
        try:
            asked = question(self.scenario, self.shown.question) if self.scenario else None
        except TreeBroken:
            asked = None
        choices = [choice for choice in asked.choices if leads(self.scenario, choice)] if asked else []
        self.ids.crumb.text = local(self.scenario.name) if self.scenario else words.t("list.scenarios")
        if not choices:
            self.ids.notes.add_widget(Banner(text=words.t("asking.broken"), icon="warning"))
            return
        self.ids.ask.text = local(asked.ask)
        self.ids.list.fill(choices, self._row)

    def _row(self, entry: Choice) -> Widget:
        row = Row(title=local(entry.label), name=f"choice {entry.situation or entry.next_question}")
        row.bind(on_release=lambda _: self.visit.go(follow(self.scenario, entry)))
        return row
