"""Temperature: what the kernel's files say, what counts as too hot, and that a damaged or missing sensor is never a temperature."""

import shutil

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from hal.drivers import hwmon_temperature, w1_temperature
from hal.drivers.temperature_text import SensorError, w1_slave
from hal.drivers.thermometer import Limits, SensorThermometer
from hal.drivers.w1_temperature import Reading
from hal.factory import open_hal
from hal.sim import thermometer as sim


@pytest.fixture
def started(tmp_path, heard, closing, make_config):
    """A thermometer on `tmp_path`, running: `started("w1", high_c=50)`."""

    def start(driver, **settings):
        table = {"temperature": {"driver": driver, "root": str(tmp_path), "poll_s": 0.05, **settings}}
        hal = closing(open_hal(make_config(table), on_event=heard.on_event, on_health=heard.on_health))
        hal.start()
        return hal.named("temperature")

    return start


def show(driver, root, celsius):
    {"w1": sim.show_w1, "hwmon": sim.show_hwmon}[driver](root, celsius)


@pytest.mark.parametrize("driver", ["w1", "hwmon"])
def test_the_reading_is_told_and_its_limits_are_health(driver, started, tmp_path, until):
    show(driver, tmp_path, 21.5)
    sensor = started(driver, high_c=50, low_c=0)
    until(lambda: sensor.celsius() == 21.5)
    assert sensor.health().reason == "hal.ok"
    show(driver, tmp_path, 61.0)
    until(lambda: sensor.health().reason == "temperature.high")
    assert (sensor.health().state, sensor.health().args) == ("degraded", {"celsius": "61"})
    show(driver, tmp_path, 48.0)
    until(lambda: sensor.celsius() == 48.0)
    assert sensor.health().reason == "temperature.high", "it must come back by more than a flicker"
    show(driver, tmp_path, 40.0)
    until(lambda: sensor.health().reason == "hal.ok")
    show(driver, tmp_path, -5.0)
    until(lambda: sensor.health().reason == "temperature.low")


@pytest.mark.parametrize("driver", ["w1", "hwmon"])
def test_a_sensor_that_vanishes_and_comes_back_is_told(driver, started, tmp_path, until):
    show(driver, tmp_path, 20.0)
    sensor = started(driver)
    until(lambda: sensor.celsius() == 20.0)
    for folder in tmp_path.iterdir():
        shutil.rmtree(folder)
    until(lambda: sensor.health().reason == "temperature.silent")
    assert sensor.health().state == "down"
    assert sensor.celsius() is None
    show(driver, tmp_path, 22.0)
    until(lambda: sensor.health().reason == "hal.ok")
    assert sensor.celsius() == 22.0


def test_one_damaged_reading_is_passed_over_and_many_are_a_dead_sensor(started, tmp_path, until):
    sim.show_w1(tmp_path, 20.0)
    sensor = started("w1")
    until(lambda: sensor.celsius() == 20.0)
    sim.show_w1(tmp_path, 99.0, damaged=True)
    until(lambda: sensor.health().reason == "temperature.silent")
    assert "checksum" in sensor.health().args["error"]
    assert sensor.celsius() is None


def test_two_failed_readings_in_a_row_are_passed_over_and_a_third_is_not(closing, heard, until):
    # None is a reading that fails.
    readings = [20.0, None, None, 21.0, None, None, None]
    seen = []

    def read():
        seen.append((sensor.celsius(), sensor.health().reason))
        value = readings.pop(0) if readings else None
        if value is None:
            raise SensorError("the sensor says nothing")
        return value

    sensor = SensorThermometer("temperature", read, poll_s=0.01, limits=Limits(low_c=0, high_c=60), on_health=heard.on_health)
    closing(sensor).start()
    until(lambda: len(seen) > 7)
    assert seen[:8] == [(None, "hal.starting"), *[(20.0, "hal.ok")] * 3, *[(21.0, "hal.ok")] * 3, (None, "temperature.silent")]


