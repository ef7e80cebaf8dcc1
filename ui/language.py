"""The language of the moment as Kivy properties: every text that was made with `words.t` changes with it, live."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from kivy.event import EventDispatcher
from kivy.properties import ObjectProperty, OptionProperty, StringProperty

from ui import catalogue, fonts
from ui.catalogue import LANGUAGES, Catalogue
from ui.fonts import Fonts


class Language(EventDispatcher):
    """What kv rules read: `words.t('keyboard.done')`, `words.of(root.names)`, `words.font`.

    `t(message_id, **args)` gives a text; `of(texts)` picks from a wire `Words` dict and falls back to Chinese; both are properties
    holding functions, so rules that call them are evaluated again when the language changes.
    """

    code = OptionProperty("zh", options=LANGUAGES)
    t = ObjectProperty()
    of = ObjectProperty()
    font = StringProperty("Roboto")
    font_bold = StringProperty("Roboto")
    icons = StringProperty("Roboto")

    def __init__(self) -> None:
        super().__init__()
        self._catalogue = Catalogue({code: {} for code in LANGUAGES})
        self.fonts: Fonts | None = None
        self._apply()

    def load(self, folders: Iterable[Path], *, cache: Path) -> None:
        """Read fonts and catalogues once at start. `folders` are rooms' `locale` folders; the ui's own is always read.

        Raises FontsMissing or ValueError when fonts or a catalogue cannot be read.
        """
        own = Path(__file__).parent / "locale"
        self.fonts = fonts.prepare(cache)
        self._catalogue = catalogue.load([own, *folders], cache)
        self._apply()

    def use(self, code: str) -> None:
        """Switch everything visible to `zh`, `ko` or `en`."""
        self.code = code
        self._apply()

    def next(self) -> str:
        """The language after this one, in the order people see them."""
        return LANGUAGES[(LANGUAGES.index(self.code) + 1) % len(LANGUAGES)]

    def has(self, message_id: str) -> bool:
        """Whether the catalogues hold this id."""
        return self._catalogue.has(message_id)

    def date(self, moment: datetime) -> str:
        """Day and weekday as people say them, for example 11月22日 星期日."""
        return self._say(
            "date.day",
            month=self._say(f"month.{moment.month}"),
            day=moment.day,
            weekday=self._say(f"weekday.{moment.isoweekday()}"),
        )

    def _say(self, message_id: str, **args: object) -> str:
        return self._catalogue.say(self.code, message_id, args)

    def _of(self, texts: Mapping[str, str] | None) -> str:
        if not texts:
            return ""
        return texts.get(self.code) or texts.get(LANGUAGES[0]) or ""

    def _apply(self) -> None:
        if self.fonts is not None:
            self.font = str(self.fonts.face(self.code, bold=False).path)
            self.font_bold = str(self.fonts.face(self.code, bold=True).path)
            self.icons = str(self.fonts.icons)
        # New function objects make Kivy see a change and evaluate every rule that calls them.
        self.t = lambda message_id, **args: self._say(message_id, **args)
        self.of = lambda texts: self._of(texts)


words = Language()
"""The one language of a face's process; kv rules import it. Empty until `load`."""
