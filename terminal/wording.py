"""The product's words without Kivy: for paper, for QR codes and for the command line."""

from collections.abc import Callable
from pathlib import Path

from pack.model import Language
from ui import catalogue

LOCALE = Path(__file__).parent / "locale"
Say = Callable[..., str]


class Wording:
    """All texts in all languages; `say(language)` gives the function that fills them."""

    def __init__(self, texts: catalogue.Catalogue) -> None:
        self._texts = texts

    @classmethod
    def load(cls, cache: Path) -> "Wording":
        """Read the terminal's catalogues, compiling into `cache` what is not there yet. Raises ValueError for a broken one."""
        return cls(catalogue.load([LOCALE], cache))

    def say(self, language: Language) -> Say:
        """`say("zh")("limit.day", amount=3)` → `3 天`."""
        return lambda message_id, **args: self._texts.say(language, message_id, args)
