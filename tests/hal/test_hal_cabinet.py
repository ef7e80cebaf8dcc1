"""The cabinet's contacts and lights on pins that another process drives: tamper, presence, guiding light, two doors."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.api import DoorClosed, DoorOpened, PresenceChanged, Tampered, TamperEnded
from hal.drivers.gpio_light import Config as LightConfig
from hal.drivers.gpio_light import brightness
from hal.drivers.gpio_tamper import Shaking
from hal.factory import open_hal
from hal.sim.control import send


@pytest.fixture
def cabinet(tmp_path, heard, closing, until, make_config):
    """Peripherals of given sections on socket-backed pins: `path, hal`, all of them working."""

    def make(**sections):
        path = str(tmp_path / "pins.sock")
        config = make_config({"gpio": {"driver": "socket", "socket": path}, **sections})
        hal = closing(open_hal(config, on_event=lambda name, event: heard.on_event(name, (name, event)), on_health=heard.on_health))
        hal.start()
        until(lambda: all(one.health().state == "ok" for one in hal.peripherals()), "pins open")
        return path, hal

    return make


def test_a_loop_that_is_cut_is_tampering_until_it_is_whole_again(cabinet, heard):
    path, hal = cabinet(tamper={"driver": "gpio", "settle_ms": 20})
    assert hal.named("tamper").is_tampered() is False
    send(path, {"set": "tamper", "value": 1})
    _, event = heard.next()
    assert isinstance(event, Tampered)
    assert hal.named("tamper").is_tampered()
    assert hal.named("tamper").health().reason == "tamper.told"
    send(path, {"set": "tamper", "value": 0})
    assert isinstance(heard.next()[1], TamperEnded)
    assert heard.nothing()


def test_a_loop_that_trembles_is_no_tampering(cabinet, heard, until):
    path, hal = cabinet(tamper={"driver": "gpio", "settle_ms": 500}, door={"driver": "gpio", "settle_ms": 20})
    for _ in range(5):
        send(path, {"set": "tamper", "value": 1})
        send(path, {"set": "tamper", "value": 0})
    # The door's event, which comes later, shows that the loop's would have come.
    until(lambda: hal.named("tamper").is_tampered() is False)
    send(path, {"set": "door", "value": 1})
    assert heard.next()[0] == "door"
    assert heard.nothing()


def test_a_vibration_sensor_tells_of_repeated_knocks_and_then_of_peace(cabinet, heard):
    path, _ = cabinet(tamper={"driver": "gpio", "sensor": "vibration", "pulses": 4, "window_s": 5, "quiet_s": 0.5})
    for _ in range(4):
        send(path, {"set": "tamper", "value": 1})
        send(path, {"set": "tamper", "value": 0})
    assert isinstance(heard.next()[1], Tampered)
    assert isinstance(heard.next()[1], TamperEnded)
    assert heard.nothing()


def test_knocks_far_apart_are_a_passing_lorry():
    shaking = Shaking(pulses=3, window_s=2, quiet_s=30)
    for at_s in (0.0, 1.5, 3.0, 4.5):
        shaking.opened(at_s)
        shaking.pass_time(at_s, is_open=False)
    assert shaking.since_s is None


def test_a_vibration_sensor_that_stays_open_was_cut_off():
    shaking = Shaking(pulses=3, window_s=2, quiet_s=30)
    shaking.opened(0.0)
    shaking.pass_time(29.0, is_open=True)
    assert shaking.since_s is None
    shaking.pass_time(31.0, is_open=True)
    assert shaking.since_s == 31.0


@given(st.lists(st.floats(0, 100), max_size=40), st.integers(1, 10))
def test_tampering_is_told_exactly_when_enough_openings_fall_into_one_window(times, pulses):
    times.sort()
    shaking = Shaking(pulses=pulses, window_s=2, quiet_s=1000)
    for at_s in times:
        shaking.opened(at_s)
    enough = any(last - first <= 2 for first, last in zip(times, times[pulses - 1 :], strict=False))
    assert (shaking.since_s is not None) is enough


def test_somebody_counts_as_there_until_the_hold_time_is_over(cabinet, heard):
    path, hal = cabinet(presence={"driver": "gpio", "hold_s": 0.6})
    assert hal.named("presence").is_present() is False
    send(path, {"set": "presence", "value": 1})
    _, came = heard.next()
    send(path, {"set": "presence", "value": 0})
    _, left = heard.next()
    assert (came, left) == (PresenceChanged(True, came.at_s), PresenceChanged(False, left.at_s))
    assert 0.6 <= left.at_s - came.at_s < 2
    assert heard.nothing()


def test_a_short_movement_is_not_missed(cabinet, heard):
    path, _ = cabinet(presence={"driver": "gpio", "hold_s": 0.3})
    for _ in range(3):
        send(path, {"set": "presence", "value": 1})
        send(path, {"set": "presence", "value": 0})
        assert [heard.next()[1].present for _ in range(2)] == [True, False]


def test_a_sensor_that_is_warming_up_is_not_believed(cabinet, heard, until):
    path, hal = cabinet(presence={"driver": "gpio", "hold_s": 0.2, "warm_up_s": 1.0})
    send(path, {"set": "presence", "value": 1})
    assert hal.named("presence").is_present() is None
    send(path, {"set": "presence", "value": 0})
    until(lambda: hal.named("presence").is_present() is False, "warmed up")
    assert heard.nothing()


def levels(path, name="light"):
    return send(path, {"get": "pins"})["pins"][name]


@pytest.mark.parametrize(("dimmable", "full"), [(True, 0.5), (False, 1)])
def test_a_light_shows_what_it_was_told_before_and_after_the_start(tmp_path, closing, heard, until, make_config, dimmable, full):
    path = str(tmp_path / "pins.sock")
    table = {"gpio": {"driver": "socket", "socket": path}, "light": {"driver": "gpio", "brightness": 0.5, "dimmable": dimmable}}
    hal = closing(open_hal(make_config(table), on_event=heard.on_event, on_health=heard.on_health))
    light = hal.named("light")
    light.show("on")
    hal.start()
    until(lambda: light.health().state == "ok")
    until(lambda: levels(path) == full)
    light.show("off")
    until(lambda: levels(path) == 0)


def test_a_breathing_light_swells_and_fades(cabinet, until):
    path, hal = cabinet(light={"driver": "gpio", "breathe_s": 1.0, "brightness": 1.0})
    hal.named("light").show("breathe")
    until(lambda: levels(path) > 0.9, "full")
    until(lambda: levels(path) < 0.1, "dark")
    until(lambda: levels(path) > 0.9, "full again")
    hal.named("light").show("off")
    until(lambda: levels(path) == 0)


@given(st.floats(1, 20), st.floats(0.05, 1), st.floats(0, 100))
def test_no_light_ever_flashes_more_than_three_times_a_second(breathe_s, full, start_s):
    for dimmable in (True, False):
        config = LightConfig(dimmable=dimmable, brightness=full, breathe_s=breathe_s)
        shown = [brightness("breathe", start_s + frame * 0.04, config) for frame in range(25)]
        assert all(0 <= level <= (full if dimmable else 1) for level in shown)
        half = (full if dimmable else 1) / 2
        assert sum(a <= half < b for a, b in itertools.pairwise(shown)) <= 3


def test_lights_at_two_places_are_switched_apart(cabinet, until):
    path, hal = cabinet(light_card={"driver": "gpio", "pin": 2}, light_printer={"driver": "gpio", "pin": 3})
    hal.named("light_card").show("on")
    until(lambda: levels(path, "light_card") > 0)
    assert levels(path, "light_printer") == 0


def test_two_doors_are_told_apart(cabinet, heard):
    path, _ = cabinet(door={"driver": "gpio", "settle_ms": 20}, door_back={"driver": "gpio", "pin": 4, "settle_ms": 20})
    send(path, {"set": "door_back", "value": 1})
    name, event = heard.next()
    assert (name, type(event)) == ("door_back", DoorOpened)
    send(path, {"set": "door_back", "value": 0})
    assert isinstance(heard.next()[1], DoorClosed)
    assert heard.nothing()
