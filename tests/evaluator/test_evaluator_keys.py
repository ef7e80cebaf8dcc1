"""Twelve keys and a voice at an evaluator: the standard's codes, one invitation, and nothing aloud that tells the level."""

import pytest

from evaluator.flow.keys import Pad
from evaluator.flow.scene import Ask, Reasons
from evaluator.voice import Spoken


class Voice:
    """Keeps what it was given, with the time."""

    def __init__(self, clock):
        self.clock, self.said, self.hushed = clock, [], 0

    def read(self, text):
        self.said.append((self.clock.seconds, text))

    def hush(self):
        self.hushed += 1


class Window:
    """A hall's desk with a pad and a voice; the catalogue is not loaded, so texts are their ids."""

    def __init__(self, hall, *, has_keys=True):
        self.hall, self.private = hall, False
        self.voice = Voice(hall.clock)
        self.spoken = Spoken(self.voice, has_keys=has_keys, private=lambda: self.private)
        self.pad = Pad(hall.desk, used=self.spoken.used, repeat=self.spoken.repeat)
        self._shown = hall.desk.scene.name
        self._on_scene = hall.desk._on_scene
        hall.desk._on_scene = self._show

    def _show(self, scene):
        # As the face does it: a screen is told when another one comes up.
        if scene.name != self._shown:
            self._shown = scene.name
            self.spoken.shown(scene)
        self._on_scene(scene)

    def press(self, *keys):
        for key in keys:
            self.hall.clock.seconds += 1
            self.pad.key(key, self.hall.clock.seconds)

    def texts(self):
        return [text for _, text in self.voice.said]


@pytest.fixture
def window(hall):
    return Window(hall)


@pytest.mark.parametrize("level", [5, 4, 3, 2, 1])
def test_a_digit_is_the_standards_code(window, level):
    window.hall.invite()
    window.press(str(level))
    (pressed,) = [entry for entry in window.hall.book.entries if entry[0] == "pressed"]
    assert pressed[3:] == (level, "key")
    assert isinstance(window.hall.desk.scene, Reasons)


@pytest.mark.parametrize("key", ["6", "7", "8", "9", "0", "enter"])
def test_other_keys_answer_nothing(window, key):
    window.hall.invite()
    window.press(key)
    assert isinstance(window.hall.desk.scene, Ask)
    assert window.hall.book.kinds() == ["invited"]


def test_the_voice_invites_once_and_politely_says_no_more(window):
    window.hall.invite()
    window.hall.wait(20)
    assert len(window.texts()) == 1
    assert window.texts()[0].startswith("ask.title")
    assert [window.texts()[0].count(f"level.{level}") for level in (5, 4, 3, 2, 1)] == [1] * 5
    window.hall.desk.press(3, "touch")
    assert len(window.texts()) == 1, "who touches can read"


def test_without_keys_only_the_question_is_said(hall):
    window = Window(hall, has_keys=False)
    hall.invite()
    assert window.texts() == ["ask.title。"]


def test_zero_says_it_again(window):
    window.hall.invite()
    window.press("0")
    assert window.texts()[0] == window.texts()[1]


def test_what_is_heard_and_when_is_the_same_for_every_level(new_hall):
    heard = set()
    for level in (5, 4, 3, 2, 1):
        window = Window(new_hall())
        window.hall.invite()
        window.press(str(level))
        window.hall.wait(5)
        window.press("enter")
        window.hall.wait(30)
        heard.add((tuple(window.voice.said), window.voice.hushed, tuple(window.hall.lamps.told)))
    assert len(heard) == 1
    after = [text for _, text in next(iter(heard))[0]][1:]
    assert after
    assert "level." not in "".join(after)
    assert "reasons.chosen" not in "".join(after)


def test_into_headphones_the_choice_and_the_receipt_are_said(window):
    window.private = True
    window.hall.invite()
    window.press("2")
    assert "reasons.chosen" in window.texts()[-1]
    window.press("enter")
    assert "receipt.label" in window.texts()[-1]


def test_clear_is_no_rating_then_the_correction_then_the_way_back_from_it(window):
    window.hall.invite()
    window.press("clear")
    assert window.hall.book.closes()[-1].how == "skip"
    window.hall.invite(2)
    window.press("1", "clear")
    scene = window.hall.desk.scene
    assert isinstance(scene, Ask)
    assert scene.correcting
    assert window.texts()[-1].startswith("ask.again")
    window.press("clear")
    assert isinstance(window.hall.desk.scene, Reasons)
    window.press("clear", "5")
    assert [entry[3] for entry in window.hall.book.entries if entry[0] == "amended"] == [5]


def test_a_trembling_hand_presses_once(window):
    window.hall.invite()
    window.press("clear")
    window.hall.invite(2)
    window.pad.key("clear", window.hall.clock.seconds + 0.4)
    assert isinstance(window.hall.desk.scene, Ask), "the second question is not refused by the same stroke"


def test_a_question_that_is_taken_back_falls_silent(window):
    window.hall.invite()
    before = window.voice.hushed
    window.hall.desk.withdraw(None)
    assert window.voice.hushed > before