@given(st.floats(-55, 125))
def test_every_temperature_the_simulator_shows_is_read_back_to_a_sixteenth(tmp_path_factory, celsius):
    root = tmp_path_factory.mktemp("w1")
    sim.show_w1(root, celsius)
    text = (root / sim.SENSOR / "w1_slave").read_text()
    assert w1_slave(text) == pytest.approx(celsius, abs=1 / 16)


@given(st.text(max_size=200))
def test_no_text_of_any_kind_is_taken_for_a_temperature(text):
    with pytest.raises(SensorError):
        w1_slave(text)


def test_the_checksum_is_that_of_the_data_sheet():
    # Maxim's application note 27 computes it over this ROM number.
    assert sim.crc8(bytes.fromhex("021cb801000000")) == 0xA2


def test_85_degrees_right_after_switching_on_is_no_temperature_but_twice_is(tmp_path):
    read = Reading(w1_temperature.Config(root=str(tmp_path)))
    sim.show_w1(tmp_path, 85.0)
    with pytest.raises(SensorError, match="before it has measured"):
        read()
    assert read() == 85.0


def test_two_sensors_need_a_name(tmp_path):
    for sensor in ("28-000000000001", "28-000000000002"):
        sim.show_w1(tmp_path, 20.0, sensor=sensor)
    with pytest.raises(SensorError, match=r"2 sensors .*; set sensor to one"):
        Reading(w1_temperature.Config(root=str(tmp_path)))()
    assert Reading(w1_temperature.Config(root=str(tmp_path), sensor="28-000000000002"))() == 20.0


def test_a_chip_is_found_by_its_name_whatever_its_number(tmp_path):
    sim.show_hwmon(tmp_path, 50.0, chip="cpu_thermal", number=0)
    sim.show_hwmon(tmp_path, 31.25, chip="lm75", number=3)
    assert hwmon_temperature.read(hwmon_temperature.Config(root=str(tmp_path))) == 31.25
    with pytest.raises(SensorError, match="0 chips called tmp102"):
        hwmon_temperature.read(hwmon_temperature.Config(root=str(tmp_path), chip="tmp102"))


@pytest.mark.parametrize("said", ["", "hot", "999999", "-60000", "21.5"])
def test_nonsense_in_the_file_is_an_error_that_says_so(tmp_path, said):
    sim.show_hwmon(tmp_path, 20.0)
    (tmp_path / "hwmon0" / "temp1_input").write_text(said)
    with pytest.raises(SensorError, match="the sensor says"):
        hwmon_temperature.read(hwmon_temperature.Config(root=str(tmp_path)))


@given(st.lists(st.floats(-55, 125), max_size=50))
def test_outside_the_limits_is_always_told_and_well_inside_never(readings):
    limits = Limits(low_c=0, high_c=60)
    for celsius in readings:
        reason = limits.judge(celsius)
        if celsius > 60:
            assert reason == "temperature.high"
        elif celsius < 0:
            assert reason == "temperature.low"
        elif 3 <= celsius <= 57:
            assert reason == "hal.ok"


def test_wrong_settings_are_explained(make_config):
    with pytest.raises(ValueError, match=r"hal.temperature.sensor is 28-7; give an id such as 28-0316a2795a2b") as wrong:
        make_config({"temperature": {"driver": "w1", "sensor": "28-7", "high_c": 20, "low_c": 30}})
    assert "low_c must be the smaller" in str(wrong.value)


def test_the_simulator_shows_a_sensor_and_takes_it_away(tmp_path):
    run = CliRunner().invoke
    assert run(sim.main, ["--root", str(tmp_path), "--celsius", "20"]).exit_code == 0
    assert Reading(w1_temperature.Config(root=str(tmp_path)))() == 20.0
    assert run(sim.main, ["--root", str(tmp_path)]).exit_code == 0
    assert not w1_temperature.is_there(w1_temperature.Config(root=str(tmp_path)))
