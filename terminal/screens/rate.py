"""The rating the terminal itself asks for: five faces, then reasons with five seconds to correct."""

import time

from kivy.clock import Clock
from kivy.uix.widget import Widget

from terminal.flow.rating import LEVELS, Rating
from terminal.screens.view import View
from terminal.tags import load_tags
from ui.language import words
from ui.widgets.chip import Tag
from ui.widgets.level_card import LevelCard

MARK_AFTER_S = 0.03
"""A press is on the disk sooner; only when the disk takes longer is the pressed card marked meanwhile (evaluator/face.py)."""


class RateView(View):
    """Five rows of one look; skipping is one touch, as large as any."""

    def build(self) -> None:
        self._cards = [LevelCard(level=level, text=words.t(f"rate.{level}")) for level in LEVELS]
        for card in self._cards:
            card.bind(on_press=self._press)
            (self.ids.upper if card.level > 2 else self.ids.lower).add_widget(card)
        self._mark = Clock.create_trigger(self._mark_waiting, MARK_AFTER_S)
        self._pressed_s = 0.0

    def refresh(self) -> None:
        """A press that is through needs no mark."""
        if self._waiting() is None:
            self._mark_level(None)

    def _press(self, card: LevelCard) -> None:
        self._pressed_s = time.monotonic()
        self.visit.press(card.level)
        self._mark()

    def _mark_waiting(self, *_: object) -> None:
        # Kivy counts from the frame before the press, which may be long ago when the screen was at rest.
        if time.monotonic() - self._pressed_s < MARK_AFTER_S:
            self._mark()
        else:
            self._mark_level(self._waiting())

    def _mark_level(self, level: int | None) -> None:
        for card in self._cards:
            card.waiting = card.level == level

    def _waiting(self) -> int | None:
        rating = self.visit.session.rating if self.visit.session else None
        return rating.waiting if rating else None


class ReasonsView(View):
    """Thanks after the commit, modest words for what was chosen, tags, 改一下. It may be made before the press it thanks for."""

    def build(self) -> None:
        self._level = 0
        self._rows: list[Tag] = []
        self._ticker = Clock.create_trigger(self._countdown, 0.5, interval=True)

    def refresh(self) -> None:
        """Thank for the level that stands now, and offer its reasons."""
        rating = self._rating()
        if rating is None:
            return
        level = rating.level or LEVELS[0]
        if level != self._level:
            self._level = level
            self._offer(level)
        for row in self._rows:
            row.chosen = _tag(row) in rating.tags
        self._ticker()
        self._countdown()

    def _offer(self, level: int) -> None:
        self.ids.chosen.text = words.t("reasons.chosen", level=words.t(f"rate.{level}"))
        tags, grid = load_tags().of_level(level), self.ids.tags
        while len(self._rows) < len(tags):
            self._rows.append(self._row())
        grid.clear_widgets()
        for row, tag in zip(self._rows, tags, strict=False):
            row.name, row.text = f"tag {tag.id}", tag.get(words.code)
            grid.add_widget(row)
        if len(tags) % 2:
            grid.add_widget(Widget())

    def _row(self) -> Tag:
        row = Tag()
        row.private = True
        row.bind(on_release=self._choose)
        return row

    def _choose(self, row: Tag) -> None:
        self.visit.tag(_tag(row))
        self.refresh()

    def _countdown(self, *_: object) -> None:
        rating = self._rating()
        left_s = -(-(rating.correct_left_ms() if rating else 0) // 1000)
        correct = self.ids.correct
        correct.text = words.t("reasons.correct", seconds=left_s) if left_s else ""
        correct.opacity, correct.disabled = (1, False) if left_s else (0, True)
        self.ids.done.text = words.t("reasons.done" if rating and rating.tags else "reasons.skip")
        if not left_s:
            self._ticker.cancel()

    def _rating(self) -> Rating | None:
        return self.visit.session.rating if self.visit.session else None


def _tag(row: Tag) -> str:
    return str(row.name.removeprefix("tag "))
