"""What 语音键盘 tells of a screen: all of a new one, what changed on one that was told, where the keys are. See also `keys.py`."""

from collections.abc import Callable, Sequence
from typing import Protocol

from terminal.flow import telling
from terminal.flow.clock import Clock
from terminal.flow.phrase import Phrase, phrase
from terminal.flow.reading import Choice, Reading
from terminal.flow.visit import Visit

CARD_AGAIN_MS = 8_000
"""How often a card that was left behind is told of."""
ALONE_MS = 60_000
"""Where no visit can begin, keys count as somebody's for so long."""


class Ear(Protocol):
    """Where the words go."""

    @property
    def private(self) -> bool:
        """Whether only the visitor hears them: headphones are plugged in."""

    def say(self, parts: Sequence[Phrase | str]) -> None:
        """Say it now, in place of what is being said, and show on the screen what the screen does not say anyway."""

    def hush(self) -> None:
        """Be silent at once."""

    def is_speaking(self) -> bool:
        """Whether something is being said."""

    def louder(self) -> tuple[int, int] | None:
        """One step louder, after the loudest the normal volume; (step, steps), or None where it cannot be set."""


class Narration:
    """The part of `Keys` that speaks. `read` gives the screen as it is now; `look_soon` has `look` called once it has come to rest.

    `focused` is the name of what enter would choose; `marked` is called when it may have changed.
    """

    def __init__(self, visit: Visit, clock: Clock, ear: Ear, *, read: Callable[[], Reading]) -> None:
        self._visit, self._clock, self._ear, self._read = visit, clock, ear, read
        self.look_soon: Callable[[], object] = lambda: None
        self.marked: Callable[[], object] = lambda: None
        self.focused = ""
        self._told: Reading | None = None
        self._visitor = b""
        """Whose visit was told last."""
        self._lead: list[Phrase] = []
        self._writing = False
        self._aloud: object = None
        """Key of the screen whose private words were asked for aloud."""
        self._said_ms = 0
        self._alone_until_ms = 0
        """Nobody's visit, but somebody listens: without content, on battery, with the cabinet open."""

    @property
    def is_on(self) -> bool:
        """Whether what the screen shows is told."""
        return self._visit.profile == "keypad" or self._clock.monotonic_ms() < self._alone_until_ms

    def look(self) -> None:
        """The screen has come to rest after a change: tell what is new on it."""
        if self._told is not None and self._visit.phase == "secured":
            # Somebody was listening: that it ended, and why, is told as well.
            self._alone_until_ms = self._clock.monotonic_ms() + ALONE_MS
        if not self.is_on:
            if self._told is not None:
                self._told, self.focused, self._lead, self._aloud = None, "", [], None
                self._ear.hush()
                if self._visit.session is not None:
                    self._ear.say([phrase("keys.off")])
                self.marked()
            return
        self._welcome()
        reading, told = self._read(), self._told
        self._find(reading)
        if told is None or told.key != reading.key:
            self._writing, self._aloud = reading.writes, None
            self.focused = ""
            self._find(reading)
            if reading.writes:
                self._lead.append(phrase("keys.write"))
            self._tell_all(reading)
        elif told.panel != reading.panel:
            self.focused = ""
            self._find(reading)
            if reading.panel:
                self._tell_all(reading)
            else:
                # A panel has gone: what lies below was told before.
                self._told = reading
                self._tell([*self._leads(), telling.line(reading.headline, self._may_hear), *self._focus(reading)])
        else:
            self._tell_changes(told, reading)

    def _welcome(self) -> None:
        """Who has only begun to listen hears how it works, and nothing of what was told to somebody else."""
        session = self._visit.session
        if session is not None and (self._told is None or session.id != self._visitor):
            self._visitor, self._told, self._aloud = session.id, None, None
            self._lead = [phrase("keys.welcome")]

    def tick(self) -> None:
        """Once a second: who listens is there, and a card that was left behind calls after its owner."""
        visit = self._visit
        if self.is_on and visit.phase == "visiting" and self._ear.is_speaking() and not visit.warning:
            visit.idle.touch()
        left = self.is_on and visit.phase == "goodbye" and visit.card_on_reader
        if left and self._clock.monotonic_ms() - self._said_ms >= CARD_AGAIN_MS and not self._ear.is_speaking():
            self._tell_all(self._read())

    # Words

    def _may_hear(self, private: bool) -> bool:
        return not private or self._ear.private or (self._told is not None and self._aloud == self._told.key)

    def _find(self, reading: Reading) -> None:
        """Keep the focus where it is, or put it on the first thing that can be chosen."""
        names = [choice.name for choice in reading.ring]
        if self.focused not in names:
            self.focused = names[0] if names else ""

    def _at(self, reading: Reading) -> int:
        return next((at for at, choice in enumerate(reading.ring) if choice.name == self.focused), 0)

    def _focus(self, reading: Reading) -> list[Phrase | str]:
        if not reading.ring or (reading.writes and self._writing):
            return []
        return [telling.choice(reading, self._at(reading), self._may_hear)]

    def _leads(self) -> list[Phrase]:
        lead, self._lead = self._lead, []
        return lead

    def _tell_all(self, reading: Reading) -> None:
        self._told = reading
        parts: list[Phrase | str] = [*self._leads(), telling.line(reading.headline, self._may_hear)]
        parts += telling.lines(reading.lines, self._may_hear)
        if reading.panel == "warning":
            parts.append(phrase("keys.warning"))
        else:
            parts += telling.extent(reading)
            parts += self._focus(reading)
        if telling.hides(reading, self._may_hear):
            parts.append(phrase("keys.masked_how"))
        self._tell(parts)

    def _tell_where(self, reading: Reading) -> None:
        parts: list[Phrase | str] = [reading.machine, telling.line(reading.headline, self._may_hear), *telling.extent(reading)]
        self._tell([*parts, *self._focus(reading), phrase("keys.more")])

    def _tell_changes(self, told: Reading, reading: Reading) -> None:
        parts: list[Phrase | str] = [*self._leads()]
        if reading.writes and self._writing:
            if reading.written != told.written or reading.lines != told.lines:
                parts.append(phrase("keys.written", count=reading.written))
                parts += telling.lines([line for line in reading.lines if not line.private], self._may_hear)
        else:
            if (reading.page, reading.pages) != (told.page, told.pages):
                parts += telling.extent(reading)
            parts += telling.lines(telling.news(told, reading), self._may_hear)
            parts += self._news_of_focus(told, reading)
        self._told = reading
        if parts:
            self._tell(parts)
        else:
            self.marked()

    def _news_of_focus(self, told: Reading, reading: Reading) -> list[Phrase | str]:
        now: dict[str, Choice] = {choice.name: choice for choice in reading.ring}
        before = {choice.name: choice for choice in told.ring}
        focus = now.get(self.focused)
        if focus is None or telling.same(before.get(self.focused), focus):
            return []
        return self._focus(reading)

    def _tell(self, parts: Sequence[Phrase | str]) -> None:
        self._said_ms = self._clock.monotonic_ms()
        self.marked()
        self._ear.say([part for part in parts if part])
