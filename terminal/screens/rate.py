"""The rating the terminal itself asks for: five faces, then reasons with five seconds to correct."""

from kivy.clock import Clock
from kivy.uix.widget import Widget

from terminal.flow.rating import LEVELS
from terminal.screens.view import View
from terminal.tags import load_tags
from ui.language import words
from ui.widgets.chip import Tag
from ui.widgets.level_card import LevelCard


class RateView(View):
    """Five rows of one look; skipping is one touch, as large as any."""

    def build(self) -> None:
        for level in LEVELS:
            card = LevelCard(level=level, text=words.t(f"rate.{level}"))
            card.bind(on_press=lambda _, chosen=level: self.visit.press(chosen))
            (self.ids.upper if level > 2 else self.ids.lower).add_widget(card)


class ReasonsView(View):
    """Thanks after the commit, modest words for what was chosen, tags, 改一下."""

    def build(self) -> None:
        rating = self.visit.session.rating
        self._ticker = Clock.schedule_interval(self._countdown, 0.5)
        for tag in load_tags().of_level(rating.level):
            row = Tag(text=tag.get(words.code), chosen=tag.id in rating.tags, name=f"tag {tag.id}")
            row.private = True
            row.bind(on_release=lambda widget, which=tag.id: self._choose(widget, which))
            self.ids.tags.add_widget(row)
        if len(self.ids.tags.children) % 2:
            self.ids.tags.add_widget(Widget())
        self.ids.chosen.text = words.t("reasons.chosen", level=words.t(f"rate.{rating.level}"))
        self._countdown()

    def _choose(self, widget: Tag, tag_id: str) -> None:
        self.visit.tag(tag_id)
        rating = self.visit.session.rating if self.visit.session else None
        widget.chosen = bool(rating and tag_id in rating.tags)
        self._say_done()

    def _say_done(self) -> None:
        rating = self.visit.session.rating if self.visit.session else None
        self.ids.done.text = words.t("reasons.done" if rating and rating.tags else "reasons.skip")

    def _countdown(self, *_: object) -> None:
        rating = self.visit.session.rating if self.visit.session else None
        left_s = -(-(rating.correct_left_ms() if rating else 0) // 1000)
        correct = self.ids.correct
        correct.text = words.t("reasons.correct", seconds=left_s) if left_s else ""
        correct.opacity, correct.disabled = (1, False) if left_s else (0, True)
        self._say_done()
        if not left_s:
            self._ticker.cancel()
