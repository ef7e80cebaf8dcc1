"""The UPS driver: what upsd's lines mean, what is told when the power goes, and that silence on battery is no comfort."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.api import PowerChanged
from hal.drivers.nut import Config, NutUps
from hal.drivers.nut_lines import judge, whole, words

FAST = {"poll_s": 0.05, "deadline_s": 0.5}
NUT = next((folder for folder in map(Path, ("/lib/nut", "/usr/lib/nut")) if (folder / "dummy-ups").exists()), None)


@pytest.fixture
def sim(start_sim):
    return start_sim("ups", "--link", "tcp:127.0.0.1:0")


def port_of(sim):
    return int(sim.do("port")["port"].rpartition(":")[2])


@pytest.fixture
def ups(sim, heard, closing):
    def make(**settings):
        config = Config(**({"tcp_port": port_of(sim)} | FAST | settings))
        driver = closing(NutUps("ups", config, on_event=heard.on_event, on_health=heard.on_health))
        driver.start()
        return driver

    return make


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ("OL", "mains", "hal.ok"),
        ("OL CHRG LB", "mains", "ups.weak"),
        ("OL RB", "mains", "ups.replace_battery"),
        ("OL OVER RB", "mains", "ups.overload"),
        ("OL BYPASS", "mains", "ups.bypass"),
        ("OL TRIM", "mains", "hal.ok"),
        ("OB DISCHRG", "battery", "ups.on_battery"),
        ("OB DISCHRG LB", "low", "ups.battery_low"),
        ("OL FSD", "low", "ups.battery_low"),
        ("FSD OB LB", "low", "ups.battery_low"),
        ("CAL OB LB", "mains", "ups.calibrating"),
        ("OFF", "unknown", "ups.off"),
        ("", "unknown", "ups.no_data"),
        ("WAIT", "unknown", "ups.no_data"),
    ],
)
def test_flags_of_a_ups_mean_what_nut_says(status, state, reason):
    assert judge(status) == (state, reason)


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=60))
def test_a_quoted_value_comes_back_as_it_was(value):
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    line = f'VAR ups ups.status "{quoted}"'
    if line.isprintable():
        assert words(line.encode()) == ["VAR", "ups", "ups.status", value]


@given(st.binary(max_size=200))
def test_no_bytes_do_more_harm_than_a_value_error(line):
    with contextlib.suppress(ValueError):
        assert all(isinstance(word, str) for word in words(line))


@given(st.text(max_size=20))
def test_a_number_of_a_ups_is_whole_and_within_its_limit_or_nothing(text):
    number = whole(text, 100)
    assert number is None or 0 <= number <= 100


def test_numbers_that_models_make_up_are_nothing():
    assert [whole(text, 100) for text in ("nan", "inf", "-1", "1e9", "", None, "99.7")] == [None] * 6 + [99]


def test_a_power_cut_is_told_and_its_end_too(sim, ups, heard, until):
    driver = ups()
    until(lambda: driver.health().reason == "hal.ok")
    assert heard.nothing(), "mains from the start are no news"
    sim.do("battery", charge=90, runtime_s=1200)
    sim.do("mains", on=False)
    event = heard.next()
    assert (event.state, event.charge, event.runtime_s) == ("battery", 90, 1200)
    assert driver.health().reason == "ups.on_battery"
    sim.do("battery", charge=10, runtime_s=60)
    assert heard.next().state == "low"
    until(lambda: driver.power() == PowerChanged("low", 60, 10))
    assert driver.health().state == "down"
    sim.do("mains")
    sim.do("battery", charge=50)
    assert heard.next().state == "mains"


def test_a_battery_at_the_start_is_told(sim, ups, heard):
    sim.do("mains", on=False)
    ups()
    assert heard.next().state == "battery"


def test_an_estimate_below_the_limit_counts_as_nearly_empty(sim, ups, heard):
    sim.do("battery", charge=60, runtime_s=100)
    sim.do("mains", on=False)
    ups(low_runtime_s=120)
    assert heard.next().state == "low"


@pytest.mark.parametrize(
    ("code", "reason"),
    [("DATA-STALE", "ups.no_data"), ("DRIVER-NOT-CONNECTED", "ups.no_data"), ("ACCESS-DENIED", "ups.refused")],
)
def test_what_upsd_refuses_is_told_and_forgotten_when_it_answers_again(sim, ups, until, code, reason):
    driver = ups()
    until(lambda: driver.health().reason == "hal.ok")
    sim.do("error", code=code, times=1_000_000)
    until(lambda: driver.health().reason == reason)
    assert driver.power().state == "unknown"
    sim.do("error", code="", times=0)
    until(lambda: driver.health().reason == "hal.ok")


def test_a_wrong_name_is_told_with_the_names_there_are(sim, ups, until):
    sim.do("rename", name="hall-ups")
    driver = ups()
    until(lambda: driver.health().reason == "ups.unknown_name")
    assert driver.health().args == {"ups": "ups", "known": "hall-ups"}


@pytest.mark.parametrize("trouble", [{"do": "silence"}, {"do": "ragged"}, {"do": "delay", "ms": 2000}])
def test_silence_and_half_answers_end_within_the_deadline_and_recover(sim, ups, until, trouble):
    driver = ups()
    until(lambda: driver.health().reason == "hal.ok")
    sim.do(**{"what": trouble["do"]} | {key: value for key, value in trouble.items() if key != "do"})
    until(lambda: driver.health().reason == "ups.unreachable")
    back = {"silence": {"on": False}, "ragged": {"on": False}, "delay": {"ms": 0}}[trouble["do"]]
    sim.do(trouble["do"], **back)
    until(lambda: driver.health().reason == "hal.ok")


def test_answers_in_pieces_are_answers(sim, ups, until):
    sim.do("split", bytes=1)
    driver = ups(deadline_s=3.0)
    until(lambda: driver.health().reason == "hal.ok")


NOISE = [
    b'VAR ups ups.status "OB LB"\n',
    b"\xff\xfe\n",
    b'VAR other ups.status "OB LB"\n',
    b'VAR ups ups.status "OB\n',
    b"x" * 5000,
]


@pytest.mark.parametrize("noise", NOISE)
def test_what_nobody_asked_for_is_never_taken_for_an_answer(sim, ups, heard, until, noise):
    driver = ups(poll_s=0.3)
    until(lambda: driver.health().reason == "hal.ok")
    for at in range(0, len(noise), 1000):
        sim.do("noise", bytes=noise[at : at + 1000].hex())
    asked = sim.do("state")["questions"]
    until(lambda: sim.do("state")["questions"] > asked + 5 and driver.health().reason == "hal.ok")
    events = []
    while not heard.nothing():
        events.append(heard.next().state)
    assert set(events) <= {"unknown", "mains"}, "a line from nowhere must not shut the device down"


def test_losing_upsd_with_the_mains_there_is_unknown_and_it_comes_back_by_itself(sim, ups, heard, until):
    driver = ups()
    until(lambda: driver.health().reason == "hal.ok")
    sim.do("unplug")
    assert heard.next().state == "unknown"
    assert driver.health().reason == "ups.unreachable"
    assert driver.health().args == {"place": f"127.0.0.1:{driver._config.tcp_port}"}
    sim.do("plug")
    assert heard.next().state == "mains"


def test_losing_upsd_on_battery_counts_as_nearly_empty_after_a_while(sim, ups, heard, until):
    driver = ups(dead_s=1.0)
    sim.do("mains", on=False)
    assert heard.next().state == "battery"
    sim.do("unplug")
    until(lambda: driver.health().reason == "ups.unreachable")
    assert driver.power().state == "battery"
    assert heard.next().state == "low"
    sim.do("plug")
    assert heard.next().state == "battery"


def test_closing_does_not_wait_for_a_silent_upsd(sim, ups, until):
    sim.do("silence")
    driver = ups(deadline_s=30.0)
    until(lambda: sim.do("state")["questions"])
    start_s = time.monotonic()
    driver.close()
    assert time.monotonic() - start_s < 2


def test_the_computer_is_switched_off_only_where_the_configuration_says_so(tmp_path, heard, until, closing):
    done = tmp_path / "off"
    poweroff = (sys.executable, "-c", f"open({str(done)!r}, 'w').close()")
    for how in ("none", "systemd"):
        driver = closing(NutUps("ups", Config(shutdown=how), on_event=heard.on_event, on_health=heard.on_health, poweroff=poweroff))
        driver.shut_down()
        if how == "none":
            assert not done.exists()
    until(done.exists)


def test_a_refused_shutdown_is_told(heard, until, closing):
    poweroff = (sys.executable, "-c", "import sys; sys.exit('Interactive authentication required.')")
    driver = closing(
        NutUps("ups", Config(shutdown="systemd"), on_event=heard.on_event, on_health=heard.on_health, poweroff=poweroff)
    )
    driver.shut_down()
    until(lambda: driver.health().reason == "ups.shutdown_failed")
    assert driver.health().args == {"error": "Interactive authentication required."}


@pytest.mark.parametrize("host", ["upsd.hall.example", "", "127.0.0.1:3493", "host name"])
def test_upsd_is_named_by_its_address_because_a_lookup_may_hang_in_a_power_cut(make_config, host):
    with pytest.raises(ValueError, match="give an IP address, or localhost"):
        make_config({"ups": {"driver": "nut", "host": host}})
    make_config({"ups": {"driver": "nut", "host": "::1"}})
    make_config({"ups": {"driver": "nut", "host": "localhost"}})


def test_a_name_that_could_smuggle_a_command_is_refused(make_config):
    with pytest.raises(ValueError, match="upsc -l"):
        make_config({"ups": {"driver": "nut", "ups": "ups\nINSTCMD ups load.off"}})


class DummyUps:
    """NUT's own upsd with its dummy driver, in a folder of its own on a port of its own."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="nut"))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        (self.folder / "ups.conf").write_text(
            f"statepath = {self.folder}\n[hall]\n driver = dummy-ups\n port = {self.folder}/hall.dev\n mode = dummy-loop\n"
        )
        (self.folder / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {self.port}\nSTATEPATH {self.folder}\nMAXAGE 5\n")
        (self.folder / "upsd.users").touch()
        self.status("OL")
        environment = os.environ | {
            "NUT_CONFPATH": str(self.folder),
            "NUT_STATEPATH": str(self.folder),
            "NUT_ALTPIDPATH": str(self.folder),
        }
        common = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        user = getpass.getuser()
        self.driver = subprocess.Popen([NUT / "dummy-ups", "-a", "hall", "-u", user, "-F", "-i", "1"], **common)
        self.upsd = subprocess.Popen([NUT / "upsd", "-u", user, "-F"], **common)

    def status(self, status, charge=100, runtime_s=1800):
        new = self.folder / "new"
        new.write_text(f"ups.status: {status}\nbattery.charge: {charge}\nbattery.runtime: {runtime_s}\nTIMER 1\n")
        new.replace(self.folder / "hall.dev")

    def close(self):
        for process in (self.upsd, self.driver):
            process.terminate()
            process.wait(10)
        shutil.rmtree(self.folder)


@pytest.mark.skipif(NUT is None, reason="NUT's dummy-ups is not installed (Debian package nut-server)")
def test_the_driver_understands_nuts_own_server_and_dummy_ups(heard, closing, until):
    nut = closing(DummyUps())
    config = Config(ups="hall", tcp_port=nut.port, poll_s=0.1)
    driver = closing(NutUps("ups", config, on_event=heard.on_event, on_health=heard.on_health))
    driver.start()
    until(lambda: driver.power() == PowerChanged("mains", 1800, 100), timeout_s=20)
    nut.status("OB DISCHRG", charge=80, runtime_s=900)
    until(lambda: driver.power() == PowerChanged("battery", 900, 80), timeout_s=20)
    nut.status("OB DISCHRG LB", charge=9, runtime_s=50)
    until(lambda: driver.power() == PowerChanged("low", 50, 9), timeout_s=20)
    nut.status("OL CHRG", charge=20, runtime_s=300)
    until(lambda: driver.power().state == "mains", timeout_s=20)
    nut.driver.terminate()
    until(lambda: driver.health().reason == "ups.no_data", timeout_s=20)
    wrong = closing(NutUps("ups", Config(ups="ups", tcp_port=nut.port), on_event=heard.on_event, on_health=heard.on_health))
    wrong.start()
    until(lambda: wrong.health().reason == "ups.unknown_name", timeout_s=20)
    assert wrong.health().args == {"ups": "ups", "known": "hall"}
