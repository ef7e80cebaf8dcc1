"""Presses that answer no question: kept as such in the journal, never counted in rates, politely answered on the screen."""

import math
import secrets
from collections.abc import Callable

from evaluator.flow.occasion import settle
from evaluator.flow.ports import Book, Clock, Close, Kept, Stands, Via
from wire.kinds import BoxPress, Language, Profile

UNINVITED_S = 5.0
"""How long the polite answer to an uninvited press stays; presses meanwhile are the same attempt and are not kept again."""


class Uninvited:
    """`like` gives the language and profile of the screen."""

    def __init__(self, *, book: Book, clock: Clock, like: Callable[[], tuple[Language, Profile]]) -> None:
        self._book, self._clock, self._like = book, clock, like
        self._until = -math.inf

    @property
    def is_told(self) -> bool:
        """Whether the screen should say that nothing is asked now."""
        return self._clock.mono_s() < self._until

    def forget(self) -> None:
        """A question comes up: say it no longer."""
        self._until = -math.inf

    def press(self, level: int, via: Via, kept: Kept | None, *, record: bool) -> None:
        """Somebody pressed just now, though nothing is asked. `record`: whether it can be recorded."""
        repeated = self.is_told
        self._until = self._clock.mono_s() + UNINVITED_S
        if record and not repeated:
            self._record(level, via, kept.box if kept else None, lambda _recorded: settle(kept))
        else:
            settle(kept)

    def late(self, level: int, via: Via, kept: Kept, *, record: bool) -> None:
        """A button box tells of a press that was made earlier; nobody waits before the screen for an answer to it."""
        if record:
            self._record(level, via, kept.box, kept.settled)
        else:
            kept.settled(False)

    def _record(self, level: int, via: Via, box: BoxPress | None, done: Callable[[bool], object]) -> None:
        rating = secrets.token_bytes(16)

        def committed(outcome: Stands | str) -> None:
            if isinstance(outcome, Stands):
                language, profile = self._like()
                close = Close(rating, None, "done", outcome, "", (), language, profile, 0)
                self._book.closed(close, lambda _reason: None)
            done(isinstance(outcome, Stands))

        self._book.pressed(rating, None, level, via, amends=False, box=box, done=committed)
