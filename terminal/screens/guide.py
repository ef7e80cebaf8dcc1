"""The guide of one item: six answers in the order people ask, a checklist to tick, paper or phone to take it along."""

from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from terminal.flow.answers import Answers, Bring, answers, count_ready
from terminal.flow.places import GuideDetails, TakeAway
from terminal.flow.ports import Subject
from terminal.flow.status import troubles
from terminal.screens.view import View, join, local, say
from ui.language import words
from ui.theme import theme
from ui.widgets.card import Surface
from ui.widgets.checklist import CheckRow


class Fact(Surface):
    """One short answer: an icon, the question, the answer, and a line more."""

    icon = StringProperty("")
    question = StringProperty("")
    answer = StringProperty("")
    more = StringProperty("")


class Actions(BoxLayout):
    """Print, phone, and a third thing; print says when it cannot."""

    third = StringProperty("")
    __events__ = ("on_print", "on_take", "on_more")

    def on_print(self) -> None:
        """The print button was touched while printing works."""

    def on_take(self) -> None:
        """To the phone."""

    def on_more(self) -> None:
        """The third button, if it has words."""

    def show(self, *, can_print: bool) -> None:
        """Say on the button itself whether it can print."""
        self.ids.print.text = words.t("guide.print" if can_print else "guide.print_off")
        self.ids.print.disabled = not can_print


class Checklist(Surface):
    """要带什么: rows to tick with how many are ready. Pages when they do not fit."""

    title = StringProperty("")
    count = StringProperty("")

    def show_rows(self, rows: list[Bring], ticked: set[int], on_tick: object) -> None:
        """Show the rows; `on_tick(index)` is called for each touch."""
        made = []
        for index, row in enumerate(rows):
            # In large type only what it is and when it is needed; the details page has the rest.
            about = row.about[:2] if theme.elder else row.about
            check = CheckRow(title=row.name, note=join(about), ticked=index in ticked)
            check.name = f"material {index}"
            check.bind(on_release=lambda _, at=index: on_tick(at))
            made.append(check)
        self.ids.rows.fill(made)
        self.say_count(rows, ticked)

    def say_count(self, rows: list[Bring], ticked: set[int]) -> None:
        """必备 3 样，已有 1 样."""
        needed, ready = count_ready(rows, ticked)
        self.count = words.t("guide.bring_count", needed=needed, ready=ready) if needed else words.t("guide.bring_tick")


class GuideView(View):
    """Built once a place; ticks and the printer's state are refreshed."""

    def build(self) -> None:
        self.item = self.visit.content.item(self.shown.code)
        self.subject = Subject(code=self.shown.code)
        body = self.ids.body
        self.ids.actions.bind(on_print=lambda _: self.visit.print_notice(self.subject))
        self.ids.actions.bind(on_take=lambda _: self.visit.go(TakeAway(code=self.shown.code)))
        self.ids.actions.bind(on_more=lambda _: self.visit.go(GuideDetails(self.shown.code)))
        if self.item is None:
            self._gone()
            return
        self.answers = answers(self.item, words.code)
        self._head()
        for section in self._sections():
            body.add_widget(section)

    def _gone(self) -> None:
        self.ids.name.text = words.t("guide.gone")
        self.ids.can.text = words.t("guide.gone_do")
        self.ids.actions.opacity, self.ids.actions.disabled = 0, True

    def _head(self) -> None:
        said, item = self.answers, self.item
        departments = {each.code: each for each in self.visit.content.departments()}
        department = departments.get(item.department)
        self.ids.crumb.text = join([words.t("home.departments"), local(department.short_name) if department else ""])
        self.ids.name.text = said.name
        self.ids.kind.text = join([said.kind, said.visits])
        if item.status == "paused":
            self.ids.can.lead, self.ids.can.text = "", words.t("guide.paused")
        elif said.can:
            self.ids.can.lead, self.ids.can.text = words.t("guide.can"), "\n".join(said.can)
        else:
            # A guide from a hall's own list may lack conditions, or anything else; then it says whom to ask.
            self.ids.can.lead, self.ids.can.text = "", words.t("guide.can_ask" if said.complete else "guide.core")

    def _sections(self) -> list[BoxLayout]:
        sections: list[BoxLayout] = []
        if self.answers.bring:
            self.checklist = Checklist(title=words.t("guide.bring"))
            ticked = self.visit.session.ticks(self.subject)
            self.checklist.show_rows(list(self.answers.bring), ticked, self._tick)
            sections.append(self.checklist)
        elif self.answers.complete:
            sections.append(StepLine(title=words.t("guide.bring"), text=words.t("guide.bring_ask")))
        sections.append(facts(self.answers))
        if self.answers.steps and not theme.elder:
            sections.append(StepLine(title=words.t("guide.steps"), text=" → ".join(self.answers.steps)))
        if not self.answers.bring and self.answers.phone:
            sections.append(StepLine(title=words.t("guide.phone"), text=self.answers.phone, large=True))
        if not self.answers.bring:
            sections.append(BoxLayout())
        return sections

    def _tick(self, index: int) -> None:
        self.visit.tick_material(self.subject, index)

    def refresh(self) -> None:
        self.ids.actions.show(can_print=self.visit.can_print)
        if getattr(self, "checklist", None) is not None:
            self.checklist.say_count(list(self.answers.bring), self.visit.session.ticks(self.subject))
        off = [trouble for trouble in troubles(self.visit.status) if trouble.id.startswith("trouble.printer")]
        self.ids.off.text = say(off[0]) if off else ""


class StepLine(Surface):
    """A question with a short answer below: 怎么走, or the phone to ask."""

    title = StringProperty("")
    text = StringProperty("")
    large = BooleanProperty(False)


class Facts(BoxLayout):
    """Where, how long, how much, side by side."""


def facts(said: Answers) -> Facts:
    """The three short answers of an item."""
    box = Facts()
    windows = words.t("guide.windows", windows=words.t("list.comma").join(said.windows)) if said.windows else ""
    phone = f"{words.t('guide.phone')} {said.phone}" if said.phone else ""
    where = said.where or windows or words.t("guide.where_ask")
    more = windows if said.where and windows else phone
    box.add_widget(Fact(icon="place", question=words.t("guide.where"), answer=where, more=more))
    long = say(said.how_long) or words.t("guide.how_long_ask")
    box.add_widget(Fact(icon="time", question=words.t("guide.how_long"), answer=long, more=say(said.legal)))
    first, *rest = [say(fee) for fee in said.how_much]
    box.add_widget(Fact(icon="fee", question=words.t("guide.how_much"), answer=first, more=join(rest)))
    return box
