"""Code scanners against their simulator: every family's trigger, right text or a clear refusal, bad lines, pulled cables."""

import json

import pytest
from click.testing import CliRunner
from private_servers import wait_for

from hal.api import Scanned, Scanner, ScanRefused
from hal.cli import main
from hal.config import ConfigError
from hal.factory import open_hal

LIT = ("honeywell", "newland", "ssi")


@pytest.fixture
def setup(start_sim, heard, closing, until, make_config):
    """A scanner on its simulator, lit where it can be: `sim, scanner`."""

    def make(profile, *, lit=True, **settings):
        sim = start_sim("scanner", "--profile", profile)
        table = {"scanner": {"driver": "serial", "port": sim.port, "profile": profile, **settings}}
        hal = closing(open_hal(make_config(table), on_event=heard.on_event, on_health=heard.on_health))
        hal.start()
        scanner = hal.named("scanner")
        assert isinstance(scanner, Scanner)
        until(lambda: scanner.health().reason == "hal.ok", "scanner is well")
        if lit and profile != "plain":
            light(scanner, sim, until)
        return sim, scanner

    return make


def show(sim, **code):
    """Hold a code up until the scanner sees it: its light may just be going out or on."""
    wait_for(lambda: sim.do("scan", **code)["seen"], deadline_s=8, what="a code seen")


def light(scanner, sim, until):
    scanner.trigger(True)
    until(lambda: sim.do("state")["lit"], "light on")


@pytest.mark.parametrize("profile", ["plain", *LIT])
def test_a_code_is_told_as_text(setup, heard, profile):
    sim, _ = setup(profile)
    assert sim.do("scan", text="办件 2026-AB-000123")["seen"]
    event = heard.next()
    assert isinstance(event, Scanned)
    assert event.text == "办件 2026-AB-000123"


@pytest.mark.parametrize("profile", LIT)
def test_the_trigger_lights_and_goes_out_by_command_after_a_code_and_in_time(setup, heard, until, profile):
    sim, scanner = setup(profile, trigger_s=1)
    scanner.trigger(False)
    until(lambda: not sim.do("state")["lit"], "light out by command")
    light(scanner, sim, until)
    show(sim, text="A001")
    assert heard.next().text == "A001"
    until(lambda: not sim.do("state")["lit"], "light out after a code")
    light(scanner, sim, until)
    until(lambda: not sim.do("state")["lit"], "light out in time", timeout_s=4)
    assert heard.nothing()


@pytest.mark.parametrize("profile", LIT)
def test_a_light_that_was_wanted_is_lit_again_after_the_cable_was_out(setup, until, profile):
    sim, _ = setup(profile)
    sim.do("reset")
    until(lambda: sim.do("state")["lit"], "light on again")


@pytest.mark.parametrize("profile", LIT)
def test_closing_puts_the_light_out(setup, until, profile):
    sim, scanner = setup(profile)
    scanner.close()
    until(lambda: not sim.do("state")["lit"], "light out")


@pytest.mark.parametrize("end", ["cr", "lf", "crlf", "none"])
def test_every_end_of_a_line_is_understood(setup, heard, end):
    sim, _ = setup("plain", idle_ms=100)
    show(sim, text="A001", end=end)
    assert heard.next().text == "A001"
    show(sim, text="A002", end=end)
    assert heard.next().text == "A002"
    assert heard.nothing()


@pytest.mark.parametrize("profile", ["plain", *LIT])
def test_gb_18030_too_long_and_no_text(setup, heard, until, profile):
    sim, scanner = setup(profile)
    for data, wanted in (("云溪".encode("gb18030"), "云溪"), (b"x" * 4500, "scan.too_long"), (b"\xff\xfe\xff", "scan.not_text")):
        if profile != "plain":
            light(scanner, sim, until)
        show(sim, bytes=data.hex())
        event = heard.next()
        assert (event.text if isinstance(event, Scanned) else event.reason) == wanted


@pytest.mark.parametrize("profile", ["plain", *LIT])
@pytest.mark.parametrize("line", [{"do": "split", "bytes": 1}, {"do": "merge", "ms": 60}, {"do": "delay", "ms": 80}])
def test_split_merged_and_late_bytes_are_put_together(setup, heard, profile, line):
    sim, _ = setup(profile, idle_ms=300)
    line = dict(line)
    sim.do(line.pop("do"), **line)
    show(sim, text="2026-AB-000123")
    assert heard.next().text == "2026-AB-000123"


