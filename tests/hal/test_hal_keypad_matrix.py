"""The 12-key pad as a matrix: each key counted once, ghosts refused, no two pins shorted, on pins that another process closes."""

import itertools
import random
import threading
import time
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from hal.api import KeyPressed
from hal.drivers.matrix import LAYOUT, Matrix
from hal.factory import open_hal
from hal.sim.bounces import edges
from hal.sim.control import ControlError, send

PLACES = {key: (row, column) for row, keys in enumerate(LAYOUT) for column, key in enumerate(keys)}
SETTLE_S = 0.012
SCAN_S = 0.002


def seen(held):
    """What a scan of a matrix without diodes sees closed while the keys at `held` are: everything a current can reach."""
    closed = set(held)
    while True:
        ghosts = {
            (row, column)
            for row, column in product(range(4), range(3))
            if any((row, other) in closed and (below, other) in closed and (below, column) in closed
                   for below, other in product(range(4), range(3)))
        }  # fmt: skip
        if ghosts <= closed:
            return closed
        closed |= ghosts


class Pad:
    """A matrix scanned every 2 ms under keys that close and open; `pressed` is all it told."""

    def __init__(self):
        self.matrix = Matrix(SETTLE_S)
        self.pressed = []
        self.now_s = 0.0

    def hold(self, keys, for_s=0.05):
        for _ in range(round(for_s / SCAN_S)):
            self.now_s += SCAN_S
            self.pressed += self.matrix.feed(self.now_s, seen({PLACES[key] for key in keys}))


@pytest.mark.parametrize("key", PLACES)
def test_each_key_is_told_once_by_its_name(key):
    pad = Pad()
    pad.hold([key], 1.0)
    pad.hold([])
    assert pad.pressed == [key]
    assert pad.matrix.at_rest()


@given(st.lists(st.tuples(st.sampled_from(list(PLACES)), st.integers(1, 5), st.randoms(use_true_random=False))))
def test_bouncing_keys_are_counted_once_each(presses):
    pad = Pad()
    for key, bounces, choose in presses:
        for steady in ([key], []):
            for _ in range(bounces):
                pad.hold(choose.choice([[key], []]), SCAN_S)
            pad.hold(steady)
    # A bounce may begin a press; whether it does, each press is one.
    assert pad.pressed == [key for key, _, _ in presses]


@given(st.integers(0, 2**32), st.floats(0.002, 0.5))
def test_a_scanner_that_is_held_up_anywhere_doubles_no_press(seed, held_up_s):
    # Bouncing contacts, scanned every 2 ms but for pauses of a busy computer.
    chance, pressed = random.Random(seed), 0
    matrix, swings = Matrix(SETTLE_S), list(edges(20, seed, period_ms=400))
    now_s, at = 0.0, 0
    closed = False
    while at < len(swings) or not matrix.at_rest():
        now_s += held_up_s if chance.random() < 0.05 else SCAN_S
        while at < len(swings) and swings[at][0] <= now_s:
            closed, at = swings[at][1], at + 1
        pressed += len(matrix.feed(now_s, {PLACES["5"]} if closed else set(), most_s=1.5 * SCAN_S))
    assert pressed <= 20
    # A press is 200 ms long and its rest too: only long pauses one after the other can hide one.
    if held_up_s < 0.02:
        assert pressed == 20


def test_two_keys_at_once_are_both_told():
    for one, other in itertools.combinations(PLACES, 2):
        pad = Pad()
        pad.hold([one])
        pad.hold([one, other])
        pad.hold([other])
        pad.hold([])
        assert sorted(pad.pressed) == sorted([one, other])


def test_three_keys_that_make_a_ghost_never_tell_the_ghost():
    for three in itertools.combinations(PLACES, 3):
        for first, second, third in itertools.permutations(three):
            pad = Pad()
            pad.hold([first])
            pad.hold([first, second])
            pad.hold([first, second, third])
            pad.hold([second, third])
            pad.hold([third])
            pad.hold([])
            assert set(pad.pressed) <= set(three)
            assert len(pad.pressed) == len(set(pad.pressed))


def test_without_the_rule_the_same_three_keys_would_tell_a_ghost():
    # The control: what the pins show does contain the ghost.
    assert seen({PLACES["1"], PLACES["2"], PLACES["4"]}) == {PLACES[key] for key in "1245"}


def test_a_key_refused_as_doubtful_counts_when_it_is_pressed_again():
    pad = Pad()
    pad.hold(["1", "2"])
    pad.hold(["1", "2", "4"])
    pad.hold([])
    assert pad.pressed == ["1", "2"]
    pad.hold(["4"])
    assert pad.pressed == ["1", "2", "4"]


