"""The keyboard for pinyin letters and digits: it types into whoever listens and knows nothing of the text."""

from kivy.properties import BooleanProperty, ListProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from ui.widgets.card import Surface, Touchable

LETTERS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
DIGITS = ("1234567890",)


class Key(Touchable, Surface):
    """One key: a character, or a named action with an icon or words."""

    char = StringProperty("")
    text = StringProperty("")
    icon = StringProperty("")


class Keyboard(BoxLayout):
    """Rows of keys. Every press sends `on_key(char)`: one of a–z and 0–9, or `backspace`, `clear`, `done`.

    Keys answer when the finger lands. On a panel too narrow for ten keys of full size they keep their height and become narrower.
    `can_finish` shows the key that ends typing, with `finish_text` on it.
    """

    can_finish = BooleanProperty(False)
    finish_text = StringProperty("")
    clear_text = StringProperty("")
    key_height = NumericProperty(60)
    rows = ListProperty([*DIGITS, *LETTERS])

    __events__ = ("on_key",)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        for name in ("rows", "can_finish", "finish_text", "clear_text"):
            self.fbind(name, self._build)
        self._build()

    def on_key(self, char: str) -> None:
        """A key was pressed. Bind to it."""

    def _build(self, *_: object) -> None:
        self.clear_widgets()
        for row in self.rows:
            line = KeyRow(cells=max(map(len, self.rows)))
            if row == self.rows[-1]:
                line.add_widget(self._key("clear", text=self.clear_text, weight=1.5))
            for char in row:
                line.add_widget(self._key(char, text=char.upper()))
            if row == self.rows[-1]:
                line.add_widget(self._key("backspace", icon="backspace", weight=1.5))
            self.add_widget(line)
        if self.can_finish:
            line = KeyRow(cells=1)
            line.add_widget(self._key("done", text=self.finish_text))
            self.add_widget(line)

    def _key(self, char: str, *, text: str = "", icon: str = "", weight: float = 1.0) -> Key:
        key = Key(char=char, text=text, icon=icon, name=f"key {char}", size_hint_x=weight)
        key.bind(on_press=lambda _: self.dispatch("on_key", char))
        return key


class KeyRow(BoxLayout):
    """One row, indented when it has fewer keys than the longest."""

    cells = NumericProperty(10)
