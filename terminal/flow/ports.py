"""What a session needs from the rest of the machine, as Protocols: tests pass recorders, `terminal/compose.py` the real parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pack.model import Department, Hall, Item, Language, Scenario
from pack.search import Hit
from runtime.evidence import Stands as Stands
from terminal.flow.idle import Profile
from terminal.flow.phrase import Phrase
from terminal.flow.places import Shelf

EndedBy = Literal["done", "timeout", "door", "power", "restart", "face_lost"]
Matter = Literal["guide", "notice", "scenario", "search", "help", "take_away"]
"""What a visitor did, by kind; all that the journal keeps of a visit."""
Outcome = Literal["printed", "not_printed", "unknown"]
RatingEnd = Literal["done", "skip", "timeout", "left"]
"""How an occasion ended; `left` is a card taken away, a door opened, a session ended."""
HelpState = Literal["asking", "waiting", "seen", "nobody", "unreachable"]


class Content(Protocol):
    """The hall's content, read only."""

    @property
    def hall(self) -> Hall: ...

    def item(self, code: str) -> Item | None: ...

    def departments(self) -> Sequence[Department]: ...

    def items_of(self, department: str) -> Sequence[Item]: ...

    def scenarios(self) -> Sequence[Scenario]: ...

    def scenario(self, code: str) -> Scenario | None: ...

    def shelf(self, name: Shelf) -> Sequence[Item]: ...

    def search(self, query: str, *, limit: int, language: Language) -> Sequence[Hit]: ...

    def search_keys(self, digits: str, *, limit: int, language: Language) -> Sequence[Hit]: ...


@dataclass(frozen=True)
class Subject:
    """What is printed or taken away: one item, or one situation of a life event."""

    code: str = ""
    scenario: str = ""
    situation: str = ""

    @property
    def key(self) -> str:
        """One word for the journal: the item's code, or scenario and situation."""
        return self.code or f"{self.scenario}:{self.situation}"


@dataclass(frozen=True)
class Sheet:
    """A print order. Holds the visitor's masked name at most; it lives as long as the job."""

    job_id: str
    subject: Subject
    language: Language
    ticked: frozenset[int]
    masked_name: str = ""


Done = Callable[[str, Outcome, Phrase, str], None]
"""Called with the job's id, its outcome, the reason in words for the visitor, and the evidence for the journal."""


class PaperPort(Protocol):
    """The receipt printer, as the session sees it."""

    def send(self, sheet: Sheet, done: Done) -> None:
        """Lay out and print. `done(job_id, outcome, reason, evidence)` is called later, on the session's thread, exactly once."""


class HelpPort(Protocol):
    """The way to the staff, through the agent."""

    def call(self, call_id: str, *, where: str, answer: Callable[[str, HelpState], None]) -> None:
        """Tell the staff. `answer(call_id, state)` may come several times, later, on the session's thread."""

    def cancel(self, call_id: str) -> None:
        """The visitor needs nobody any more."""


class Diary(Protocol):
    """Journal entries a session leaves. Nothing in them is a name, a number of a card, or a level in clear.

    Every call returns at once; entries are committed in the order of the calls. `done` is called later, on the session's
    thread, exactly once: after the commit, or when the journal refused. What is not kept must not be shown as done.
    """

    @property
    def can_rate(self) -> bool:
        """False when the journal has no room left for a rating; then nobody is asked for one."""

    def session_opened(self, session: bytes) -> None: ...

    def session_closed(self, session: bytes, *, how: EndedBy, matters: Sequence[Matter], duration_ms: int) -> None: ...

    def print_asked(self, sheet: Sheet, *, session: bytes, done: Callable[[bool], object]) -> None:
        """To be committed before the printer gets a byte; `done` tells whether it was."""

    def print_finished(self, sheet: Sheet, *, session: bytes, outcome: Outcome, reason: Phrase, evidence: str) -> None: ...

    def cabinet(self, contact: str, opened: bool) -> None:
        """A contact of the cabinet, a door or one against tampering, was opened or closed."""

    def rating_invited(self, rating: bytes, *, subject: Subject, done: Callable[[bool], object]) -> None:
        """To be committed before the screen asks; `done` tells whether it was."""

    def rating_pressed(self, rating: bytes, level: int, *, amends: bool, done: Callable[[Stands | None], object]) -> None:
        """Record a press, or the press that corrects it. Thanks may be drawn once `done` got where it stands; None: it does not."""

    def rating_closed(
        self, rating: bytes, *, how: RatingEnd, tags: Sequence[str], language: Language, profile: Profile, duration_ms: int
    ) -> None:
        """Close for good; the last press that was committed stands."""
