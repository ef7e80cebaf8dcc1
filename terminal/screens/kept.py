"""The views of a rating, made before they are shown and used again: making one takes longer than thanks may take to appear."""

from kivy.uix.widget import Widget

from terminal.flow.places import Place, Reasons
from terminal.flow.visit import Visit
from terminal.screens.rate import RateView, ReasonsView
from terminal.screens.view import View

KEPT: tuple[type[View], ...] = (RateView, ReasonsView)


class KeptViews:
    """Makes every view of a screen, and keeps those of a rating until it is over."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._made: dict[type[View], View] = {}
        self._look: tuple[str, str] | None = None

    def take(self, kind: type[View], place: Place) -> View:
        """A view of this kind that shows `place`. What an earlier rating left, or another language, is let go of."""
        self._let_go()
        if kind not in KEPT:
            return kind(self._visit, place)
        view = self._made.get(kind)
        if view is None:
            view = self._made[kind] = kind(self._visit, place)
        else:
            view.follow(place)
        return view

    def prepare(self, slot: Widget) -> None:
        """Make the thanks for a question that is being asked, and lay them out as they will stand in `slot`."""
        if self._is_asked():
            thanks = self.take(ReasonsView, Reasons())
            thanks.pos, thanks.size = slot.pos, slot.size

    def _is_asked(self) -> bool:
        return self._visit.session is not None and self._visit.session.rating is not None

    def _let_go(self) -> None:
        look = (self._visit.language, self._visit.profile)
        if look != self._look or not self._is_asked():
            self._made.clear()
            self._look = look