def test_control_bytes_as_noise_are_no_code(setup, heard):
    sim, _ = setup("plain", idle_ms=50)
    sim.do("noise", bytes="000607111315")
    sim.do("noise", bytes="0d0a")
    show(sim, text="A001")
    assert heard.next().text == "A001"


@pytest.mark.parametrize("damage", ["wrong_checksum", "wrong_length"])
def test_a_damaged_packet_is_asked_for_again(setup, heard, damage):
    sim, _ = setup("ssi")
    sim.do(damage, times=2)
    sim.do("noise", bytes="ff05f300")
    show(sim, text="A001")
    assert heard.next().text == "A001"
    assert sim.do("state")["naks"] >= 2


def test_a_packet_that_stays_damaged_is_refused_and_the_next_one_is_read(setup, heard, until):
    sim, scanner = setup("ssi")
    sim.do("wrong_checksum", times=100)
    show(sim, text="A001")
    assert heard.next() == ScanRefused("scan.damaged")
    sim.do("wrong_checksum", times=0)
    sim.do("reset")
    light(scanner, sim, until)
    show(sim, text="A002")
    assert heard.next().text == "A002"


def test_a_lost_acknowledgement_tells_a_code_once(setup, heard, until):
    sim, scanner = setup("ssi")
    sim.do("lose_ack", times=2)
    show(sim, text="A001")
    assert heard.next().text == "A001"
    until(lambda: sim.do("state")["waiting"] == 0)
    light(scanner, sim, until)
    show(sim, text="A002")
    assert heard.next().text == "A002"


def test_a_code_of_several_packets_is_put_together(setup, heard):
    sim, _ = setup("ssi")
    show(sim, text="x" * 900)
    assert heard.next().text == "x" * 900


@pytest.mark.parametrize("profile", ["plain", *LIT])
def test_a_cable_pulled_in_the_middle_of_a_code_gives_no_half_code(setup, heard, until, profile):
    sim, scanner = setup(profile)
    sim.do("unplug_after", bytes=6)
    show(sim, text="2026-AB-000123")
    until(lambda: scanner.health().reason == "port.missing")
    sim.do("plug")
    until(lambda: scanner.health().reason == "hal.ok")
    if profile != "plain":
        light(scanner, sim, until)
    show(sim, text="A001")
    assert heard.next().text == "A001"


@pytest.mark.parametrize("profile", ["newland", "ssi"])
def test_a_scanner_that_can_be_asked_and_does_not_answer_is_down_and_recovers(setup, until, profile):
    sim, scanner = setup(profile, lit=False, poll_s=0.2)
    sim.do("silence")
    until(lambda: scanner.health().reason == "scanner.silent")
    assert scanner.health().next_step == "next.check_cable"
    sim.do("silence", on=False)
    until(lambda: scanner.health().reason == "hal.ok")


@pytest.mark.parametrize("profile", ["newland", "ssi"])
def test_a_refused_command_is_told(setup, until, profile):
    sim, scanner = setup(profile, lit=False)
    sim.do("refuse")
    scanner.trigger(True)
    until(lambda: scanner.health().reason == "scanner.refused")


def test_probing_names_the_scanners_that_tell_who_they_are(start_sim):
    ssi, newland, plain = (start_sim("scanner", "--profile", one).port for one in ("ssi", "newland", "plain"))
    told = CliRunner().invoke(main, ["probe", "--json", ssi, newland, plain])
    found = {one["port"]: str(one) for one in json.loads(told.stdout)["ports"]}
    assert "SSI decoder NW-SIM-SSI 1.0" in found[ssi]
    assert "Newland scanner" in found[newland]
    assert "'kind': 'nothing'" in found[plain]


@pytest.mark.parametrize(("settings", "named"), [({"port": "auto"}, "port"), ({"port": "/dev/none", "expect": "SAMPLE"}, "expect")])
def test_a_scanner_that_does_not_tell_who_it_is_can_not_be_found_by_asking(make_config, settings, named):
    with pytest.raises(ConfigError, match=rf"hal\.scanner\.{named} is .*; give a stable path"):
        make_config({"scanner": {"driver": "serial", **settings}})
    assert make_config({"scanner": {"driver": "serial", "profile": "ssi", **settings}}).section("scanner") is not None
