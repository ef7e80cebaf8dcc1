"""A scanner that types: real `input_event` bytes become the text that was on the code, and never a wrong one."""

import errno
import os
import struct
import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.api import Scanned, ScanRefused
from hal.drivers.scanner_hid import PLAIN, SHIFTED, Config, HidScanner

EVENT = struct.Struct("llHHi")
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=80)


class PipeDevice:
    """A device whose events are bytes in a pipe, as the kernel would write them."""

    name = "SAMPLE Scanner"

    def __init__(self, device):
        self._device = device
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)

    def fileno(self):
        return self.read_end

    def capabilities(self):
        return {1: [*PLAIN, 28]}

    def read(self):
        data = os.read(self.read_end, EVENT.size * 64)
        for at in range(0, len(data), EVENT.size):
            seconds, micros, kind, code, value = EVENT.unpack_from(data, at)
            yield SimpleNamespace(sec=seconds, usec=micros, type=kind, code=code, value=value)

    def grab(self):
        if self._device.grabbed_by_other:
            raise OSError(errno.EBUSY, "busy")
        self._device.grabbed = True

    def close(self):
        os.close(self.read_end)


class Plug:
    """The computer's input devices: one, which can be typed on, unplugged and plugged again."""

    def __init__(self):
        self.open_device = None
        self.there, self.grabbed, self.grabbed_by_other = True, False, False

    def paths(self):
        return ["/dev/input/event0"] if self.there else []

    def open(self, path):
        if not self.there:
            raise OSError(errno.ENOENT, "missing")
        self.open_device = PipeDevice(self)
        return self.open_device

    def unplug(self):
        self.there = False
        os.close(self.open_device.write_end)

    def events(self, *events):
        now_s = time.time()
        data = b"".join(EVENT.pack(int(now_s), int(now_s % 1 * 1e6), *event) for event in events)
        os.write(self.open_device.write_end, data)

    def key(self, code, *, with_key=None):
        strokes = [(1, code, 1), (0, 0, 0), (1, code, 0), (0, 0, 0)]
        if with_key:
            strokes = [(1, with_key, 1), (0, 0, 0), *strokes, (1, with_key, 0), (0, 0, 0)]
        self.events(*strokes)

    def type(self, text, *, enter=True):
        for char in text:
            plain = next((code for code, one in PLAIN.items() if one == char), None)
            code = plain or next(code for code, one in SHIFTED.items() if one == char)
            self.key(code, with_key=None if plain else 42)
        if enter:
            self.key(28)


@pytest.fixture
def plug():
    return Plug()


@pytest.fixture
def scanner(plug, heard, closing, until):
    config = Config(port="/dev/input/by-id/sample", idle_ms=100)
    one = closing(HidScanner("scanner", config, on_event=heard.on_event, on_health=heard.on_health, inputs=plug))
    one.start()
    until(lambda: one.health().reason == "hal.ok")
    return one


def test_what_is_typed_is_told_as_text_and_the_device_is_grabbed(scanner, plug, heard):
    plug.type('2026-AB_000123 "x"/\\|~')
    event = heard.next()
    assert isinstance(event, Scanned)
    assert event.text == '2026-AB_000123 "x"/\\|~'
    assert plug.grabbed


def test_silence_ends_a_code_without_enter(scanner, plug, heard):
    plug.type("A001", enter=False)
    assert heard.next().text == "A001"
    plug.type("A002")
    assert heard.next().text == "A002"
    assert heard.nothing()


def test_characters_typed_by_number_are_refused_not_guessed(scanner, plug, heard):
    plug.key(72, with_key=56)
    plug.type("A001")
    assert heard.next() == ScanRefused("scan.not_text")
    plug.type("A002")
    assert heard.next().text == "A002"


def test_control_characters_are_dropped(scanner, plug, heard):
    plug.type("A0", enter=False)
    plug.key(27, with_key=29)
    plug.type("01")
    assert heard.next().text == "A001"


def test_a_code_of_which_the_kernel_dropped_keys_is_refused(scanner, plug, heard):
    plug.type("A0", enter=False)
    plug.events((0, 3, 0), (1, 30, 1), (0, 0, 0))
    plug.type("1")
    assert heard.next() == ScanRefused("scan.damaged")
    plug.type("A002")
    assert heard.next().text == "A002"


def test_too_long_a_code_is_refused(scanner, plug, heard):
    for _ in range(500):
        plug.type("123456789", enter=False)
    plug.type("")
    assert heard.next() == ScanRefused("scan.too_long")


def test_a_scanner_pulled_in_the_middle_of_a_code_tells_nothing_and_comes_back(scanner, plug, heard, until):
    plug.type("A0", enter=False)
    plug.unplug()
    until(lambda: scanner.health().reason == "port.missing")
    plug.there = True
    until(lambda: scanner.health().reason == "hal.ok")
    plug.type("A002")
    assert heard.next().text == "A002"


def test_a_scanner_grabbed_by_another_program_is_told_as_busy(plug, heard, closing, until):
    plug.grabbed_by_other = True
    config = Config(port="name:SAMPLE")
    one = closing(HidScanner("scanner", config, on_event=heard.on_event, on_health=heard.on_health, inputs=plug))
    one.start()
    until(lambda: one.health().reason == "port.busy")
    plug.grabbed_by_other = False
    until(lambda: one.health().reason == "hal.ok")


@given(text=PRINTABLE)
def test_every_ascii_character_has_its_key(text):
    keys = {char: (code, False) for code, char in PLAIN.items()} | {char: (code, True) for code, char in SHIFTED.items()}
    assert all(char in keys for char in text)


def test_a_real_device_made_by_uinput_is_read():
    evdev = pytest.importorskip("evdev", reason="python3-evdev is not installed")
    if not os.path.exists("/dev/uinput"):
        pytest.skip("this kernel has no /dev/uinput, so no real input device can be made")
    from hal.drivers.evdev_input import open_keyboard

    with evdev.UInput(name="nightwindow sample scanner") as typed:
        keyboard = open_keyboard(typed.device.path, needs=frozenset((28,)))
        typed.write(1, 30, 1)
        typed.syn()
        assert [stroke.code for stroke in keyboard.read(2)] == [30]
        keyboard.close()
