"""Nobody is there: what can be done here and now, and what is out of service, in plain words. Also without any content."""

from kivy.properties import StringProperty
from kivy.uix.boxlayout import BoxLayout

from terminal.flow.status import abilities, troubles
from terminal.flow.visit import Visit
from terminal.screens.view import View, say
from ui.language import words
from ui.widgets.banner import Banner

ICONS = {
    "attract.can_search": "search",
    "attract.can_check": "list",
    "attract.can_print": "print",
    "attract.can_take": "phone",
    "attract.can_help": "help",
}


class AbilityLine(BoxLayout):
    """One thing that can be done here."""

    icon = StringProperty("")
    text = StringProperty("")


class AttractView(View):
    """Seen from afar, so large; nothing on it is a button, the first touch only wakes."""

    def refresh(self) -> None:
        status = self.visit.status
        self.ids.abilities.clear_widgets()
        if status.rests:
            self.ids.title.text = words.t("attract.resting")
            self.ids.explanation.text = words.t("attract.resting_do")
        elif self.visit.content is None:
            self.ids.title.text = words.t("attract.no_content")
            self.ids.explanation.text = words.t("attract.no_content_do")
        else:
            self.ids.title.text = words.t("attract.title")
            self.ids.explanation.text = ""
            for can in abilities(status):
                self.ids.abilities.add_widget(AbilityLine(icon=ICONS[can.id], text=say(can)))
        self.ids.touch.text = words.t("attract.touch") if self.visit.content and not status.rests else ""
        fill_banners(self.ids.banners, self.visit, quiet=words.t("attract.well"))


def fill_banners(box: BoxLayout, visit: Visit, *, quiet: str = "") -> None:
    """Put what visitors must know of the machine into `box`; `quiet` is said when all is well."""
    status = visit.status
    box.clear_widgets()
    # What the large title says already is not said again.
    told = {"trouble.content"} | ({"trouble.power"} if visit.session is None and status.rests else set())
    said = [say(trouble) for trouble in troubles(status) if trouble.id not in told]
    if visit.card_on_reader and visit.session is None:
        said.insert(0, words.t("attract.card_left"))
    if visit.session is not None and visit.session.card_trouble.id:
        said.insert(0, say(visit.session.card_trouble))
    if visit.session is not None and visit.session.card and visit.session.card.expired:
        said.insert(0, words.t("home.card_expired"))
    if not said and quiet and visit.content is not None and not status.rests:
        said = [quiet]
    if status.demonstration:
        said.append(words.t("attract.demonstration"))
    if status.notice:
        box.add_widget(Banner(text=words.of(status.notice), icon="info"))
    if status.pairing_code and visit.session is None:
        code = words.t("attract.pairing", code=status.pairing_code)
        box.add_widget(Banner(lead=code, text=words.t("attract.pairing_do"), icon="key"))
    if said:
        box.add_widget(Banner(text="\n".join(said)))
