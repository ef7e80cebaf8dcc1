"""A terminal's visit without a screen, for tests: a clock moved by hand, and one recorder for diary, printer and help line."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pack.model import Language
from terminal.content import PackContent
from terminal.flow import places
from terminal.flow.idle import Profile
from terminal.flow.phrase import Phrase, phrase
from terminal.flow.ports import Done, EndedBy, Matter, Outcome, RatingEnd, Sheet, Stands, Subject
from terminal.flow.status import Part
from terminal.flow.visit import Visit

PASSPORT = "11999999MB0000027M4000102002000"
SUBJECT = Subject(code=PASSPORT)
OUT = Part(works=False, reason=phrase("printer.paper_out"))


class HandClock:
    """Stands still until `pass_ms`."""

    def __init__(self) -> None:
        self.ms = 5_000

    def monotonic_ms(self) -> int:
        return self.ms

    def now(self) -> datetime:
        return datetime(2026, 11, 22, 14, 26, tzinfo=UTC)


class Recorder:
    """Diary, printer and help line in one: keeps everything it is told, answers when the test says so."""

    def __init__(self) -> None:
        self.entries: list[tuple[Any, ...]] = []
        self.full: set[str] = set()
        self.slow = False
        """Whether commits are told of only when a test says `disk_answers`."""
        self.untold: list[Any] = []
        self.can_rate = True
        self.sheets: list[Sheet] = []
        self.dones: list[Done] = []
        self.calls: list[str] = []
        self.cancelled: list[str] = []
        self.answer_help: Any = None

    def _write(self, *entry: Any) -> bool:
        if entry[0] in self.full:
            return False
        self.entries.append(entry)
        return True

    def _tell(self, done: Any, answer: Any) -> None:
        if self.slow:
            self.untold.append(lambda: done(answer))
        else:
            done(answer)

    def disk_answers(self) -> None:
        """The disk is through with everything it was given."""
        untold, self.untold = self.untold, []
        for tell in untold:
            tell()

    def kinds(self) -> list[str]:
        return [entry[0] for entry in self.entries]

    def session_opened(self, session: bytes) -> None:
        self._write("opened", session)

    def session_closed(self, session: bytes, *, how: EndedBy, matters: Sequence[Matter], duration_ms: int) -> None:
        self._write("closed", session, how, tuple(matters), duration_ms)

    def print_asked(self, sheet: Sheet, *, session: bytes, done: Any) -> None:
        self._tell(done, self._write("print_asked", sheet.job_id))

    def print_finished(self, sheet: Sheet, *, session: bytes, outcome: Outcome, reason: Phrase, evidence: str) -> None:
        self._write("print_finished", sheet.job_id, outcome, reason.id)

    def cabinet(self, contact: str, opened: bool) -> None:
        self._write("cabinet", contact, opened)

    def rating_invited(self, rating: bytes, *, subject: Subject, done: Any) -> None:
        self._tell(done, self._write("invited", rating, subject))

    def rating_pressed(self, rating: bytes, level: int, *, amends: bool, done: Any) -> None:
        kept = self._write("amended" if amends else "pressed", rating, level)
        self._tell(done, Stands(len(self.entries), bytes([level]) * 32) if kept else None)

    def rating_closed(
        self, rating: bytes, *, how: RatingEnd, tags: Sequence[str], language: Language, profile: Profile, duration_ms: int
    ) -> None:
        self._write("rating_closed", rating, how, tuple(tags))

    def send(self, sheet: Sheet, done: Done) -> None:
        self.sheets.append(sheet)
        self.dones.append(done)

    def call(self, call_id: str, *, where: str, answer: Any) -> None:
        self.calls.append(where)
        self.answer_help = lambda state, call=call_id: answer(call, state)

    def cancel(self, call_id: str) -> None:
        self.cancelled.append(call_id)


class Booth:
    """A terminal without a screen."""

    def __init__(self, content: PackContent | None) -> None:
        self.clock, self.log = HandClock(), Recorder()
        self._number = 0
        self.visit = Visit(clock=self.clock, diary=self.log, paper=self.log, help_port=self.log, new_id=self._id, content=content)

    def _id(self) -> bytes:
        self._number += 1
        return self._number.to_bytes(16, "big")

    def pass_ms(self, milliseconds: int) -> None:
        """Let time pass as the face does: tick whenever the visit asked for it."""
        end = self.clock.ms + milliseconds
        while (wait := self.visit.next_tick_ms()) is not None and self.clock.ms + max(1, wait) <= end:
            self.clock.ms += max(1, wait)
            self.visit.tick()
        self.clock.ms = end
        self.visit.tick()

    def printed(self, outcome: Outcome = "printed", reason: str = "") -> None:
        self.log.dones[-1](self.log.sheets[-1].job_id, outcome, phrase(reason), "")

    def print(self, outcome: Outcome = "printed") -> None:
        """A visitor who has just had a notice printed."""
        self.visit.touch()
        self.visit.go(places.Guide(PASSPORT))
        self.visit.print_notice(SUBJECT)
        self.printed(outcome)

    def rate(self, level: int) -> None:
        """A visitor who has just rated."""
        self.print()
        self.visit.done()
        self.visit.press(level)
