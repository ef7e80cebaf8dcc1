"""The terminal's life as one state machine: waiting, a visitor's session, goodbye, door opened. Screens draw what it says."""

from collections.abc import Callable, Mapping
from typing import Literal

from pack.model import Language
from terminal.flow import places
from terminal.flow.clock import Clock
from terminal.flow.desk import Desk
from terminal.flow.helpcall import HelpCall
from terminal.flow.idle import PATIENCE, PROFILES, IdleTimer, Patience, Profile
from terminal.flow.phrase import NOTHING, Phrase, phrase
from terminal.flow.places import Home, Paper, Parting, Place, Rate, Reasons, Search, TakeAway
from terminal.flow.ports import (
    Content,
    Diary,
    DiaryFull,
    EndedBy,
    HelpPort,
    Outcome,
    PaperPort,
    RatingEnd,
    Sheet,
    Subject,
)
from terminal.flow.rating import Rating
from terminal.flow.session import Card, Session
from terminal.flow.status import Status, prints

Phase = Literal["attract", "visiting", "goodbye", "secured"]
Overlay = Literal["", "help", "language"]

GOODBYE_MS = 4_000
CARD_LEFT_MS = 30_000
"""How long the goodbye insists on a card left on the reader; the attract screen goes on saying it."""
ASK_AFTER_PAPER_MS = 12_000
"""After this long beside a finished print the terminal asks for the rating by itself."""
MOST_TYPED = 24
HASTY_MS = 1_000
"""A second tap on 结束 this soon is the same person, not the next one."""