def test_a_refused_key_that_bounces_when_it_is_let_go_is_not_taken_for_a_press():
    pad = Pad()
    pad.hold(["1", "2"])
    pad.hold(["1", "2", "4"])
    pad.hold(["2", "4"])
    for keys in (["2"], ["2", "4"], ["2"], ["2", "4"]):
        pad.hold(keys, SCAN_S)
    pad.hold([])
    assert pad.pressed == ["1", "2"]


@settings(max_examples=200)
@given(st.lists(st.sets(st.sampled_from(list(PLACES)), max_size=4), max_size=30))
def test_no_key_that_nobody_pressed_is_ever_told(holds):
    pad = Pad()
    for keys in holds:
        pad.hold(keys, 0.02)
        assert set(pad.pressed) <= set().union(*holds)


def test_a_key_that_is_down_at_the_start_is_no_press_but_may_be_stuck():
    matrix = Matrix(SETTLE_S)
    matrix.start(0.0, frozenset({PLACES["5"]}))
    assert matrix.feed(1.0, frozenset({PLACES["5"]}), most_s=0.003) == []
    assert matrix.trouble(30.0, stuck_s=20, chatter_s=1) == ("buttons.stuck", "5")


@pytest.fixture
def pad(tmp_path, heard, closing, until, make_config):
    """A keypad on socket-backed pins: `path, keypad`."""
    path = str(tmp_path / "pins.sock")
    table = {"gpio": {"driver": "socket", "socket": path}, "keypad": {"driver": "matrix", "stuck_s": 1.0}}
    hal = closing(open_hal(make_config(table), on_event=heard.on_event, on_health=heard.on_health))
    hal.start()
    keypad = hal.named("keypad")
    until(lambda: keypad.health().state == "ok", "pins open")
    return path, keypad


@pytest.mark.parametrize("bounce_ms", [0, 8])
def test_every_key_is_told_through_the_pins(pad, heard, bounce_ms):
    path, _ = pad
    for key in PLACES:
        send(path, {"key": key, "ms": 100, "bounce_ms": bounce_ms})
        assert heard.next().key == key
    assert heard.nothing()
    assert send(path, {"get": "shorts"})["shorts"] == 0


def test_keys_held_together_short_no_pins_and_tell_no_ghost(pad, heard, until):
    path, _ = pad
    for key in ("1", "2", "4"):
        send(path, {"hold": key, "on": True})
        if key != "4":
            assert heard.next().key == key
    send(path, {"key": "9", "ms": 100})
    assert heard.next().key == "9"
    for key in ("1", "2", "4"):
        send(path, {"hold": key, "on": False})
    send(path, {"key": "0", "ms": 100})
    assert heard.next().key == "0"
    assert heard.nothing()
    assert send(path, {"get": "shorts"})["shorts"] == 0


def test_fast_typing_on_several_keys_loses_none(pad, heard):
    path, _ = pad
    threads = [
        threading.Thread(target=lambda keys=keys: [send(path, {"key": key, "ms": 100, "bounce_ms": 6}) for key in keys * 5])
        for keys in ("12", "56", "90")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [heard.next().key for _ in range(30)]
    assert sorted(told) == sorted("125690" * 5)
    assert heard.nothing()


def test_a_stuck_key_is_named_and_the_others_go_on(pad, heard, until):
    path, keypad = pad
    send(path, {"hold": "3", "on": True})
    assert heard.next().key == "3"
    until(lambda: keypad.health().reason == "buttons.stuck")
    assert keypad.health().args == {"button": "3"}
    send(path, {"key": "7", "ms": 100})
    assert heard.next().key == "7"
    send(path, {"hold": "3", "on": False})
    until(lambda: keypad.health().state == "ok")


def test_a_press_is_told_with_the_time_of_its_first_edge(pad, heard):
    path, _ = pad
    before_s = time.monotonic()
    send(path, {"key": "6", "ms": 100})
    event = heard.next()
    assert isinstance(event, KeyPressed)
    assert before_s <= event.at_s <= time.monotonic()


def test_a_listener_that_fails_is_logged_without_the_key(tmp_path, heard, closing, until, make_config):
    path = str(tmp_path / "pins.sock")
    table = {"gpio": {"driver": "socket", "socket": path}, "keypad": {"driver": "matrix"}}

    def fail(_name, _event):
        raise RuntimeError("listener")

    with capture_logs() as logs:
        hal = closing(open_hal(make_config(table), on_event=fail, on_health=heard.on_health))
        hal.start()
        until(lambda: hal.named("keypad").health().state == "ok")
        send(path, {"key": "8", "ms": 100})
        until(lambda: logs, "log line")
    assert "8" not in repr([entry["event"] for entry in logs])
    assert "key" not in logs[0]


def test_an_unknown_key_is_explained(pad):
    path, _ = pad
    with pytest.raises(ControlError, match="use "):
        send(path, {"key": "A"})
    with pytest.raises(ControlError, match=r"'keypad_2.row_1' is no pin here"):
        send(path, {"key": "1", "keypad": "keypad_2"})
