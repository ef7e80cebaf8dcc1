"""The call-staff button: its lamp blinks while the call stands, is steady once somebody has seen it, and never promises more."""

from collections.abc import Callable

import pytest

from evaluator.callstaff import STANDS_S, CallStaff
from runtime.helpline import CallState


class Line:
    """The staff's end: calls that stand, and a way to answer them."""

    def __init__(self) -> None:
        self.standing: list[str] = []
        self.tell: Callable[[str, CallState], None] = lambda call_id, state: None

    def call(self, call_id: str, *, where: str, answer: Callable[[str, CallState], None]) -> None:
        assert where == "button"
        self.standing.append(call_id)
        self.tell = answer

    def cancel(self, call_id: str) -> None:
        self.standing.remove(call_id)


class Button:
    def __init__(self) -> None:
        self.line, self.lamp = Line(), "off"
        self.later: list[tuple[float, Callable[[], object]]] = []
        self.staff = CallStaff(self.line, lamp=self._switch, later=lambda for_s, call: self.later.append((for_s, call)))

    def _switch(self, state: str) -> None:
        self.lamp = state


@pytest.fixture
def button() -> Button:
    return Button()


@pytest.mark.parametrize(("state", "lamp"), [("waiting", "blink"), ("seen", "on"), ("nobody", "off"), ("unreachable", "off")])
def test_the_lamp_tells_how_the_call_stands(button: Button, state: CallState, lamp: str) -> None:
    button.staff.press()
    assert button.lamp == "blink"
    button.line.tell(button.line.standing[0], state)
    assert button.lamp == lamp


def test_a_second_press_takes_the_call_back(button: Button) -> None:
    button.staff.press()
    button.line.tell(button.line.standing[0], "seen")
    button.staff.press()
    assert (button.line.standing, button.lamp) == ([], "off")
    button.staff.press()
    assert len(button.line.standing) == 1


def test_after_a_call_that_reached_nobody_the_next_press_calls_again(button: Button) -> None:
    button.staff.press()
    first = button.line.standing[0]
    button.line.tell(first, "unreachable")
    button.staff.press()
    assert button.line.standing != [first]
    assert button.lamp == "blink"


def test_while_nobody_is_on_duty_the_call_stands_and_may_still_be_seen(button: Button) -> None:
    button.staff.press()
    (call,) = button.line.standing
    button.line.tell(call, "nobody")
    button.line.tell(call, "seen")
    assert (button.line.standing, button.lamp) == ([call], "on")


def test_news_of_an_older_call_changes_nothing(button: Button) -> None:
    button.staff.press()
    old = button.line.standing[0]
    button.staff.press()
    button.staff.press()
    button.line.tell(old, "seen")
    assert button.lamp == "blink"


def test_a_call_nobody_took_back_ends_by_itself_and_no_later_one_with_it(button: Button) -> None:
    button.staff.press()
    ((for_s, gone),) = button.later
    assert for_s == STANDS_S
    gone()
    assert (button.line.standing, button.lamp) == ([], "off")
    button.staff.press()
    gone()
    assert len(button.line.standing) == 1


def test_the_end_of_the_face_takes_the_call_back(button: Button) -> None:
    button.staff.end()
    button.staff.press()
    button.staff.end()
    assert (button.line.standing, button.lamp) == ([], "off")
