"""The part of a visit in which a finished matter is rated: asked once, pressed, corrected, given reasons, closed."""

from terminal.flow.places import Paper, Parting, Rate, Reasons
from terminal.flow.ports import RatingEnd, Subject
from terminal.flow.rating import Rating
from terminal.flow.state import VisitState

ASK_AFTER_PAPER_MS = 12_000
"""After this long beside a finished print the terminal asks for the rating by itself."""


class RatedVisit(VisitState):
    """A visit that asks for ratings."""

    @property
    def rating_due(self) -> bool:
        """True when a finished matter waits to be rated and a rating can be kept."""
        return bool(self.session and self.session.finished and self.status.rating and self._diary.can_rate)

    def _finish_matter(self, subject: Subject) -> None:
        session = self.session
        if session and subject.key not in session.rated:
            session.finished = subject

    def _asks_by_itself(self) -> bool:
        job = self.session.desk.job if self.session else None
        on_paper = isinstance(self.place, Paper) and job is not None and job.state in ("printed", "taken")
        return on_paper and self.rating_due and not self.overlay and not self.warning

    def _asks_in_ms(self) -> int:
        quiet_since = max(self._printed_ms, self.idle.touched_ms)
        return max(0, ASK_AFTER_PAPER_MS - (self._clock.monotonic_ms() - quiet_since))

    def done(self) -> None:
        """好了: the matter is finished. Asks for a rating if one is due, else offers more or the end."""
        if self.session is None or self.session.desk.busy or self.session.rating is not None:
            return
        if self.rating_due:
            self.ask_rating()
        else:
            self._part("")

    def ask_rating(self) -> None:
        """Invite once for the finished matter. The invitation is in the journal before the screen asks."""
        session = self.session
        if session is None or session.finished is None or session.rating is not None or self.content is None:
            return
        subject, session.finished = session.finished, None
        session.rated.add(subject.key)
        rating = session.rating = Rating(self._new_id(), self._diary, self._clock)
        asked_at = session.place

        def invited(is_kept: bool) -> None:
            if not is_kept:
                session.rating = None
                self._part("")
            elif session.place is asked_at:
                session.place = Rate()
                self.idle.touch()
                self.changed()
            else:
                # The visitor went on meanwhile: the question does not jump in front of him.
                self._close_rating("left")

        rating.invite(subject, invited)

    def press(self, level: int) -> None:
        """One of the five faces. Thanks are shown after the commit; until then nothing else is taken."""
        session = self.session
        if session is None or session.rating is None or not isinstance(session.place, Rate):
            return

        def pressed(is_kept: bool) -> None:
            if is_kept:
                session.place = Reasons()
                self.changed()
            else:
                self._close_rating("left")
                self._part("", trouble=True)

        session.rating.press(level, pressed)

    def correct(self) -> None:
        """改一下: choose again, within five seconds of the press."""
        if self.session and self.session.rating and self.session.rating.correct():
            self.session.place = Rate()
            self.changed()

    def tag(self, tag_id: str) -> None:
        """Choose a reason or take it back."""
        if self.session and self.session.rating:
            self.session.rating.tag(tag_id)
            self.changed()

    def rating_done(self, how: RatingEnd = "done") -> None:
        """The visitor is through with the rating, or skips it. Not before his press has reached the journal."""
        if self.session and self.session.rating and self.session.rating.waiting is None:
            self._part(self._close_rating(how))

    def _close_rating(self, how: RatingEnd) -> str:
        session = self.session
        if session is None or session.rating is None:
            return ""
        rating, session.rating = session.rating, None
        return rating.close(how, language=session.language, profile=session.profile)

    def _part(self, receipt: str, *, trouble: bool = False) -> None:
        assert self.session is not None
        self.session.place, self.session.trail = Parting(receipt, trouble), []
        self.changed()
