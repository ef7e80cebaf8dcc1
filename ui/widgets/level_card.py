"""One of the five answers: a face, the words, and which button stands for it."""

from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from ui.widgets.card import Surface, Touchable


class LevelCard(Touchable, Surface):
    """A card for one `level`. It answers when the finger lands (`on_press`). `hint` names the hardware button, or is empty.

    All five look the same when pressed, whatever the level. `waiting` marks the one whose press goes to the disk; a finger alone
    marks none: the frame that showed it would put off the thanks, which come sooner. `lines` keeps room for so many lines of words,
    so that the faces of all cards stand at one height.
    """

    level = NumericProperty(5)
    text = StringProperty("")
    hint = StringProperty("")
    lines = NumericProperty(1)
    waiting = BooleanProperty(False)
    font_size = NumericProperty(20)
