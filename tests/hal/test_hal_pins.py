"""Buttons, lamps, buzzer and door on gpiozero pins that another process presses over the socket."""

import json
import socket
import threading

import pytest
from structlog.testing import capture_logs

from hal.api import ButtonPressed, DoorClosed, DoorOpened
from hal.drivers.gpio import GpioPins
from hal.ports import Ports
from hal.sim.control import ControlError, send
from hal.tools import Tools


def opened(config, name, pins, on_event, on_health):
    """The peripheral of one section, on pins that the test holds."""
    section = config.section(name)
    return section.module.open_driver(name, section.settings, Tools(on_event, on_health, pins, Ports(config)))


@pytest.fixture
def setup(tmp_path, heard, closing, until, make_config):
    """Buttons and door on socket-backed pins: `path, buttons, door`."""

    def make(*, door_settle_ms=20, **buttons):
        path = str(tmp_path / "pins.sock")
        table = {
            "gpio": {"driver": "socket", "socket": path},
            "buttons": {"driver": "gpio", **buttons},
            "door": {"driver": "gpio", "settle_ms": door_settle_ms},
        }
        config = make_config(table)
        pins = closing(GpioPins(config.gpio, config.pins()))
        panel = closing(opened(config, "buttons", pins, heard.on_event, heard.on_health))
        door = closing(opened(config, "door", pins, heard.on_event, heard.on_health))
        panel.start()
        door.start()
        until(lambda: panel.health().state == door.health().state == "ok", "pins open")
        until(lambda: door.is_open() is False, "door known")
        return path, panel, door

    return make


@pytest.mark.parametrize("bounce_ms", [0, 8])
def test_each_button_tells_one_press_with_its_level(setup, heard, bounce_ms):
    path, _, _ = setup()
    for level in (5, 4, 3, 2, 1):
        send(path, {"press": f"level_{level}", "ms": 40, "bounce_ms": bounce_ms})
    send(path, {"press": "call_staff", "ms": 40, "bounce_ms": bounce_ms})
    told = [heard.next() for _ in range(6)]
    assert [(event.button, event.level) for event in told] == [
        *((f"level_{level}", level) for level in (5, 4, 3, 2, 1)),
        ("call_staff", None),
    ]
    assert heard.nothing()


def test_twenty_presses_a_second_with_bounce_are_all_counted_once(setup, heard):
    path, _, _ = setup()
    for _ in range(20):
        send(path, {"press": "level_3", "ms": 25, "bounce_ms": 10})
        send(path, {"press": "level_4", "ms": 25, "bounce_ms": 10})
    told = [heard.next() for _ in range(40)]
    assert heard.nothing()
    assert sorted(event.button for event in told) == ["level_3"] * 20 + ["level_4"] * 20


def test_without_debouncing_the_same_bounce_is_counted_too_often(setup, heard):
    # The control: with next to no settling time, the presses of the test above are doubled.
    path, _, _ = setup(settle_ms=1.0)
    send(path, {"press": "level_3", "ms": 25, "bounce_ms": 10})
    assert isinstance(heard.next(), ButtonPressed)
    assert isinstance(heard.next(), ButtonPressed)


