"""The real GPIO libraries as far as they go without a Pi, and what becomes of their errors and their clocks."""

import importlib.util
import os
import threading

import pytest
from gpiozero.pins.mock import MockFactory, MockPin
from hypothesis import given
from hypothesis import strategies as st

from hal.config import GpioConfig
from hal.drivers.edge_time import OLDEST_S, monotonic_s
from hal.drivers.gpio import GpioError, GpioPins, Input, keep_pins, open_output
from hal.factory import open_hal
from hal.health import HealthRecord

CHIP = os.path.exists("/dev/gpiochip0")


@pytest.mark.parametrize(("driver", "library"), [("lgpio", "lgpio"), ("rpigpio", "RPi.GPIO")])
def test_a_library_without_its_hardware_is_a_reason_and_is_tried_again(driver, library, heard, closing, until, make_config):
    # Looked for and not imported: RPi.GPIO refuses to be imported anywhere but on a Pi, which is what this is about.
    if importlib.util.find_spec(library.split(".")[0]) is None:
        pytest.skip(f"{library} is not installed here: it is made for the boards that it drives")
    if CHIP:
        pytest.skip("/dev/gpiochip0 is here, and a test must not drive the pins of a real board")
    hal = closing(
        open_hal(
            make_config({"gpio": {"driver": driver}, "door": {"driver": "gpio"}}),
            on_event=heard.on_event,
            on_health=heard.on_health,
        )
    )
    hal.start()
    until(lambda: hal.door.health().reason == "gpio.failed")
    assert hal.door.health().args["error"].startswith(f"{driver}: ")


def test_pins_of_a_real_board_can_be_read():
    if not CHIP:
        pytest.skip("/dev/gpiochip0 is not on this machine: no GPIO chip to open")
    pins = GpioPins(GpioConfig(driver="lgpio"), {})
    try:
        assert pins.factory().ticks() > 0
    finally:
        pins.close()


class _Taken(MockPin):
    """A pin that the library cannot claim; lgpio tries that as soon as gpiozero asks for the pin."""

    error: Exception

    def __init__(self, factory, info):
        raise self.error


@pytest.fixture
def taken():
    def factory(error):
        made = MockFactory(pin_class=type("Taken", (_Taken,), {"error": error}))
        # What the last test left behind in the class would be mistaken for this factory's.
        made.reset()
        return made

    return factory


def library_errors():
    lgpio = pytest.importorskip("lgpio", reason="lgpio is not installed here: Python 3.13 has it from Debian on ARM only")
    return [lgpio.error("GPIO busy"), RuntimeError("GPIO busy"), OSError(16, "GPIO busy")]


def test_a_pin_that_another_program_holds_is_a_gpio_error_whatever_the_library_raises(taken):
    for error in library_errors():
        with pytest.raises(GpioError, match=r"pin 17: .*GPIO busy"):
            Input(taken(error), 17, lambda at_s, closed: None)
        with pytest.raises(GpioError, match=r"lamp on pin 5: .*GPIO busy"):
            open_output(taken(error), "lamp", 5)


class _Pins:
    """Pins that fail some times before they can be opened."""

    def __init__(self, *failures):
        self.failures = list(failures)

    def factory(self):
        if self.failures:
            raise self.failures.pop(0)
        return object()


def test_a_session_that_fails_is_begun_again_and_its_reason_told():
    told, stop = [], threading.Event()
    health = HealthRecord("door", lambda name, health: told.append((health.reason, health.args)))
    sessions = []

    def session(factory):
        sessions.append(factory)
        if len(sessions) == 1:
            raise ZeroDivisionError("a driver's mistake")
        health.set("hal.ok")
        stop.set()

    keep_pins(_Pins(GpioError("lgpio: can not open gpiochip")), session, health=health, stop=stop, retry_s=0)
    assert told == [
        ("gpio.failed", {"error": "lgpio: can not open gpiochip"}),
        ("hal.driver_failed", {"error": "ZeroDivisionError: a driver's mistake"}),
        ("hal.ok", {}),
    ]


def test_edges_reach_the_driver_on_the_monotonic_clock():
    factory = MockFactory()
    edges = []
    contact = Input(factory, 4, lambda at_s, closed: edges.append((at_s, closed)))
    began_s = factory.ticks()
    factory.pin(4).drive_low()
    factory.pin(4).drive_high()
    contact.close()
    factory.reset()
    assert [closed for _, closed in edges] == [True, False]
    assert all(began_s <= at_s <= factory.ticks() for at_s, _ in edges)


NOW_S, UNIX_S = 50_000.0, 1_795_000_000.0


@given(st.floats(0, OLDEST_S - 0.01))
def test_a_stamp_of_either_clock_becomes_the_same_moment(ago_s):
    for stamp in (NOW_S - ago_s, UNIX_S - ago_s):
        assert monotonic_s(stamp, now_s=NOW_S, unix_s=UNIX_S) == pytest.approx(NOW_S - ago_s, abs=1e-5)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_stamp_that_cannot_be_is_now(stamp):
    moment = monotonic_s(stamp, now_s=NOW_S, unix_s=UNIX_S)
    assert NOW_S - OLDEST_S <= moment <= NOW_S


@pytest.mark.parametrize("stamp", [NOW_S + 1, NOW_S - 60, UNIX_S + 3600, UNIX_S - 3600, 0.0])
def test_a_stamp_from_the_future_or_long_ago_is_not_believed(stamp):
    assert monotonic_s(stamp, now_s=NOW_S, unix_s=UNIX_S) == NOW_S
