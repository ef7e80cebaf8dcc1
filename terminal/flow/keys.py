"""语音键盘 as a state machine: twelve keys move, choose and ask; every state of every screen is told. No Kivy, no sound.

The scheme, as docs/terminal.md has it: 2 and 8 move, 4 and 6 turn pages, enter chooses, clear goes back, 0 tells all again, 5
tells where one is, 1 explains and then calls for help, 3 is the language, 7 home and end, 9 louder. Where letters are asked
(search), the digits are those of a telephone's keys.
"""

from collections.abc import Callable

from hal.api import Key
from pack.model import LANGUAGES
from terminal.flow import telling
from terminal.flow.clock import Clock
from terminal.flow.narration import ALONE_MS, Ear, Narration
from terminal.flow.phrase import phrase
from terminal.flow.places import Home, Parting, Rate, Reasons
from terminal.flow.reading import Reading
from terminal.flow.visit import Visit

DOUBLE_MS = 500
"""The same key again this soon is a trembling hand (EN 301 549 5.8)."""
REPEAT_MS = 150
"""… and this soon after an event of it the repetition of a key that is held down, however long it lasts."""
AGAIN_MS = 20_000
"""So long a second press of the same key answers "once more to …"."""


class Keys(Narration):
    """The keys of one terminal; see `Narration` for what it needs. Call everything on the visit's thread."""

    def __init__(self, visit: Visit, clock: Clock, ear: Ear, *, read: Callable[[], Reading]) -> None:
        super().__init__(visit, clock, ear, read=read)
        self._once_more: Key | None = None
        """The key that was asked for once more."""
        self._event_ms: dict[Key, int] = {}
        self._taken_ms: dict[Key, int] = {}

    # What comes in

    def key(self, key: Key, at_ms: int) -> None:
        """A key went down at `at_ms` (the clock's milliseconds)."""
        if self._bounces(key, at_ms):
            return
        again = self._once_more == key and at_ms - self._taken_ms[key] < AGAIN_MS
        self._once_more, self._taken_ms[key] = None, at_ms
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
        if self._alone_until_ms and self._visit.session is not None:
            # A call for help has begun a visit.
            self._begin()

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
        if visit.session is None and not was_on and self._told is not None:
            # The goodbye was cut short by the key, and nobody may begin so soon after it.
            self._tell_all(self._read())
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
            self._once_more = "7"
            self._tell([phrase("keys.end_sure")])

    def _help(self, reading: Reading, again: bool) -> None:
        if again:
            self._visit.call_help()
            return
        self._once_more = "1"
        self._tell([phrase("keys.write" if reading.writes and self._writing else "keys.help"), phrase("keys.help_again")])

    def _repeat(self, reading: Reading, again: bool) -> None:
        if telling.hides(reading, self._may_hear):
            if again:
                self._aloud = reading.key
            self._once_more = "0"
        self._tell_all(reading)
