"""The part of a visit that moves about: places and the way back, what is typed and ticked, profile and panels."""

from terminal.flow import places
from terminal.flow.idle import PROFILES, Profile
from terminal.flow.places import Home, Place, Search, TakeAway
from terminal.flow.ports import Subject
from terminal.flow.printed import PrintingVisit
from terminal.flow.state import Overlay

MOST_TYPED = 24


class MovingVisit(PrintingVisit):
    """A visit that goes from place to place; taking a guide along is a matter to rate."""

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
            before = "" if self.place.by_keys else self.place.query
            self._query((before + text)[:MOST_TYPED])

    def type_key(self, digit: str) -> None:
        """Append a digit of the telephone's keys, 2 to 9, to the query of the search place."""
        if self.session and isinstance(self.place, Search):
            before = self.place.query if self.place.by_keys else ""
            self._query((before + digit)[:MOST_TYPED], by_keys=True)

    def erase(self, *, everything: bool = False) -> None:
        """Take back the last character, or all of them."""
        if self.session and isinstance(self.place, Search):
            self._query("" if everything else self.place.query[:-1], by_keys=self.place.by_keys)

    def _query(self, query: str, *, by_keys: bool = False) -> None:
        assert self.session is not None
        self.session.place = Search(query, by_keys and bool(query))
        self.session.did("search")
        self.changed()

    def tick_material(self, subject: Subject, index: int) -> None:
        """The visitor has this material, or has it not after all."""
        if self.session is None:
            return
        self.session.ticks(subject).symmetric_difference_update({index})
        self.changed()

    def next_profile(self) -> None:
        """标准 → 长辈版 → 高对比 → 语音键盘, where there are keys → 标准."""
        self.use_profile(self.following_profile)

    @property
    def following_profile(self) -> Profile:
        """What the profile button changes to."""
        offered: tuple[Profile, ...] = (*PROFILES, "keypad") if self.status.keypad else PROFILES
        at = offered.index(self.profile) if self.profile in offered else -1
        return offered[(at + 1) % len(offered)]

    def use_profile(self, profile: Profile) -> None:
        """Another profile, until the visitor leaves."""
        if self.session is None:
            return
        self.session.profile = profile
        self.idle.patience = self.patience[profile]
        self.changed()

    def ask_code(self) -> None:
        """Have the visitor hold up a code; what reads it is switched on for as long as this is on the screen."""
        if self.session is None or not self.status.codes:
            return
        self.session.code_refused = False
        self.show("scan")

    def show(self, overlay: Overlay) -> None:
        """Open or close (`''`) a panel above the place."""
        self.overlay = overlay if self.session else ""
        self.changed()
