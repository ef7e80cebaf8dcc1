"""What a clerk's PC may do, and that nothing it is told depends on what the citizen did: neither words nor times."""

import itertools

import pytest

from evaluator.flow.clerk import ClerkLine
from evaluator.flow.occasion import Times
from evaluator.flow.ports import Seat
from evaluator.flow.scene import Ask, Idle
from evaluator.seat import HOLDS_MS, keep, kept
from hal.api.desk import DeskView, Invite, SetWindow, SignIn, SignOut, TakeBack
from hal.drivers.evaluator_payloads import answer_payload, state_payload
from wire.leaf import LEVELS
from wire.messages import Clerk, Desired, Placement, WindowCard


class Recorder:
    """The line to a clerk's PC: all that is said on it, with the time, as the driver would put it into frames."""

    def __init__(self, clock):
        self._clock = clock
        self.answers, self.shown, self.frames = [], [], []

    def answer(self, desk, command, answer):
        self.answers.append((desk, command, answer))
        self.frames.append((self._clock.seconds, answer_payload(command & 0xFF, answer)))

    def show(self, view):
        self.shown.append(view)
        self.frames.append((self._clock.seconds, state_payload(view, self._clock.seconds), view.open_until_s))

    @property
    def last(self):
        return self.answers[-1][2]


class Window:
    """A paired evaluator with a clerk's PC."""

    def __init__(self, hall):
        self.hall = hall
        self.line = Recorder(hall.clock)
        self.seats = []
        self.clerks = ClerkLine(
            desk=hall.desk, clock=hall.clock, line=self.line, occasion_s=lambda: Times().whole_s, keep=self.seats.append
        )
        self.clerks.refresh()
        self._commands = itertools.count(1)

    def ask(self, wish):
        self.clerks.take("desk", next(self._commands), wish)
        return self.line.last

    def wait(self, seconds):
        for _ in range(round(seconds * 4)):
            self.hall.wait(0.25)
            self.clerks.refresh()


@pytest.fixture
def window(hall):
    made = Window(hall)
    made.ask(SignIn("0312"))
    return made


def service(number=1, **more):
    return Invite(bytes([number]) * 16, "finish", 60, **more)


def test_an_invitation_asks_and_is_bound_to_the_service_and_the_clerk(window):
    assert window.ask(service(item_code="NW-0103", item_name="转移登记", case_tail="0417", ticket="A012")) == "accepted"
    scene = window.hall.desk.scene
    assert isinstance(scene, Ask)
    assert (scene.item, scene.case_tail) == ({"zh": "转移登记"}, "0417")
    invitation = window.hall.desk._occasion.invitation
    assert (invitation.clerk_number, invitation.item_code, invitation.ticket) == ("0312", "NW-0103", "A012")


def test_the_answer_comes_after_the_question_is_recorded(window):
    window.hall.book.hold = True
    window.clerks.take("desk", 99, service())
    assert window.line.answers[-1][1] != 99
    window.hall.book.commit()
    assert window.line.answers[-1] == ("desk", 99, "accepted")


def test_a_second_invitation_is_refused_politely_while_the_occasion_is_open(window):
    window.ask(service(1))
    assert window.ask(service(2)) == "busy"
    assert window.hall.shows == "ask"
    assert window.hall.book.kinds().count("invited") == 1


def test_the_same_invitation_twice_asks_once(window):
    assert [window.ask(service(1)), window.ask(service(1))] == ["accepted", "accepted"]
    assert window.hall.book.kinds() == ["invited"]


def test_a_service_that_was_asked_about_is_not_asked_about_again(window):
    window.ask(service(1))
    window.wait(Times().whole_s + 1)
    assert window.ask(service(1)) == "already_asked"
    assert window.ask(service(2)) == "accepted"


def test_nobody_is_asked_for_a_clerk_who_is_not_there(hall):
    window = Window(hall)
    window.ask(SignOut())
    assert window.ask(service()) == "nobody_signed_in"
    assert hall.book.kinds() == []


def test_taking_back_closes_the_question_and_lets_the_next_one_come_at_once(window):
    window.ask(service(1))
    assert window.ask(TakeBack()) == "accepted"
    assert window.hall.shows == "idle"
    assert window.ask(service(2)) == "accepted"


def test_taking_back_keeps_what_was_pressed(window):
    window.ask(service(1))
    window.hall.desk.press(2, "button")
    assert window.ask(TakeBack()) == "accepted"
    assert window.hall.shows == "reasons"
    window.wait(60)
    (close,) = window.hall.book.closes()
    assert close.stands is not None


def test_taking_back_nothing_is_no_trouble(window):
    assert window.ask(TakeBack()) == "accepted"


