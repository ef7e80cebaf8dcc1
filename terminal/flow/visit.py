"""The terminal's life as one state machine: waiting, a visitor's session, goodbye, door opened. Screens draw what it says."""

from pack.model import Language
from terminal.flow.desk import Desk
from terminal.flow.idle import IdleTimer
from terminal.flow.moving import MovingVisit
from terminal.flow.phrase import NOTHING, Phrase, phrase
from terminal.flow.places import Home, Place
from terminal.flow.ports import Content, EndedBy
from terminal.flow.session import Card, Session
from terminal.flow.status import Status

GOODBYE_MS = 4_000
CARD_LEFT_MS = 30_000
"""How long the goodbye insists on a card left on the reader; the attract screen goes on saying it."""
OTHER_CARD = phrase("card.not_needed")
HASTY_MS = 1_000
"""A second tap on 结束 this soon is the same person, not the next one."""


class Visit(MovingVisit):
    """Holds what the screen shows. Every public method is an event; `changed` is called after each that changed something.

    What a visitor does is in the bases: moving about (`moving.py`), paper (`printed.py`), rating (`rated.py`); here is when
    a visit begins and ends. All methods are called on one thread. Nothing here blocks: ports answer later.
    """

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
        if self.phase != "secured" and not hasty and self.content is not None and not self.status.rests:
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

    # Language and help, which somebody may want before anything else

    def set_language(self, language: Language) -> None:
        if self.session is None:
            if self.status.rests or self.phase == "secured":
                return
            self._begin()
        assert self.session is not None
        self.session.language = language
        self.overlay = ""
        self.changed()

    def speak(self, language: Language) -> None:
        """The hall's own language, which every visit begins with."""
        self._home_language = language
        self.changed()

    def call_help(self) -> None:
        """求助: tell the staff where help is wanted. On the battery too, until its very end."""
        if self.session is None:
            if self.status.power == "ending" or self.phase == "secured":
                return
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

    def card_present(self, card: Card, reader: str = "id_card") -> None:
        """A card was read: greet by masked name. It also begins a session, since somebody is there."""
        self._cards.add(reader)
        if self.phase == "secured" or (self.session is None and self.status.rests):
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

    def card_removed(self, reader: str = "id_card") -> None:
        """The card is gone, and with it what was kept of it."""
        self._cards.discard(reader)
        if self.session:
            self.session.card, self.session.card_trouble = None, NOTHING
        self.changed()

    def other_card_present(self, reader: str) -> None:
        """A card of another kind lies there: it is told that it is not needed, and not forgotten when its owner leaves."""
        self._cards.add(reader)
        if self.phase == "secured" or (self.session is None and self.status.rests):
            return
        if self.session is None:
            self._begin()
        self.card_unread(OTHER_CARD)

    def other_card_removed(self, reader: str) -> None:
        """It is gone; an identity card beside it is not."""
        self._cards.discard(reader)
        if self.session and self.session.card_trouble == OTHER_CARD:
            self.session.card_trouble = NOTHING
        self.changed()

    def scanned(self, place: Place | None) -> None:
        """A code was held up: open what it names, or (None) say that it opens nothing here. Like a card, it may begin a visit."""
        if self.phase == "secured" or self.content is None or (self.session is None and self.status.rests):
            return
        if self.session is None:
            self._begin()
        assert self.session is not None
        self.idle.touch()
        if self.session.desk.busy or self.rating_open:
            # What is under way is not walked away from by something that was waved in front of the machine.
            return
        self.session.code_refused = place is None
        self.show("scan" if place is None else "")
        if place is not None:
            self.go(place)

    def cabinet(self, contact: str, opened: bool) -> None:
        """A contact of the cabinet was opened: wipe at once and say so in the journal. All closed again: wait for visitors."""
        (self._open_contacts.add if opened else self._open_contacts.discard)(contact)
        if opened:
            self.end("door")
            self._enter("secured")
        elif self.phase == "secured" and not self._open_contacts:
            self._enter("attract")
        self._diary.cabinet(contact, opened)

    def status_changed(self, status: Status) -> None:
        """Something works again, or does not any more. When the power is about to go, the visit ends while it can be kept."""
        self.status = status
        if status.power == "ending" and self.session is not None:
            self.end("power")
        else:
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
