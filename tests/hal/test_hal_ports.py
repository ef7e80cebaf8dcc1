"""Ports by path and by asking: two devices of a kind, a device that answers for another, plugs pulled and exchanged."""

import os

import pytest

from hal import ports
from hal.factory import open_hal

SAM = "05.01-20260101-0000000001-0000000002"


@pytest.fixture
def run_hal(heard, closing, make_config, monkeypatch):
    """A started Hal over a computer whose serial ports are `present`."""

    def make(present, **sections):
        monkeypatch.setattr(ports, "present_ports", lambda: [path for path in present if os.path.exists(path)])
        hal = closing(open_hal(make_config(sections), on_event=heard.on_event, on_health=heard.on_health))
        hal.start()
        return hal

    return make


def reasons(hal):
    return {name: health.reason for name, health in hal.health().items()}


def test_auto_finds_each_device_on_whatever_port_it_is(start_sim, run_hal, until):
    printer, reader = start_sim("printer"), start_sim("idcard")
    hal = run_hal(
        [reader.port, printer.port],
        printer={"driver": "escpos", "port": "auto"},
        id_card={"driver": "samv", "port": "auto"},
    )
    until(lambda: reasons(hal) == {"printer": "hal.ok", "id_card": "hal.ok"}, "both found")


def test_auto_leaves_ports_alone_that_another_section_names(start_sim, run_hal, until):
    reader = start_sim("idcard")
    hal = run_hal([reader.port], printer={"driver": "escpos", "port": reader.port}, id_card={"driver": "samv", "port": "auto"})
    until(lambda: reasons(hal)["id_card"] == "port.not_found")
    assert hal.health()["id_card"].args == {"expected": "id_card (samv)", "looked": "-"}


def test_two_readers_are_told_apart_by_what_they_say_of_themselves(start_sim, run_hal, heard, until):
    first, second = start_sim("idcard"), start_sim("idcard", "--serial", "9")
    hal = run_hal(
        [first.port, second.port],
        id_card={"driver": "samv", "port": "auto", "expect": "0000000001-0000000009", "poll_ms": 20},
        id_card_2={"driver": "samv", "port": "auto", "expect": SAM, "poll_ms": 20},
    )
    until(lambda: set(reasons(hal).values()) == {"hal.ok"}, "both found")
    for name, sim in {"id_card": second, "id_card_2": first}.items():
        assert not hal.named(name).card_present()
        sim.do("insert")
        until(hal.named(name).card_present, f"the card on {name}")


def test_exchanged_plugs_are_refused_with_both_names(start_sim, run_hal, until):
    reader = start_sim("idcard")
    hal = run_hal([], id_card={"driver": "samv", "port": reader.port, "expect": "0000000001-0000000009"})
    until(lambda: reasons(hal)["id_card"] == "hal.wrong_device")
    args = hal.health()["id_card"].args
    assert args["expected"] == "0000000001-0000000009"
    assert SAM in args["found"]


def test_a_printer_on_the_readers_port_is_named_and_nothing_is_printed(start_sim, run_hal, until):
    printer = start_sim("printer")
    hal = run_hal([], id_card={"driver": "samv", "port": printer.port, "poll_ms": 20})
    until(lambda: reasons(hal)["id_card"] == "hal.wrong_device", "the printer is recognised")
    args = hal.health()["id_card"].args
    assert (args["expected"], args["port"]) == ("id_card (samv)", printer.port)
    assert args["found"].startswith("printer: ESC/POS NW-SIM")


def test_a_found_device_that_is_pulled_is_searched_again_and_found_elsewhere(start_sim, run_hal, until, tmp_path):
    reader = start_sim("idcard")
    hal = run_hal([reader.port], id_card={"driver": "samv", "port": "auto"})
    until(lambda: reasons(hal)["id_card"] == "hal.ok")
    reader.do("unplug")
    until(lambda: reasons(hal)["id_card"] == "port.not_found")
    reader.do("plug")
    until(lambda: reasons(hal)["id_card"] == "hal.ok", "found again")
