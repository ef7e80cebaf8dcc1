"""What a situation of a life event needs: its matters, and one merged checklist."""

from terminal.flow.answers import limit, where
from terminal.flow.places import TakeAway
from terminal.flow.plan import plan
from terminal.flow.ports import Subject
from terminal.flow.status import troubles
from terminal.screens.guide import Checklist
from terminal.screens.view import View, join, local, say
from ui.language import words
from ui.widgets.banner import Banner


class PlanView(View):
    """The matters in a band, the checklist below, paper and phone at the foot."""

    def build(self) -> None:
        self.subject = Subject(scenario=self.shown.scenario, situation=self.shown.situation)
        self.plan = plan(self.visit.content, self.subject, words.code)
        self.ids.actions.bind(on_print=lambda _: self.visit.print_notice(self.subject))
        take = TakeAway(scenario=self.shown.scenario, situation=self.shown.situation)
        self.ids.actions.bind(on_take=lambda _: self.visit.go(take))
        self.checklist = None
        if self.plan is None:
            self.ids.notes.add_widget(Banner(text=words.t("asking.broken"), icon="warning"))
            self.ids.actions.opacity, self.ids.actions.disabled = 0, True
            return
        self._head()
        if self.plan.bring:
            self.checklist = Checklist(title=words.t("plan.bring"))
            ticked = self.visit.session.ticks(self.subject)
            self.checklist.show_rows(list(self.plan.bring), ticked, lambda at: self.visit.tick_material(self.subject, at))
            self.ids.body.add_widget(self.checklist)

    def _head(self) -> None:
        chosen, place = self.plan.situation, self.plan.scenario.place
        self.ids.crumb.text = local(self.plan.scenario.name)
        self.ids.name.text = local(chosen.name)
        promise = words.t("plan.promise", limit=say(limit(chosen.promise))) if chosen.promise else ""
        count = words.t("plan.items", count=len(chosen.items))
        names = words.t("list.comma").join(local(item.short_name or item.name) for item in self.plan.items)
        windows = words.t("guide.windows", windows=words.t("list.comma").join(place.windows)) if place and place.windows else ""
        lines = [names, join([where(place, words.code), windows])]
        if self.plan.without_guide:
            lines.append(words.t("plan.missing", count=self.plan.without_guide))
        self.ids.notes.add_widget(Banner(lead=join([count, promise]), text="\n".join(filter(None, lines))))

    def refresh(self) -> None:
        self.ids.actions.show(can_print=self.visit.can_print)
        if self.checklist is not None:
            self.checklist.say_count(list(self.plan.bring), self.visit.session.ticks(self.subject))
        off = [trouble for trouble in troubles(self.visit.status) if trouble.id.startswith("trouble.printer")]
        self.ids.off.text = say(off[0]) if off else ""
