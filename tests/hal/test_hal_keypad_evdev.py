"""The 12-key pad on evdev: the kernel's own bytes through python-evdev's reader, on a pipe where there is no real device."""

import contextlib
import errno
import os
import struct
import time

import pytest

from hal.api import KeyPressed
from hal.drivers.evdev_input import open_keyboard
from hal.drivers.evdev_keypad import KEYS, Config, EvdevKeypad
from hal.drivers.line import LineDown

evdev = pytest.importorskip("evdev", reason="python3-evdev is not there: it comes from Debian, through the .venv that ./run makes")

EVENT = struct.Struct("@llHHi")
SYN, KEY = 0, 1
PATH = "/dev/input/by-id/usb-pad-event-kbd"
LEFT_SHIFT = 42


class Pipe(evdev.eventio.EventIO):
    """A device whose node is a pipe: python-evdev reads it as it reads the kernel's, and only its questions are answered here."""

    def __init__(self, name, codes):
        self.name = name
        self.codes = codes
        self.fd, self.kernel = os.pipe2(os.O_NONBLOCK)
        self.grabs = 0
        self.grab_error = 0

    def capabilities(self):
        return {KEY: list(self.codes)}

    def grab(self):
        if self.grab_error:
            raise OSError(self.grab_error, os.strerror(self.grab_error))
        self.grabs += 1

    def close(self):
        with contextlib.suppress(OSError):
            os.close(self.fd)

    def says(self, *events):
        """Write (type, code, value) triples as the kernel would, stamped with Unix time."""
        stamp = time.time_ns()
        sec, usec = divmod(stamp // 1000, 1_000_000)
        os.write(self.kernel, b"".join(EVENT.pack(sec, usec, *event) for event in events))

    def strikes(self, code, *, repeats=0):
        self.says((KEY, code, 1), (SYN, 0, 0))
        for _ in range(repeats):
            self.says((KEY, code, 2), (SYN, 0, 1))
        self.says((KEY, code, 0), (SYN, 0, 0))


class Computer:
    """`Inputs` of a computer whose devices are pipes."""

    def __init__(self):
        self.devices = {}

    def plug(self, path=PATH, name="ACME Keypad", codes=KEYS):
        self.devices[path] = Pipe(name, codes)
        return self.devices[path]

    def unplug(self, path=PATH):
        os.close(self.devices.pop(path).kernel)

    def paths(self):
        return sorted(self.devices)

    def open(self, path):
        if path not in self.devices:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return self.devices[path]


@pytest.fixture
def computer():
    return Computer()


@pytest.fixture
def started(computer, heard, closing):
    def start(**settings):
        keypad = EvdevKeypad(
            "keypad",
            Config(**{"port": PATH, **settings}),
            on_event=heard.on_event,
            on_health=heard.on_health,
            inputs=computer,
        )
        closing(keypad).start()
        return keypad

    return start


def test_every_key_of_every_kind_of_pad_is_told_by_its_name(computer, started, heard):
    pad = computer.plug()
    started()
    ecodes = evdev.ecodes
    expected = [
        *((getattr(ecodes, f"KEY_{digit}"), digit) for digit in "0123456789"),
        *((getattr(ecodes, f"KEY_KP{digit}"), digit) for digit in "0123456789"),
        *((getattr(ecodes, f"KEY_NUMERIC_{digit}"), digit) for digit in "0123456789"),
        *((getattr(ecodes, name), "clear") for name in ("KEY_KPASTERISK", "KEY_BACKSPACE", "KEY_ESC", "KEY_DELETE")),
        *((getattr(ecodes, name), "clear") for name in ("KEY_CANCEL", "KEY_NUMERIC_STAR")),
        *((getattr(ecodes, name), "enter") for name in ("KEY_ENTER", "KEY_KPENTER", "KEY_NUMERIC_POUND")),
    ]
    for code, key in expected:
        pad.strikes(code)
        assert heard.next().key == key
    assert {code for code, _ in expected} == set(KEYS)


def test_star_and_hash_typed_with_shift_are_clear_and_enter(computer, started, heard):
    pad = computer.plug()
    started()
    for code, key in ((evdev.ecodes.KEY_8, "clear"), (evdev.ecodes.KEY_3, "enter")):
        pad.says((KEY, LEFT_SHIFT, 1))
        pad.strikes(code)
        pad.says((KEY, LEFT_SHIFT, 0))
        assert heard.next().key == key
    pad.strikes(evdev.ecodes.KEY_3)
    assert heard.next().key == "3"


def test_the_device_is_grabbed_before_anything_is_read(computer, started, until):
    pad = computer.plug()
    keypad = started()
    until(lambda: keypad.health().state == "ok")
    assert pad.grabs == 1


def test_holding_a_key_repeats_nothing(computer, started, heard):
    pad = computer.plug()
    started()
    pad.strikes(evdev.ecodes.KEY_5, repeats=40)
    pad.strikes(evdev.ecodes.KEY_6)
    assert [heard.next().key for _ in range(2)] == ["5", "6"]
    assert heard.nothing()


def test_a_press_carries_its_own_time_on_the_monotonic_clock(computer, started, heard):
    pad = computer.plug()
    started()
    before_s = time.monotonic()
    pad.strikes(evdev.ecodes.KEY_1)
    event = heard.next()
    assert isinstance(event, KeyPressed)
    assert before_s - 0.001 <= event.at_s <= time.monotonic()


def test_after_lost_events_no_key_stays_down(computer, started, heard):
    pad = computer.plug()
    started()
    pad.says((KEY, evdev.ecodes.KEY_1, 1), (SYN, 0, 0))
    assert heard.next().key == "1"
    # The kernel's buffer ran over: what follows up to the report is not whole, and the release of 1 was lost.
    pad.says((SYN, 3, 0), (KEY, evdev.ecodes.KEY_9, 1), (SYN, 0, 0))
    pad.strikes(evdev.ecodes.KEY_1)
    assert heard.next().key == "1"
    assert heard.nothing()


def test_what_is_no_key_of_the_pad_is_passed_over(computer, started, heard):
    pad = computer.plug()
    started()
    pad.strikes(evdev.ecodes.KEY_A)
    pad.says((4, 4, 458756), (2, 0, 5), (KEY, 999, 1), (KEY, evdev.ecodes.KEY_2, 7))
    pad.strikes(evdev.ecodes.KEY_0)
    assert heard.next().key == "0"
    assert heard.nothing()


def test_unplugging_and_plugging_recovers_by_itself(computer, started, heard, until):
    computer.plug()
    keypad = started()
    until(lambda: keypad.health().state == "ok")
    computer.unplug()
    until(lambda: keypad.health().reason == "port.missing")
    pad = computer.plug()
    until(lambda: keypad.health().state == "ok")
    pad.strikes(evdev.ecodes.KEY_7)
    assert heard.next().key == "7"


def test_a_key_that_stays_down_is_named_until_it_is_let_go(computer, started, heard, until):
    pad = computer.plug()
    keypad = started(stuck_s=1.0)
    pad.says((KEY, evdev.ecodes.KEY_4, 1), (SYN, 0, 0))
    until(lambda: keypad.health().reason == "buttons.stuck")
    assert keypad.health().args == {"button": "4"}
    pad.says((KEY, evdev.ecodes.KEY_4, 0), (SYN, 0, 0))
    until(lambda: keypad.health().reason == "hal.ok")


def test_a_pad_is_found_by_its_name_and_by_having_the_keys(computer, started, heard, until):
    computer.plug("/dev/input/event0", "Power Button", codes=[116])
    computer.plug("/dev/input/event1", "ACME Keypad Consumer Control", codes=[113, 114])
    pad = computer.plug("/dev/input/event2", "ACME Keypad")
    started(port="name:ACME Keypad")
    pad.strikes(evdev.ecodes.KEY_3)
    assert heard.next().key == "3"


@pytest.mark.parametrize(
    ("port", "expect", "plugged", "reason", "args"),
    [
        (PATH, "", [], "port.missing", {"port": PATH}),
        (PATH, "Numpad", [PATH], "hal.wrong_device", {"port": PATH, "expected": "Numpad", "found": "ACME Keypad"}),
        ("name:Other", "", [PATH], "port.not_found", {"expected": "Other", "looked": "ACME Keypad"}),
    ],
)
def test_a_pad_that_is_not_there_is_explained(computer, port, expect, plugged, reason, args):
    for path in plugged:
        computer.plug(path)
    with pytest.raises(LineDown) as down:
        open_keyboard(port, needs=frozenset(KEYS), expect=expect, inputs=computer)
    assert (down.value.reason, down.value.reason_args) == (reason, args)


def test_two_pads_of_one_name_must_be_told_apart(computer):
    computer.plug("/dev/input/event1")
    computer.plug("/dev/input/event2")
    with pytest.raises(LineDown, match="2 devices are called so; give the path of one: /dev/input/event1, /dev/input/event2"):
        open_keyboard("name:ACME", needs=frozenset(KEYS), inputs=computer)


@pytest.mark.parametrize(
    ("code", "reason"), [(errno.EBUSY, "port.busy"), (errno.EACCES, "port.denied"), (errno.ENODEV, "port.missing")]
)
def test_a_pad_that_cannot_be_grabbed_is_not_used(computer, code, reason):
    computer.plug().grab_error = code
    with pytest.raises(LineDown) as down:
        open_keyboard(PATH, needs=frozenset(KEYS), inputs=computer)
    assert down.value.reason == reason


def test_a_real_keyboard_of_the_kernel_is_grabbed_and_read(heard, closing, until):
    if not os.path.exists("/dev/uinput"):
        pytest.skip("/dev/uinput is not on this machine, so the kernel can make no keyboard")
    with evdev.UInput(name="nightwindow test pad") as made:
        keypad = EvdevKeypad("keypad", Config(port="name:nightwindow test pad"), on_event=heard.on_event, on_health=heard.on_health)
        closing(keypad).start()
        until(lambda: keypad.health().state == "ok", "found")
        for value in (1, 0):
            made.write(KEY, evdev.ecodes.KEY_KP5, value)
            made.syn()
        assert heard.next().key == "5"
        with pytest.raises(OSError, match="busy"):
            evdev.InputDevice(made.device.path).grab()
