"""语音键盘 as a state machine: twelve keys move, choose and ask; every state of every screen is told. No Kivy, no sound.

The scheme, as docs/terminal.md has it: 2 and 8 move, 4 and 6 turn pages, enter chooses, clear goes back, 0 tells all again, 5
tells where one is, 1 explains and then calls for help, 3 is the language, 7 home and end, 9 louder. Where letters are asked
(search), the digits are those of a telephone's keys.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from hal.api import Key
from pack.model import LANGUAGES
from terminal.flow import telling
from terminal.flow.clock import Clock
from terminal.flow.phrase import Phrase, phrase
from terminal.flow.places import Home, Parting, Rate, Reasons
from terminal.flow.reading import Choice, Reading
from terminal.flow.visit import Visit

DOUBLE_MS = 500
"""The same key again this soon is a trembling hand (EN 301 549 5.8)."""
REPEAT_MS = 150
"""… and this soon after an event of it the repetition of a key that is held down, however long it lasts."""
AGAIN_MS = 20_000
"""So long a second press of the same key answers "once more to …"."""
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


class Keys:
    """The keys of one terminal. `read` gives the screen as it is now; `look_soon` has `look` called once it has come to rest.

    `focused` is the name of what enter would choose; `marked` is called when it may have changed.
    """

    def __init__(self, visit: Visit, clock: Clock, ear: Ear, *, read: Callable[[], Reading]) -> None:
        self._visit, self._clock, self._ear, self._read = visit, clock, ear, read
        self.look_soon: Callable[[], object] = lambda: None
        self.marked: Callable[[], object] = lambda: None
        self.focused = ""
        self._told: Reading | None = None
        self._lead: list[Phrase] = []
        self._writing = False
        self._aloud: object = None
        """Key of the screen whose private words were asked for aloud."""
        self._last: Key | None = None
        self._event_ms: dict[Key, int] = {}
        self._taken_ms: dict[Key, int] = {}
        self._said_ms = 0
        self._alone_until_ms = 0
        """Nobody's visit, but somebody listens: without content, on battery, with the cabinet open."""

    @property
    def is_on(self) -> bool:
        """Whether what the screen shows is told."""
        return self._visit.profile == "keypad" or self._clock.monotonic_ms() < self._alone_until_ms

    # What comes in

    def key(self, key: Key, at_ms: int) -> None:
        """A key went down at `at_ms` (the clock's milliseconds)."""
        if self._bounces(key, at_ms):
            return
        again = self._last == key and at_ms - self._taken_ms.get(key, at_ms - AGAIN_MS) < AGAIN_MS
        self._last, self._taken_ms[key] = key, at_ms
        self._ear.hush()
        if not self._has_begun():
            return
        was_warning = self._visit.warning
        self._visit.touch()
        if was_warning:
            if key == "7":
                self._visit.end()
            return
        reading = self._read()
        self._find(reading)
        if not (reading.writes and self._writing and self._write(key, reading)):
            self._command(key, reading, again)

    def headphones(self, plugged: bool) -> None:
        """Headphones were plugged in, which begins a visit by voice, or pulled out."""
        if not plugged:
            self._aloud = None
            if self.is_on:
                self._ear.say([phrase("keys.unplugged")])
        elif not self.is_on:
            self._begin()
        else:
            self._ear.say([phrase("keys.plugged")])

    def tick(self) -> None:
        """Once a second: who listens is there, and a card that was left behind calls after its owner."""
        visit = self._visit
        if self.is_on and visit.phase == "visiting" and self._ear.is_speaking() and not visit.warning:
            visit.idle.touch()
        left = self.is_on and visit.phase == "goodbye" and visit.card_on_reader
        if left and self._clock.monotonic_ms() - self._said_ms >= CARD_AGAIN_MS and not self._ear.is_speaking():
            self._tell_all(self._read())

    def look(self) -> None:
        """The screen has come to rest after a change: tell what is new on it."""
        if self._told is not None and self._visit.phase == "secured":
            # Somebody was listening: that it ended, and why, is told as well.
            self._alone_until_ms = self._clock.monotonic_ms() + ALONE_MS
        if not self.is_on:
            if self._told is not None:
                self._told, self.focused, self._lead, self._aloud = None, "", [], None
                self._ear.hush()
                self.marked()
            return
        reading, told = self._read(), self._told
        if told is None and self._visit.session is not None:
            self._lead.insert(0, phrase("keys.welcome"))
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

    # Whether, and how it begins

    def _bounces(self, key: Key, at_ms: int) -> bool:
        before, self._event_ms[key] = self._event_ms.get(key), at_ms
        taken = self._taken_ms.get(key)
        if before is None or taken is None:
            return False
        return at_ms - taken < DOUBLE_MS or at_ms - before < REPEAT_MS

    def _has_begun(self) -> bool:
        """Whether a key may act: the first one only begins, as the first touch only wakes."""
        visit, was_on = self._visit, self.is_on and self._visit.phase != "goodbye"
        if visit.session is not None and was_on:
            return True
        self._begin()
        return visit.session is None and was_on

    def _begin(self) -> None:
        self._visit.touch()
        if self._visit.session is not None:
            self._alone_until_ms = 0
            self._visit.use_profile("keypad")
        else:
            # The screen is told all the same.
            self._alone_until_ms = self._clock.monotonic_ms() + ALONE_MS
        self.look_soon()

    # Keys where letters are asked

    def _write(self, key: Key, reading: Reading) -> bool:
        """Digits are letters here, enter goes to what was found, clear takes back. False for keys that mean what they always do."""
        if key in "23456789":
            self._visit.type_key(key)
        elif key == "clear" and reading.written:
            self._visit.erase()
        elif key == "enter":
            self._writing = False
            self.focused = ""
            self._find(reading)
            self._tell(self._focus(reading))
        else:
            return False
        return True

    # Keys everywhere else

    def _command(self, key: Key, reading: Reading, again: bool) -> None:
        match key:
            case "2" | "8":
                self._move(reading, 1 if key == "8" else -1)
            case "4" | "6":
                self._turn(reading, 1 if key == "6" else -1)
            case "enter":
                self._choose(reading)
            case "clear":
                self._back(reading)
            case "0":
                self._repeat(reading, again)
            case "5":
                self._tell_where(reading)
            case "1":
                self._help(reading, again)
            case "3":
                self._lead.append(phrase("keys.language"))
                at = LANGUAGES.index(self._visit.language)
                self._visit.set_language(LANGUAGES[(at + 1) % len(LANGUAGES)])
            case "7":
                self._home(reading, again)
            case "9":
                step = self._ear.louder()
                said = phrase("keys.volume", step=step[0] + 1, steps=step[1] + 1) if step else phrase("keys.no_volume")
                self._tell([said])

    def _move(self, reading: Reading, step: int) -> None:
        ring = reading.ring
        if ring:
            self.focused = ring[(self._at(reading) + step) % len(ring)].name
        self._tell(self._focus(reading) or [phrase("keys.nothing")])

    def _turn(self, reading: Reading, step: int) -> None:
        if reading.turn is None or reading.pages < 2:
            self._move(reading, step)
        elif not 0 <= reading.page + step < reading.pages:
            self._tell([phrase("keys.page_end", page=reading.page + 1, pages=reading.pages)])
        else:
            reading.turn(step)
            self.look_soon()

    def _choose(self, reading: Reading) -> None:
        ring = reading.ring
        if not ring:
            self._tell([phrase("keys.nothing")])
            return
        ring[self._at(reading)].act()
        self.look_soon()

    def _back(self, reading: Reading) -> None:
        visit, place = self._visit, self._visit.place
        if reading.panel:
            visit.show("")
        elif reading.writes and not self._writing and reading.written:
            self._writing = True
            self._tell([phrase("keys.write_on")])
        elif visit.session is not None and visit.session.desk.busy:
            self._tell([phrase("keys.busy")])
        elif isinstance(place, Rate):
            visit.rating_done("skip")
        elif isinstance(place, Reasons):
            visit.rating_done()
        elif isinstance(place, Home) or visit.session is None:
            self._tell([phrase("keys.at_home")])
        elif isinstance(place, Parting):
            visit.home()
        else:
            visit.back()

    def _home(self, reading: Reading, again: bool) -> None:
        visit = self._visit
        if visit.session is None:
            self._tell([phrase("keys.nothing")])
        elif visit.session.desk.busy:
            self._tell([phrase("keys.busy")])
        elif reading.panel or not isinstance(visit.place, Home):
            visit.home()
        elif again:
            visit.end()
        else:
            self._tell([phrase("keys.end_sure")])

    def _help(self, reading: Reading, again: bool) -> None:
        if again:
            self._visit.call_help()
            return
        self._tell([phrase("keys.write" if reading.writes and self._writing else "keys.help"), phrase("keys.help_again")])

    def _repeat(self, reading: Reading, again: bool) -> None:
        if again and telling.hides(reading, self._may_hear):
            self._aloud = reading.key
        self._tell_all(reading)

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