def test_presses_of_several_buttons_at_once_are_all_told(setup, heard):
    path, _, _ = setup()
    threads = [
        threading.Thread(target=send, args=(path, {"press": f"level_{level}", "ms": 60, "bounce_ms": 6})) for level in range(1, 6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {heard.next().level for _ in range(5)} == {1, 2, 3, 4, 5}
    assert heard.nothing()


def test_lamps_and_buzzer_are_read_back_from_the_pins(setup, until):
    path, buttons, _ = setup()
    buttons.lamps("on")
    lamps = send(path, {"get": "lamps"})["lamps"]
    assert [lamps[f"level_{level}"] for level in (5, 4, 3, 2, 1)] == [1] * 5
    assert lamps["call_staff"] == 0
    buttons.lamp("level_2", "off")
    assert send(path, {"get": "lamps"})["lamps"]["level_2"] == 0
    buttons.buzz(60)
    until(lambda: send(path, {"get": "lamps"})["lamps"]["buzzer"] == 1, "buzzer sounds")
    until(lambda: send(path, {"get": "lamps"})["lamps"]["buzzer"] == 0, "buzzer stops")


def test_a_subscriber_hears_every_change_of_a_lamp(setup):
    path, buttons, _ = setup()
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(5)
        link.connect(path)
        link.sendall(b'{"subscribe": true}\n')
        lines = link.makefile("rb")
        assert json.loads(lines.readline()) == {"ok": True}
        buttons.lamp("level_5", "blink")
        changes = [json.loads(lines.readline()) for _ in range(2)]
    assert [(change["changed"], change["pin"], change["value"]) for change in changes] == [
        ("lamp.level_5", 5, 1),
        ("lamp.level_5", 5, 0),
    ]


def test_a_stuck_button_is_named_and_released_again(setup, heard, until):
    path, buttons, _ = setup(stuck_s=1.0)
    send(path, {"set": "level_1", "value": 0})
    assert heard.next().level == 1
    until(lambda: buttons.health().reason == "buttons.stuck")
    assert (buttons.health().state, buttons.health().args) == ("degraded", {"button": "level_1"})
    send(path, {"set": "level_1", "value": 1})
    until(lambda: buttons.health().state == "ok")
    assert heard.nothing()


def test_a_chattering_button_is_named(setup, until):
    path, buttons, _ = setup()
    stop = threading.Event()

    def chatter():
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(path)
            answers = link.makefile("rb")
            value = 0
            while not stop.is_set():
                link.sendall(json.dumps({"set": "level_2", "value": value}).encode() + b"\n")
                answers.readline()
                value = 1 - value

    thread = threading.Thread(target=chatter)
    thread.start()
    try:
        until(lambda: buttons.health().reason == "buttons.chattering")
        assert buttons.health().args == {"button": "level_2"}
    finally:
        stop.set()
        thread.join()


def test_the_door_tells_open_and_closed_once_each(setup, heard, until):
    path, _, door = setup()
    send(path, {"set": "door", "value": 1})
    assert isinstance(heard.next(), DoorOpened)
    assert door.is_open()
    assert door.health().reason == "door.open"
    send(path, {"set": "door", "value": 0})
    assert isinstance(heard.next(), DoorClosed)
    assert door.is_open() is False


def test_a_shaken_door_is_no_burglary(setup, heard, until):
    # Far longer than a busy computer needs between two commands.
    path, _, door = setup(door_settle_ms=500)
    for _ in range(5):
        send(path, {"set": "door", "value": 1})
        send(path, {"set": "door", "value": 0})
    until(lambda: send(path, {"get": "pins"})["pins"]["door"] == 0)
    send(path, {"press": "level_5", "ms": 60})
    assert isinstance(heard.next(), ButtonPressed)
    assert heard.nothing()
    assert door.is_open() is False


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ({"press": "level_9"}, "is no pin here; use a BCM number or one of level_5"),
        ({"press": "level_5", "ms": -1}, "ms is -1; use 0 to 60000"),
        ({"set": "lamp.level_5", "value": 1}, "is an output"),
        ({"set": 99, "value": 1}, "is no pin here"),
        ({"set": 4, "value": 7}, "use {"),
        ({"dance": 1}, "use {"),
    ],
)
def test_wrong_commands_are_explained(setup, command, says):
    path, _, _ = setup()
    with pytest.raises(ControlError, match=says):
        send(path, command)


def test_garbage_on_the_socket_harms_nobody(setup, heard):
    path, _, _ = setup()
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(path)
        link.sendall(b"\xff\xfe{[\n" + b"x" * 10_000 + b"\n[1]\n")
    send(path, {"press": "level_5", "ms": 30})
    assert heard.next().level == 5


def test_a_socket_in_use_by_another_device_is_a_reason_not_a_crash(setup, heard, closing, until, make_config):
    path, _, _ = setup()
    config = make_config({"gpio": {"driver": "socket", "socket": path}, "buttons": {"driver": "gpio"}})
    pins = closing(GpioPins(config.gpio, config.pins()))
    second = closing(opened(config, "buttons", pins, heard.on_event, heard.on_health))
    second.start()
    until(lambda: second.health().reason == "gpio.failed")
    assert "in use by another process" in second.health().args["error"]


def test_a_socket_left_by_a_dead_process_is_taken_over(setup, tmp_path):
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "pins.sock"))
    left.close()
    path, _, _ = setup()
    assert send(path, {"get": "pins"})["pins"]["level_5"] == 1


def test_a_listener_that_fails_is_logged_without_the_button(tmp_path, heard, closing, until, make_config):
    path = str(tmp_path / "pins.sock")
    config = make_config({"gpio": {"driver": "socket", "socket": path}, "buttons": {"driver": "gpio"}})

    def fail(_name, _event):
        raise RuntimeError("listener")

    with capture_logs() as logs:
        pins = closing(GpioPins(config.gpio, config.pins()))
        panel = closing(opened(config, "buttons", pins, fail, heard.on_health))
        panel.start()
        until(lambda: panel.health().state == "ok", "pins open")
        send(path, {"press": "level_2", "ms": 40, "bounce_ms": 0})
        until(lambda: logs, "log line")
    assert [entry["event"] for entry in logs] == ["event listener failed"]
    assert "level_2" not in repr(logs)
