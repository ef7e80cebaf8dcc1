"""What the flow needs of the rest of the device, as small Protocols; tests pass their own."""

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from runtime.evidence import Stands as Stands
from wire.kinds import BoxPress, Language, Profile
from wire.messages import Invitation

Via = Literal["touch", "button", "key"]
Ended = Literal["done", "skip", "timeout", "withdrawn", "recovered", "left"]


class Clock(Protocol):
    """The two times the flow needs."""

    def mono_s(self) -> float:
        """Seconds that never jump; their origin means nothing."""
        ...

    def wall_ms(self) -> int:
        """UTC milliseconds since 1970."""
        ...


class Kept(NamedTuple):
    """A press that a button box keeps until it is settled; `at_s` when it was made (monotonic), None when nobody knows.

    `settled(True)`: it is recorded, or was refused before the citizen's eyes. `settled(False)`: it could not be recorded, and the
    box shall keep it and send it again.
    """

    box: BoxPress
    at_s: float | None
    settled: Callable[[bool], object]


class Seat(NamedTuple):
    """What a clerk said at the window itself: own number (empty: nobody), and whether the window serves."""

    clerk: str
    window: Literal["serving", "paused", "closed"]


class Close(NamedTuple):
    """How a rating ended and what goes into its last entry. `stands` is the press that counts, None when nobody pressed."""

    rating: bytes
    occasion: bytes | None
    how: Ended
    stands: Stands | None
    tag_set: str
    reasons: tuple[str, ...]
    language: Language
    profile: Profile
    duration_ms: int


class Book(Protocol):
    """Where ratings are recorded. Calls return at once; entries are committed in the order of the calls.

    `done` is called later, on the flow's own thread, with the outcome: after the commit, or with the reason (a message id)
    why nothing was recorded.
    """

    def invited(self, invitation: Invitation, done: Callable[[str | None], object]) -> None:
        """Record that the screen asks for a rating; `done(None)` after the commit, else `done(reason)`."""
        ...

    def pressed(
        self,
        rating: bytes,
        occasion: bytes | None,
        level: int,
        via: Via,
        *,
        amends: bool,
        box: BoxPress | None = None,
        done: Callable[[Stands | str], object],
    ) -> None:
        """Record a press, or the press that corrects it; `done` gets where it stands, or the reason why it does not."""
        ...

    def closed(self, close: Close, done: Callable[[str | None], object]) -> None:
        """Record the end of a rating."""
        ...

    def cabinet(self, contact: str, opened: bool) -> None:
        """Record that a contact of the cabinet, a door or one against tampering, was opened or closed; nobody waits for it."""
        ...


class Signals(Protocol):
    """Lamps and tone. There is no argument for a level: they are the same whatever was pressed."""

    def inviting(self) -> None:
        """A rating is asked for: all lamps on, one tone."""
        ...

    def noted(self) -> None:
        """A press was recorded: one tone."""
        ...

    def quiet(self) -> None:
        """Nothing is asked: all lamps off."""
        ...
