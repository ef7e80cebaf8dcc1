"""扫码带走: the guide's own words inside a QR code, so a phone shows them without any network."""

from terminal.flow.answers import answers
from terminal.flow.ports import Subject
from terminal.screens.view import View
from terminal.takeaway import item_text, plan_text
from ui.language import words


class TakeView(View):
    """The code as large as it may be, and how to use it."""

    def build(self) -> None:
        subject = Subject(self.shown.code, self.shown.scenario, self.shown.situation)
        content = self.visit.content
        if subject.code:
            item = content.item(subject.code)
            taken = item_text(answers(item, words.code), words.t) if item else None
        else:
            taken = plan_text(content, subject, words.code, words.t)
        if taken is None:
            self.ids.how.text = words.t("guide.gone")
            return
        self.ids.name.text = taken.name
        self.ids.code.data = taken.text
        self.ids.how.text = words.t("take.how")
        self.ids.short.text = words.t("take.short") if taken.shortened else ""
