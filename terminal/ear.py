"""语音键盘's words on their way out: phrases become one text for the voice, and a line on the screen for a helper beside."""

from collections.abc import Callable, Sequence
from typing import Protocol

from hal.api import HeadphonesChanged, KeyPressed, Speaker
from terminal.flow.clock import Clock
from terminal.flow.keys import Keys
from terminal.flow.phrase import Phrase, spoken
from terminal.flow.reading import Reading
from terminal.flow.visit import Visit
from ui.language import words

MOST_SHOWN = 88
"""Characters that the line on the screen holds, twice as many Latin ones."""
STOPS = "。！？!?."


class Speaks(Protocol):
    """What is needed of a voice (ui.speech.Voice)."""

    def read(self, text: str) -> None:
        """Say a text, in place of what is being said."""

    def hush(self) -> None:
        """Be silent at once."""

    def is_speaking(self) -> bool:
        """Whether something is being said."""


def sentences(texts: Sequence[str], language: str) -> str:
    """Texts one after the other, each with a stop at its end, so that the voice pauses between them."""
    stop, gap = ("。", "") if language == "zh" else (".", " ")
    return gap.join(text if text[-1] in STOPS else text + stop for text in texts if text)


def shown(texts: Sequence[str], language: str) -> str:
    """What of the keys' own words the line on the screen has room for: the last of them, which are the newest."""
    room = MOST_SHOWN if language != "en" else 2 * MOST_SHOWN
    kept: list[str] = []
    for text in reversed(texts):
        if kept and sum(map(len, kept)) + len(text) > room:
            break
        kept.insert(0, text)
    whole = sentences(kept, language)
    return whole if len(whole) <= room else whole[: room - 1] + "…"


class Ear:
    """`terminal.flow.keys.Ear` on hal's voice and loudspeakers. `show` puts a line on the screen."""

    def __init__(self, voice: Speaks, speakers: Sequence[Speaker], *, show: Callable[[str], object]) -> None:
        self._voice, self._speakers, self._show = voice, speakers, show
        self._step = 0

    @property
    def private(self) -> bool:
        """See `terminal.flow.keys.Ear.private`. A board that cannot tell counts as a loudspeaker."""
        return any(speaker.headphones() for speaker in self._speakers)

    def say(self, parts: Sequence[Phrase | str]) -> None:
        """See `terminal.flow.keys.Ear.say`."""
        self._voice.read(sentences([spoken(part, words.t) for part in parts], words.code))
        self._show(shown([spoken(part, words.t) for part in parts if isinstance(part, Phrase)], words.code))

    def hush(self) -> None:
        """See `terminal.flow.keys.Ear.hush`."""
        self._voice.hush()

    def is_speaking(self) -> bool:
        """See `terminal.flow.keys.Ear.is_speaking`."""
        return self._voice.is_speaking()

    def louder(self) -> tuple[int, int] | None:
        """See `terminal.flow.keys.Ear.louder`."""
        steps = max((speaker.steps for speaker in self._speakers), default=0)
        if not steps:
            return None
        self._step = (self._step + 1) % (steps + 1)
        for speaker in self._speakers:
            speaker.volume(min(self._step, speaker.steps))
        return self._step, steps

    def next_visitor(self) -> None:
        """The volume is the normal one again."""
        self._step = 0


Post = Callable[[Callable[[], object]], object]
"""Runs a callable on the visit's thread, soon (ui.bridge)."""


class Pad:
    """Twelve keys and headphones, from hal's threads to the visit's. Without keys (`fitted`) headphones begin nothing."""

    def __init__(
        self,
        visit: Visit,
        clock: Clock,
        ear: Ear,
        *,
        read: Callable[[], Reading],
        post: Post,
        fitted: bool,
    ) -> None:
        self.keys = Keys(visit, clock, ear, read=read)
        self.fitted = fitted
        self._ear, self._post = ear, post

    def take(self, event: KeyPressed | HeadphonesChanged) -> None:
        """An event, on a thread of hal."""
        if not self.fitted:
            return
        if isinstance(event, KeyPressed):
            # At once: the visit's thread may be busy drawing what the key before asked for.
            self._ear.hush()
            self._post(lambda: self.keys.key(event.key, round(event.at_s * 1000)))
        else:
            self._post(lambda: self.keys.headphones(event.plugged))