@pytest.mark.parametrize(
    ("spoil", "answer"),
    [
        (lambda hall: hall.desk.storage(nearly_full=True), "no_room"),
        (lambda hall: hall.desk.outage("resting"), "on_battery"),
        (lambda hall: hall.desk.view(pairing="paired", code="", offline=False, desired=desired(), can_seal=False), "not_paired"),
        (lambda hall: setattr(hall.book, "broken", "rating.not_recorded"), "not_recorded"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason_and_may_be_tried_again(window, spoil, answer):
    spoil(window.hall)
    assert window.ask(service()) == answer
    window.hall.book.broken = None
    window.hall.desk.storage(nearly_full=False)
    window.hall.desk.outage("none")
    window.hall.pair()
    window.ask(SignIn("0312"))
    assert window.ask(service()) == "accepted"


def test_an_evaluator_without_a_fleet_says_so(unpaired_hall):
    window = Window(unpaired_hall)
    assert window.ask(service()) == "later"
    unpaired_hall.desk.view(pairing="waiting", code="AAA", offline=True, desired=None, can_seal=False)
    assert window.ask(service()) == "not_paired"


# Who sits here


def desired(clerk="", state="serving"):
    words = {"zh": "桃源县政务服务中心"}
    person = Clerk(number=clerk, name="王丽", photo=b"photo") if clerk else None
    card = WindowCard(number="12", business={"zh": "不动产登记"}, place={"zh": "二楼"}, clerk=person, state=state)
    place = Placement(hall="taoyuan", hall_name=words, label={"zh": "12号窗口"}, window="12")
    return Desired(version=1, device="nwtest", placement=place, window=card, seal_key=bytes(32))


def see(hall, **card):
    hall.desk.view(pairing="paired", code="", offline=False, desired=desired(**card), can_seal=True)


def test_a_clerk_who_signs_in_stands_on_the_screen_by_number(window):
    scene = window.hall.desk.scene
    assert isinstance(scene, Idle)
    assert (scene.card.clerk.number, scene.card.clerk.name, scene.card.state) == ("0312", "", "serving")
    assert window.line.shown[-1].signed_in


def test_a_clerk_whom_the_fleet_knows_here_keeps_name_and_photo(hall):
    see(hall, clerk="0312")
    window = Window(hall)
    window.ask(SignIn("0312"))
    assert hall.desk.scene.card.clerk.name == "王丽"


@pytest.mark.parametrize("state", ["serving", "paused", "closed"])
def test_the_state_of_the_window_is_shown_and_told(window, state):
    assert window.ask(SetWindow(state)) == "accepted"
    assert window.hall.desk.scene.card.state == state
    assert window.line.shown[-1].window == state
    assert window.hall.desk.scene.card.clerk.number == "0312"


def test_signing_out_takes_the_clerk_off_the_screen(window):
    window.ask(SignOut())
    card = window.hall.desk.scene.card
    assert (card.clerk, card.state) == (None, "closed")
    assert not window.line.shown[-1].signed_in


def test_what_the_fleet_says_later_holds_and_what_it_repeats_does_not(hall):
    see(hall, clerk="0271")
    window = Window(hall)
    window.ask(SignIn("0312"))
    see(hall, clerk="0271")
    assert hall.desk.scene.card.clerk.number == "0312"
    see(hall, clerk="0444")
    assert hall.desk.scene.card.clerk.number == "0444"


def test_who_sits_here_is_kept_until_the_end_of_the_day(window, tmp_path):
    assert window.seats == [Seat("0312", "serving")]
    path = tmp_path / "seat.json"
    keep(path, Seat("0312", "paused"), now_ms=1_000)
    assert kept(path, now_ms=2_000) == Seat("0312", "paused")
    assert kept(path, now_ms=1_000 + HOLDS_MS) is None
    # A clock that was set back tells nothing about today.
    assert kept(path, now_ms=500) is None


@pytest.mark.parametrize("content", ["", "[]", '{"clerk": "1"}', '{"clerk": "1", "window": "dance", "at_ms": 1}', "\x00"])
def test_a_damaged_memory_of_the_seat_is_no_seat(tmp_path, content):
    path = tmp_path / "seat.json"
    path.write_text(content)
    assert kept(path, now_ms=2) is None
    assert kept(tmp_path / "none", now_ms=2) is None


# What the clerk can learn


def nothing(window):
    window.wait(1)


def skip(window):
    window.wait(1)
    window.hall.desk.skip()


def rate(level, *, after_s=1, correct_to=None, reasons=0, finish=True, via="button"):
    def citizen(window):
        window.wait(after_s)
        window.hall.desk.press(level, via)
        if correct_to:
            window.wait(2)
            window.hall.desk.correct()
            window.hall.desk.press(correct_to, via)
        for tag in [tag.id for tag in getattr(window.hall.desk.scene, "tags", ())][:reasons]:
            window.wait(0.5)
            window.hall.desk.toggle(tag)
        if finish:
            window.hall.desk.finish()

    return citizen


def slow(level):
    def citizen(window):
        window.hall.desk.use_profile("elder")
        window.wait(80)
        window.hall.desk.press(level, "touch")

    return citizen


def failing(window):
    window.hall.book.broken = "rating.not_recorded"
    window.hall.desk.press(1, "touch")
    window.wait(20)
    window.hall.book.broken = None


OUTCOMES = {
    "no answer": nothing,
    "skipped": skip,
    **{f"level {level}": rate(level) for level in LEVELS},
    **{f"level {level} by touch, late, with reasons": rate(level, after_s=40, reasons=2, via="touch") for level in LEVELS},
    **{f"level {level} corrected to {other}": rate(level, correct_to=other) for level, other in itertools.permutations(LEVELS, 2)},
    **{f"level {level} and gone away": rate(level, finish=False) for level in LEVELS},
    "an elder who takes long": slow(2),
    "not recorded": failing,
}


def heard_by_the_clerk(hall, citizen, *, then):
    """All frames, with their times, of a window at which `citizen` does something and the clerk asks all the while."""
    window = Window(hall)
    window.ask(SignIn("0312"))
    begin_s = hall.clock.seconds
    window.ask(service(1))
    citizen(window)
    window.wait(30 - (hall.clock.seconds - begin_s) % 30)
    at_s = 30 * 5
    while hall.clock.seconds - begin_s < at_s:
        window.wait(0.25)
    then(window)
    window.wait(5)
    return [(frame[0] - begin_s, *frame[1:2], *(each - begin_s for each in frame[2:])) for frame in window.line.frames]


def test_every_outcome_makes_the_same_frames_at_the_same_times(new_hall):
    def next_service(window):
        window.ask(service(1))
        window.ask(service(2))

    heard = {name: heard_by_the_clerk(new_hall(), citizen, then=next_service) for name, citizen in OUTCOMES.items()}
    assert len(heard) == 39
    expected = heard["no answer"]
    assert len(expected) >= 6
    for name, frames in heard.items():
        assert frames == expected, name


@pytest.mark.parametrize("prying", [TakeBack(), service(1), service(2)], ids=["take back", "the same again", "another"])
@pytest.mark.parametrize("at_s", [2, 30, 70])
def test_asking_in_between_tells_nothing_either(prying, at_s, new_hall):
    def pry(citizen):
        window = Window(new_hall())
        window.ask(SignIn("0312"))
        begin_s = window.hall.clock.seconds
        window.ask(service(1))
        acted = False
        while window.hall.clock.seconds - begin_s < 150:
            if window.hall.clock.seconds - begin_s >= 1 and not acted:
                acted = True
                citizen(window)
            if window.hall.clock.seconds - begin_s == at_s:
                window.ask(prying)
            window.wait(0.25)
        return [(frame[0] - begin_s, *frame[1:2]) for frame in window.line.frames]

    def press_and_go_on(level):
        def citizen(window):
            window.hall.desk.press(level, "button")
            window.hall.desk.finish()

        return citizen

    expected = pry(lambda window: None)
    for level in LEVELS:
        assert pry(press_and_go_on(level)) == expected
        assert pry(lambda window, level=level: window.hall.desk.press(level, "touch")) == expected


def test_the_views_of_an_occasion_hold_its_end_and_nothing_else_that_changes(window):
    window.ask(service())
    view = window.line.shown[-1]
    assert view == DeskView(window.hall.clock.seconds + Times().whole_s, "serving", True, "none")


class Leaking(ClerkLine):
    """Tells the clerk whether there was anything to take back: the mistake that these tests are for."""

    def take(self, desk, command, wish):
        if isinstance(wish, TakeBack):
            reply = self._desk.withdraw(self._open)
            self._line.answer(desk, command, "accepted" if reply.state == "done" else "busy")
            return
        super().take(desk, command, wish)


def test_a_line_that_tells_whether_somebody_pressed_is_noticed(new_hall):
    def heard(level):
        window = Window(new_hall())
        window.clerks.__class__ = Leaking
        window.ask(SignIn("0312"))
        window.ask(service(1))
        if level:
            window.hall.desk.press(level, "touch")
        window.ask(TakeBack())
        return [frame[:2] for frame in window.line.frames]

    assert heard(None) != heard(3)
