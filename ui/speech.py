"""Says what the screen shows, in its language, to people who cannot read it; silent where the device has no voice."""

from typing import Literal, Protocol

from ui.language import words
from ui.theme import theme


class SpeechPort(Protocol):
    """What is needed of a voice (hal.api.Speech)."""

    def say(self, text: str, language: Literal["zh", "ko", "en"], *, slowly: bool = False) -> None:
        """Say it now, in place of what is being said."""

    def hush(self) -> None:
        """Be silent at once."""

    def is_speaking(self) -> bool:
        """Whether something is being said."""


class Voice:
    """Speaks the language of the screen, slowly in the elder profile. `port` is None on a device without a voice."""

    def __init__(self, port: SpeechPort | None) -> None:
        self._port = port

    @property
    def is_there(self) -> bool:
        """Whether anything can be said at all."""
        return self._port is not None

    def say(self, message_id: str, **args: object) -> None:
        """Say a message of the catalogue; it takes the place of what is being said."""
        self.read(words.t(message_id, **args))

    def read(self, text: str) -> None:
        """Say a text that is on the screen in the screen's language. Nothing of it is logged."""
        if self._port is not None and text.strip():
            self._port.say(text, words.code, slowly=theme.profile == "elder")

    def is_speaking(self) -> bool:
        """Whether something is being said."""
        return self._port is not None and self._port.is_speaking()

    def hush(self) -> None:
        """Be silent at once, when the screen has gone on or the visitor has left."""
        if self._port is not None:
            self._port.hush()
