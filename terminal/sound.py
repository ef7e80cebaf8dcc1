"""Voice and volume of a visit: the screen's headline is read out in the elder profile, and nothing of it outlasts the visitor."""

from collections.abc import Callable, Sequence
from typing import Protocol

from hal.api import Speaker
from terminal.flow.visit import Visit


class Reads(Protocol):
    """What is needed of a voice (ui.speech.Voice)."""

    def read(self, text: str) -> None:
        """Say a text of the screen, in place of what is being said."""

    def hush(self) -> None:
        """Be silent at once."""


class Sound:
    """Follows the visit. Call `follow` after every change, `headline` when another screen is shown."""

    def __init__(self, visit: Visit, *, voice: Reads, speakers: Sequence[Speaker]) -> None:
        self._visit, self._voice, self._speakers = visit, voice, speakers
        self._visitor: bytes | None = None
        self.left: Callable[[], object] = lambda: None
        """Called when another visitor, or none, is there."""

    def follow(self) -> None:
        """Another visitor, or none: silent at once, and the volume is the normal one again."""
        session = self._visit.session
        visitor = session.id if session is not None else None
        if visitor != self._visitor:
            self._visitor = visitor
            self._voice.hush()
            for speaker in self._speakers:
                speaker.reset()
            self.left()

    def headline(self, text: str) -> None:
        """Read out what the new screen is about, or be silent where it is about nothing that may be heard by all."""
        if self._visit.session is None or self._visit.profile != "elder":
            return
        if text:
            self._voice.read(text)
        else:
            self._voice.hush()
