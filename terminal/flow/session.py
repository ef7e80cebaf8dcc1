"""Everything that belongs to one visitor, in one object: dropping it is the wipe."""

from dataclasses import dataclass, field

from pack.model import Language
from terminal.flow.desk import Desk
from terminal.flow.idle import Profile
from terminal.flow.phrase import NOTHING, Phrase
from terminal.flow.places import Home, Place
from terminal.flow.ports import Matter, Subject
from terminal.flow.rating import Rating


@dataclass(frozen=True)
class Card:
    """What the session keeps of an identity card: the masked name (张*), never more."""

    masked_name: str
    expired: bool = False


@dataclass
class Session:
    """One visitor's stay. Language and profile live here too, so they fall back to the hall's when he leaves."""

    id: bytes
    began_ms: int
    desk: Desk
    language: Language = "zh"
    profile: Profile = "standard"
    place: Place = field(default_factory=Home)
    trail: list[Place] = field(default_factory=list)
    ticked: dict[str, set[int]] = field(default_factory=dict)
    card: Card | None = None
    card_trouble: Phrase = NOTHING
    code_refused: bool = False
    """The code that was held up last opens nothing here."""
    matters: list[Matter] = field(default_factory=list)
    finished: Subject | None = None
    """The matter that was finished last and not yet rated."""
    rated: set[str] = field(default_factory=set)
    """Subjects already asked about: nobody is asked twice for one matter."""
    rating: Rating | None = None

    def did(self, matter: Matter) -> None:
        """Remember the kind of what was done, once each."""
        if matter not in self.matters:
            self.matters.append(matter)

    def ticks(self, subject: Subject) -> set[int]:
        """The materials of `subject` the visitor says he has, by their index."""
        return self.ticked.setdefault(subject.key, set())
