"""One sign out of the packaged icon font, by our own name for it."""

from kivy.properties import StringProperty

from ui.widgets.text import Words

CODES = {
    "search": 0xE8B6,
    "scan": 0xF206,
    "guide": 0xE873,
    "case": 0xE889,
    "ticket": 0xE638,
    "life": 0xE87C,
    "home": 0xE88A,
    "hot": 0xE80E,
    "print": 0xE8AD,
    "phone": 0xE32C,
    "help": 0xE8FD,
    "elder": 0xE84E,
    "contrast": 0xE427,
    "language": 0xE894,
    "back": 0xE5CB,
    "next": 0xE5CC,
    "up": 0xE5C7,
    "down": 0xE5C5,
    "check": 0xE5CA,
    "close": 0xE5CD,
    "speak": 0xE050,
    "place": 0xE55F,
    "route": 0xE536,
    "time": 0xE8B5,
    "fee": 0xE8A1,
    "list": 0xE241,
    "people": 0xE7FB,
    "business": 0xE0AF,
    "card": 0xE870,
    "say": 0xE0B7,
    "backspace": 0xE14A,
    "keyboard": 0xE312,
    "warning": 0xE002,
    "info": 0xE88F,
    "offline": 0xE2C1,
    "touch": 0xE913,
    "pause": 0xE1A2,
    "wait": 0xE88B,
    "lock": 0xE897,
    "receipt": 0xE8B0,
    "tools": 0xE869,
    "edit": 0xE3C9,
    "again": 0xE5D5,
    "star": 0xE838,
    "department": 0xE84F,
    "child": 0xEB41,
    "car": 0xE531,
    "book": 0xE865,
    "health": 0xE548,
    "work": 0xE8F9,
    "key": 0xE0DA,
    "door": 0xEB4F,
}


class Icon(Words):
    """An icon as high as its `font_size`; its width follows. Colour alone never carries its meaning: words stand beside it."""

    name = StringProperty("")

    def __init__(self, **kwargs: object) -> None:
        kwargs.setdefault("wrap", False)
        kwargs.setdefault("shrink", False)
        kwargs.setdefault("halign", "center")
        super().__init__(**kwargs)
        self.fbind("name", self._choose)
        self._choose()

    def _choose(self, *_: object) -> None:
        self.text = chr(CODES[self.name]) if self.name else ""