class Visit:
    """Holds what the screen shows. Every public method is an event; `changed` is called after each that changed something.

    All methods are called on one thread. Nothing here blocks: ports answer later.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        diary: Diary,
        paper: PaperPort,
        help_port: HelpPort,
        new_id: Callable[[], bytes],
        content: Content | None = None,
        status: Status | None = None,
        language: Language = "zh",
        help_phone: str = "",
        patience: Mapping[Profile, Patience] = PATIENCE,
    ) -> None:
        self._clock = clock
        self._diary = diary
        self._paper = paper
        self._new_id = new_id
        self._home_language: Language = language
        self.content = content
        self.status = status or Status(content=content is not None)
        self.help_phone = help_phone
        self.patience = patience
        self.idle = IdleTimer(clock)
        self.help = HelpCall(help_port, clock)
        self.phase: Phase = "attract"
        self.overlay: Overlay = ""
        self.session: Session | None = None
        self.card_on_reader = False
        self.ended_by: EndedBy | None = None
        self.changed: Callable[[], None] = lambda: None
        self._phase_ms = clock.monotonic_ms()
        self._printed_ms = 0
        self._ended_language: Language = language
        self._ended_profile: Profile = "standard"

    # What screens read

    @property
    def place(self) -> Place:
        """Where the visitor is; Home while there is none."""
        return self.session.place if self.session else Home()

    @property
    def language(self) -> Language:
        """The visitor's language; at the goodbye still his, then the hall's."""
        if self.session:
            return self.session.language
        return self._ended_language if self.phase == "goodbye" else self._home_language

    @property
    def profile(self) -> Profile:
        """The visitor's profile; at the goodbye still his, then the standard one."""
        if self.session:
            return self.session.profile
        return self._ended_profile if self.phase == "goodbye" else "standard"

    @property
    def warning(self) -> bool:
        """True while the screen asks 还要用?"""
        return self.phase == "visiting" and self.idle.warning

    @property
    def can_print(self) -> bool:
        return prints(self.status)

    @property
    def screen_name(self) -> str:
        """The screen's name for the agent and the journal of incidents; never its content."""
        return type(self.place).__name__.lower() if self.phase == "visiting" else self.phase

    @property
    def rating_open(self) -> bool:
        """True while somebody rates: no picture of the screen is taken then."""
        rating = self.session.rating if self.session else None
        return rating is not None and rating.state != "closed"

    # Touch, time

    def touch(self) -> bool:
        """A finger came down. Returns whether the touch may act on what is drawn: the one that wakes may not."""
        if self.phase == "visiting":
            was_warning = self.warning
            self.idle.touch()
            if was_warning:
                self.changed()
            return True
        hasty = self.phase == "goodbye" and self._clock.monotonic_ms() - self._phase_ms < HASTY_MS
        if self.phase != "secured" and not hasty and self.content is not None:
            self._begin()
        return False

    def tick(self) -> None:
        """Let time act. Call it when `next_tick_ms` has passed; calling it more often changes nothing."""
        now = self._clock.monotonic_ms()
        if self.phase == "goodbye" and now - self._phase_ms >= self._goodbye_ms():
            self._enter("attract")
        session = self.session
        if session is None:
            return
        moved = session.desk.tick() | self.help.tick()
        self.idle.hold(session.desk.busy)
        if self._asks_by_itself() and self._asks_in_ms() == 0:
            self.ask_rating()
        elif self.idle.over:
            self.end("timeout")
        elif moved:
            self.changed()

    def next_tick_ms(self) -> int | None:
        """Milliseconds until something may change by itself; None when only a touch or hardware can change it."""
        if self.phase == "goodbye":
            return max(0, self._goodbye_ms() - (self._clock.monotonic_ms() - self._phase_ms))
        session = self.session
        if session is None:
            return None
        waits = [] if self.idle.held else [self.idle.left_ms(), self._until_warning_ms()]
        if session.desk.busy:
            waits.append(session.desk.left_ms())
        if self.help.state == "asking":
            waits.append(self.help.left_ms())
        if self._asks_by_itself():
            waits.append(self._asks_in_ms())
        return min(waits)

    def _until_warning_ms(self) -> int:
        left = self.idle.left_ms() - self.idle.patience.warning_ms
        return left if left > 0 else self.idle.left_ms()

    def _goodbye_ms(self) -> int:
        return CARD_LEFT_MS if self.card_on_reader else GOODBYE_MS

    # Moving about

    def go(self, place: Place) -> None:
        """Open a place; back returns to where the visitor is now. Nothing opens without content."""
        session = self.session
        if session is None or self.content is None or place == session.place:
            return
        session.trail.append(session.place)
        session.place = place
        if isinstance(place, places.Guide):
            session.did("guide")
        elif isinstance(place, places.Plan):
            session.did("scenario")
        elif isinstance(place, TakeAway):
            session.did("take_away")
            self._finish_matter(Subject(place.code, place.scenario, place.situation))
        self.overlay = ""
        self.changed()

    def back(self) -> None:
        """To the place before. A print under way or a rating is not walked back into."""
        session = self.session
        if session is None or session.desk.busy:
            return
        self._close_rating("left")
        session.place = session.trail.pop() if session.trail else Home()
        self.overlay = ""
        self.changed()

    def home(self) -> None:
        """To the first screen of the visit; what is ticked stays."""
        session = self.session
        if session is None or session.desk.busy:
            return
        self._close_rating("left")
        session.place, session.trail = Home(), []
        self.overlay = ""
        self.changed()

    def type(self, text: str) -> None:
        """Append typed characters to the query of the search place."""
        if self.session and isinstance(self.place, Search):
            self._query((self.place.query + text)[:MOST_TYPED])

    def erase(self, *, everything: bool = False) -> None:
        """Take back the last character, or all of them."""
        if self.session and isinstance(self.place, Search):
            self._query("" if everything else self.place.query[:-1])

    def _query(self, query: str) -> None:
        assert self.session is not None
        self.session.place = Search(query)
        self.session.did("search")
        self.changed()

    def tick_material(self, subject: Subject, index: int) -> None:
        """The visitor has this material, or has it not after all."""
        if self.session is None:
            return
        self.session.ticks(subject).symmetric_difference_update({index})
        self.changed()

    def set_language(self, language: Language) -> None:
        if self.session is None:
            self._begin()
        assert self.session is not None
        self.session.language = language
        self.overlay = ""
        self.changed()

    def speak(self, language: Language) -> None:
        """The hall's own language, which every visit begins with."""
        self._home_language = language
        self.changed()

    def next_profile(self) -> None:
        """标准 → 长辈版 → 高对比 → 标准."""
        if self.session is None:
            return
        at = PROFILES.index(self.session.profile)
        self.session.profile = PROFILES[(at + 1) % len(PROFILES)]
        self.idle.patience = self.patience[self.session.profile]
        self.changed()

    def show(self, overlay: Overlay) -> None:
        """Open or close (`''`) a panel above the place."""
        self.overlay = overlay if self.session else ""
        self.changed()

    # Paper

    def print_notice(self, subject: Subject) -> None:
        """Print the one-time notice, if the machine can print now."""
        session = self.session
        if session is None or self.content is None or session.desk.busy or not self.can_print:
            return
        sheet = Sheet(
            job_id=self._new_id().hex(),
            subject=subject,
            language=session.language,
            ticked=frozenset(session.ticks(subject)),
            masked_name=session.card.masked_name if session.card else "",
        )
        if not isinstance(session.place, Paper):
            session.trail.append(session.place)
            session.place = Paper()
        try:
            session.desk.send(sheet)
        except DiaryFull:
            session.desk.refuse(sheet, phrase("paper.no_room"))
        self.idle.hold(session.desk.busy)
        self.changed()

    def print_again(self) -> None:
        """The same notice once more, after a failed or unclear print."""
        if self.session and self.session.desk.job and not self.session.desk.busy:
            self.print_notice(self.session.desk.job.sheet.subject)

    def paper_taken(self) -> None:
        """The printer said nothing, but the visitor holds the paper."""
        if self.session and self.session.desk.job:
            self.session.desk.taken()
            if self.session.desk.job.state == "taken":
                self._finish_matter(self.session.desk.job.sheet.subject)
            self.changed()

    def _asked_paper(self, sheet: Sheet) -> None:
        if self.session:
            self._diary.print_asked(sheet, session=self.session.id)

    def _paper_finished(self, sheet: Sheet, outcome: Outcome, reason: Phrase, evidence: str) -> None:
        session = self.session
        if session is None:
            return
        self._diary.print_finished(sheet, session=session.id, outcome=outcome, reason=reason, evidence=evidence)
        if outcome == "printed":
            session.did("notice")
            self._finish_matter(sheet.subject)
        self.idle.hold(False)
        self._printed_ms = self._clock.monotonic_ms()
        self.changed()

    # Rating

    def _finish_matter(self, subject: Subject) -> None:
        session = self.session
        if session and subject.key not in session.rated:
            session.finished = subject

    @property
    def rating_due(self) -> bool:
        """True when a finished matter waits to be rated and a rating can be kept."""
        return bool(self.session and self.session.finished and self.status.rating and self._diary.can_rate)

    def _asks_by_itself(self) -> bool:
        job = self.session.desk.job if self.session else None
        on_paper = isinstance(self.place, Paper) and job is not None and job.state in ("printed", "taken")
        return on_paper and self.rating_due and not self.overlay and not self.warning

    def _asks_in_ms(self) -> int:
        quiet_since = max(self._printed_ms, self.idle.touched_ms)
        return max(0, ASK_AFTER_PAPER_MS - (self._clock.monotonic_ms() - quiet_since))

    def done(self) -> None:
        """好了: the matter is finished. Asks for a rating if one is due, else offers more or the end."""
        if self.session is None or self.session.desk.busy:
            return
        if self.rating_due:
            self.ask_rating()
        else:
            self._part("")

    def ask_rating(self) -> None:
        """Invite once for the finished matter. The invitation is in the journal before the screen asks."""
        session = self.session
        if session is None or session.finished is None or self.content is None:
            return
        subject, session.finished = session.finished, None
        session.rated.add(subject.key)
        rating = Rating(self._new_id(), self._diary, self._clock)
        try:
            self._diary.rating_invited(rating.rating, subject=subject)
        except DiaryFull:
            self._part("")
            return
        session.rating = rating
        session.place = Rate()
        self.idle.touch()
        self.changed()

    def press(self, level: int) -> None:
        """One of the five faces. Returns after the commit, so thanks may be drawn."""
        session = self.session
        if session is None or session.rating is None or not isinstance(session.place, Rate):
            return
        try:
            session.rating.press(level)
        except DiaryFull:
            session.rating = None
            self._part("", trouble=True)
            return
        session.place = Reasons()
        self.changed()

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
        """The visitor is through with the rating, or skips it."""
        if self.session and self.session.rating:
            self._part(self._close_rating(how))

    def _close_rating(self, how: RatingEnd) -> str:
        session = self.session
        if session is None or session.rating is None:
            return ""
        rating, session.rating = session.rating, None
        try:
            return rating.close(how, language=session.language, profile=session.profile)
        except DiaryFull:
            return ""

    def _part(self, receipt: str, *, trouble: bool = False) -> None:
        assert self.session is not None
        self.session.place, self.session.trail = Parting(receipt, trouble), []
        self.changed()

    # Help

    def call_help(self) -> None:
        """求助: tell the staff where help is wanted."""
        if self.session is None:
            self._begin()
        assert self.session is not None
        self.session.did("help")
        self.overlay = "help"
        self.help.call(self._new_id().hex(), self.screen_name)
        self.changed()

    def help_over(self) -> None:
        """The visitor needs nobody any more."""
        self.help.end()
        self.show("")

    # Hardware and content

    def card_present(self, card: Card) -> None:
        """A card was read: greet by masked name. It also begins a session, since somebody is there."""
        self.card_on_reader = True
        if self.phase == "secured":
            return
        if self.session is None:
            self._begin()
        assert self.session is not None
        self.session.card, self.session.card_trouble = card, NOTHING
        self.idle.touch()
        self.changed()

    def card_unread(self, reason: Phrase) -> None:
        """A card lies there and could not be read: say what to do. Nothing here needs a card, so nothing stops."""
        if self.session:
            self.session.card_trouble = reason
            self.changed()

    def card_removed(self) -> None:
        """The card is gone, and with it what was kept of it."""
        self.card_on_reader = False
        if self.session:
            self.session.card, self.session.card_trouble = None, NOTHING
        self.changed()

    def door(self, opened: bool) -> None:
        """The cabinet was opened: wipe at once and say so in the journal. Closed again: wait for visitors."""
        if opened:
            self.end("door")
            self._enter("secured")
        elif self.phase == "secured":
            self._enter("attract")
        self._diary.door(opened)

    def status_changed(self, status: Status) -> None:
        """Something works again, or does not any more."""
        self.status = status
        self.changed()

    def content_changed(self, content: Content | None) -> None:
        """Another pack. A visitor under way goes home, since what he read may be gone."""
        self.content = content
        if self.session and self.session.rating is None and not self.session.desk.busy:
            self.session.place, self.session.trail = Home(), []
        self.changed()

    # Beginning and end

    def _begin(self) -> None:
        desk = Desk(self._paper, self._clock, asked=self._asked_paper, finished=self._paper_finished)
        self.session = Session(self._new_id(), self._clock.monotonic_ms(), desk, language=self._home_language)
        self.idle = IdleTimer(self._clock)
        self.idle.patience = self.patience["standard"]
        self.ended_by = None
        self._diary.session_opened(self.session.id)
        self._enter("visiting")

    def end(self, how: EndedBy = "done") -> None:
        """Close the session: settle what is open in the journal, then drop everything personal."""
        session = self.session
        if session is None:
            return
        self._close_rating("timeout" if how == "timeout" else "left")
        session.desk.abandon()
        self.help.end()
        duration_ms = self._clock.monotonic_ms() - session.began_ms
        self._diary.session_closed(session.id, how=how, matters=tuple(session.matters), duration_ms=duration_ms)
        self._ended_language, self._ended_profile = session.language, session.profile
        self.session = None
        self.ended_by = how
        self._enter("goodbye")

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self.overlay = ""
        self._phase_ms = self._clock.monotonic_ms()
        self.changed()
