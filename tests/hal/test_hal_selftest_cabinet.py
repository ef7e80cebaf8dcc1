"""The guided self-tests of keypad, cabinet, temperature and light, with a technician who does what he is told."""

import contextlib
import threading

import pytest

from hal.selftest.bench import Bench
from hal.sim import thermometer
from hal.sim.control import ControlError, send


@pytest.fixture
def tested(tmp_path, make_config):
    """Runs a self-test in which `does(path, said)` is called, on a thread of its own, for each thing the technician is told."""

    def run(section, settings, does=lambda path, said: None, wait_s=5.0):
        path = str(tmp_path / "pins.sock")
        table = {"gpio": {"driver": "socket", "socket": path}, section: settings}
        said, hand = [], threading.Lock()

        def obey(order):
            # One hand: a key is let go before the next is pressed.
            with hand, contextlib.suppress(ControlError):
                # After the last key the test is over, and the pins are gone before the key is let go.
                does(path, order)

        def say(order):
            said.append(order)
            threading.Thread(target=obey, args=(order,), daemon=True).start()

        steps = Bench(make_config(table), say=say, wait_s=wait_s).run(section)
        return steps, said

    return run


def press_the_key(path, said):
    send(path, {"key": said.args["key"], "ms": 60, "bounce_ms": 5})


def test_a_good_keypad_passes_key_by_key(tested):
    steps, said = tested("keypad", {"driver": "matrix"}, press_the_key)
    assert [step.ok for step in steps] == [True] * 13
    assert [order.args["key"] for order in said] == [*"123456789", "clear", "0", "enter"]


def press_with_crossed_rows(path, said):
    crossed = {"1": "4", "2": "5", "3": "6", "4": "1", "5": "2", "6": "3"}
    key = said.args["key"]
    send(path, {"key": crossed.get(key, key), "ms": 60})


def test_crossed_wires_of_a_keypad_show_as_the_wrong_key(tested):
    steps, _ = tested("keypad", {"driver": "matrix"}, press_with_crossed_rows)
    assert [(step.args["key"], step.ok, step.args["pressed"]) for step in steps[1:5]] == [
        ("1", False, "4"),
        ("2", False, "5"),
        ("3", False, "6"),
        ("4", False, "1"),
    ]


def test_a_silent_keypad_fails_at_its_first_key(tested):
    steps, _ = tested("keypad", {"driver": "matrix"}, wait_s=0.3)
    assert [(step.what, step.ok) for step in steps] == [("step.open", True), ("step.key", False)]


def test_a_tamper_loop_is_opened_and_closed(tested):
    def handle(path, said):
        send(path, {"set": "tamper", "value": 1 if said.message == "do.open_loop" else 0})

    steps, said = tested("tamper", {"driver": "gpio", "settle_ms": 20}, handle)
    assert [step.ok for step in steps] == [True] * 3
    assert [order.message for order in said] == ["do.open_loop", "do.close_loop"]


def test_a_vibration_sensor_is_knocked(tested):
    def knock(path, said):
        if said.message == "do.knock":
            for _ in range(3):
                send(path, {"set": "tamper", "value": 1})
                send(path, {"set": "tamper", "value": 0})

    settings = {"driver": "gpio", "sensor": "vibration", "pulses": 3, "window_s": 10, "quiet_s": 0.3}
    steps, _ = tested("tamper", settings, knock)
    assert [step.ok for step in steps] == [True] * 3


def test_somebody_steps_before_the_presence_sensor_and_away(tested):
    def walk(path, said):
        send(path, {"set": "presence", "value": 1 if said.message == "do.step_before" else 0})

    steps, said = tested("presence", {"driver": "gpio", "hold_s": 0.2}, walk)
    assert [step.ok for step in steps] == [True] * 3
    assert said[1].args == {"hold_s": "0"}


def test_a_temperature_is_read_out(tested, tmp_path):
    thermometer.show_w1(tmp_path / "w1", 23.5)
    steps, _ = tested("temperature", {"driver": "w1", "root": str(tmp_path / "w1"), "poll_s": 0.1})
    assert (steps[-1].ok, steps[-1].args) == (True, {"celsius": "23.5"})


def test_a_sensor_that_is_not_there_fails_with_its_reason(tested, tmp_path):
    steps, _ = tested("temperature", {"driver": "w1", "root": str(tmp_path / "w1"), "poll_s": 0.1})
    assert [step.ok for step in steps] == [False]
    assert (steps[0].seen, steps[0].next_step) == ("temperature.silent", "next.check_sensor")
    assert "no sensor" in steps[0].args["error"]


def test_a_light_is_shown_in_each_of_its_states(tested):
    steps, said = tested("light_card", {"driver": "gpio"}, wait_s=0.05)
    assert [step.args.get("glow") for step in steps] == [None, "on", "breathe", "off"]
    assert len(said) == 3
