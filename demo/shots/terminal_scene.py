"""A visit for pictures: ports that answer when they are told to, a clock that stands still. The states are in `terminal.py`."""

from collections.abc import Callable, Sequence
from datetime import datetime

from demo.shots.content import NOW
from pack.model import Language
from terminal.content import PackContent
from terminal.flow.idle import Profile
from terminal.flow.phrase import Phrase, phrase
from terminal.flow.ports import Done, EndedBy, HelpState, Matter, Outcome, RatingEnd, Sheet, Stands, Subject
from terminal.flow.status import Status
from terminal.flow.visit import Visit


class StillClock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.ms = 1_000_000
        self.is_set = True

    def monotonic_ms(self) -> int:
        return self.ms

    def now(self) -> datetime:
        return NOW

    def known(self) -> datetime | None:
        return NOW if self.is_set else None


class Quiet:
    """Printer, help and diary that take everything; only the diary answers, at once."""

    can_rate = True

    def __init__(self) -> None:
        self.done: Done = lambda *_: None
        self.answer: Callable[[str, HelpState], None] = lambda *_: None
        self.sheet: Sheet | None = None
        self.call_id = ""
        self.leaf = bytes(range(32))
        """Of the press that stands; the receipt code follows from it."""

    def send(self, sheet: Sheet, done: Done) -> None:
        self.sheet, self.done = sheet, done

    def call(self, call_id: str, *, where: str, answer: Callable[[str, HelpState], None]) -> None:
        self.call_id, self.answer = call_id, answer

    def cancel(self, call_id: str) -> None: ...

    def session_opened(self, session: bytes) -> None: ...

    def session_closed(self, session: bytes, *, how: EndedBy, matters: Sequence[Matter], duration_ms: int) -> None: ...

    def print_asked(self, sheet: Sheet, *, session: bytes, done: Callable[[bool], object]) -> None:
        done(True)

    def print_finished(self, sheet: Sheet, *, session: bytes, outcome: Outcome, reason: Phrase, evidence: str) -> None: ...

    def cabinet(self, contact: str, opened: bool) -> None: ...

    def rating_invited(self, rating: bytes, *, subject: Subject, done: Callable[[bool], object]) -> None:
        done(True)

    def rating_pressed(self, rating: bytes, level: int, *, amends: bool, done: Callable[[Stands | None], object]) -> None:
        done(Stands(4, self.leaf))

    def rating_closed(
        self, rating: bytes, *, how: RatingEnd, tags: Sequence[str], language: Language, profile: Profile, duration_ms: int
    ) -> None: ...


class Scene:
    """A visit with everything around it, to be led into a state."""

    def __init__(self, *, content: PackContent | None, status: Status) -> None:
        self.clock, self.quiet = StillClock(), Quiet()
        self.visit = Visit(
            clock=self.clock, diary=self.quiet, paper=self.quiet, help_port=self.quiet, new_id=lambda: b"\x07" * 16,
            content=content, status=status,
        )  # fmt: skip

    def printed(self, outcome: Outcome, reason: Phrase | None = None) -> None:
        """The printer answers."""
        assert self.quiet.sheet is not None
        self.quiet.done(self.quiet.sheet.job_id, outcome, reason or phrase(""), "")
