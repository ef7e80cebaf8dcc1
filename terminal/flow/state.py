"""What a visit holds and what screens read of it. The modules above it add events: rating, paper, moving about, the visit."""

from collections.abc import Callable, Mapping
from typing import Literal

from pack.model import Language
from terminal.flow.clock import Clock
from terminal.flow.helpcall import HelpCall
from terminal.flow.idle import PATIENCE, IdleTimer, Patience, Profile
from terminal.flow.places import Home, Place
from terminal.flow.ports import Content, Diary, EndedBy, HelpPort, PaperPort
from terminal.flow.session import Session
from terminal.flow.status import Status, prints

Phase = Literal["attract", "visiting", "goodbye", "secured"]
Overlay = Literal["", "help", "language", "scan"]


class VisitState:
    """The state of one terminal. `changed` is called after each event that changed something."""

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
        self._cards: set[str] = set()
        self._open_contacts: set[str] = set()
        self.ended_by: EndedBy | None = None
        self.changed: Callable[[], None] = lambda: None
        self._phase_ms = clock.monotonic_ms()
        self._printed_ms = 0
        self._ended_language: Language = language
        self._ended_profile: Profile = "standard"

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
    def card_on_reader(self) -> bool:
        """Whether a card lies on any reader."""
        return bool(self._cards)

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

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self.overlay = ""
        self._phase_ms = self._clock.monotonic_ms()
        self.changed()
