"""What lies above the place: help, a code to hold up, the choice of language, and the question 还要用吗?"""

from kivy.properties import StringProperty
from kivy.uix.floatlayout import FloatLayout

from terminal.flow.places import Search
from terminal.flow.visit import Visit
from terminal.screens.view import local
from ui.language import words

NAMES = {"zh": "中文", "ko": "한국어", "en": "English"}
"""Each language under its own name, so that nobody has to read another one to find his."""


class Overlay(FloatLayout):
    """A panel over a dimmed place. Touches beside the panel close it and reach nothing below."""

    def __init__(self, visit: Visit, **kwargs: object) -> None:
        self.visit = visit
        super().__init__(**kwargs)

    def on_kv_post(self, base_widget: object) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Read what may have changed."""

    def dismiss(self) -> None:
        """A touch beside the panel."""
        self.visit.show("")

    def on_touch_down(self, touch: object) -> bool:
        """Nothing below is ever touched through a panel."""
        if not self.ids.panel.collide_point(*touch.pos):
            self.dismiss()
            return True
        super().on_touch_down(touch)
        return True


class HelpPanel(Overlay):
    """Who has seen the call, honestly, and the phone in any case."""

    again = StringProperty("")

    def refresh(self) -> None:
        state = self.visit.help.state or "asking"
        self.ids.state.text = words.t(f"aid.{state}")
        self.ids.ways.text = "\n".join(filter(None, self._ways(state)))
        self.again = words.t("aid.again") if state in ("nobody", "unreachable") else ""

    def _ways(self, state: str) -> list[str]:
        hall = self.visit.content.hall if self.visit.content else None
        phone = self.visit.help_phone or (hall.phone if hall else "")
        said = [words.t("aid.phone", phone=phone) if phone else ""]
        if hall and state != "seen":
            said.append(words.t("aid.hours", hours=local(hall.hours)))
        if state in ("nobody", "unreachable"):
            said.append(words.t("aid.desk"))
        if state in ("asking", "waiting", "seen"):
            said.append(words.t("aid.stay"))
        return said


class ScanPanel(Overlay):
    """Hold up a code; or why the one that was held up opens nothing, with another try. What it said is never shown."""

    again = StringProperty("")

    def refresh(self) -> None:
        session = self.visit.session
        refused = session is not None and session.code_refused
        works = self.visit.status.codes
        self.ids.state.text = words.t("scan.refused" if refused else "scan.title")
        self.ids.advice.text = words.t("scan.refused_do" if refused else "scan.how" if works else "scan.off")
        self.again = words.t("scan.again") if refused and works else ""

    def search(self) -> None:
        """Find it by typing instead."""
        self.visit.show("")
        self.visit.go(Search())


class LanguagePanel(Overlay):
    """Three languages, each in its own words."""

    def choose(self, code: str) -> None:
        """Switch everything at once."""
        self.visit.set_language(code)


class Identification(FloatLayout):
    """Which machine this is, large, for somebody who looks for it. Touches go through to what is below."""

    text = StringProperty("")


class WarningPanel(Overlay):
    """还要用吗? Any touch but one stays."""

    def refresh(self) -> None:
        seconds = -(-self.visit.idle.left_ms() // 1000)
        self.ids.left.text = words.t("warn.left", seconds=seconds)
        self.ids.ring.left_s = seconds
        self.ids.ring.of_s = self.visit.idle.patience.warning_ms / 1000

    def dismiss(self) -> None:
        """The touch itself has already said that somebody is there."""
