"""Every driver with a cable over every kind of bad line, two of each kind, and which simulator obeys which script."""

import threading
import time

import pytest
from hal_contract import PORTS, SECTIONS, Bench

from hal.factory import open_hal
from hal.sim.control import ControlError

NOISE = "00ff37aa55aa967f0210030d0a"
TROUBLES = {
    "noise": {"bytes": NOISE}, "split": {"bytes": 1}, "merge": {"ms": 40}, "delay": {"ms": 60},
}  # fmt: skip
SPEAKERS = [*PORTS, ("ups", "nut")]

SCRIPTS = {
    "printer": {"noise", "split", "merge", "delay", "silence", "unplug", "plug", "after_mm", "paper_out", "cover", "cutter_jam"},
    "idcard": {"noise", "split", "merge", "delay", "silence", "unplug", "plug", "unplug_after", "wrong_checksum", "wrong_length",
               "remove", "two_cards", "unlicensed"},
    "scanner": {"noise", "split", "merge", "delay", "silence", "unplug", "plug", "unplug_after", "wrong_checksum", "wrong_length"},
    "box": {"noise", "split", "merge", "delay", "silence", "unplug", "plug", "cut_frame", "wrong_checksum", "wrong_length"},
    "desk": {"noise", "split", "merge", "delay", "silence", "unplug", "plug", "cut_frame", "spoil", "say"},
    "ups": {"noise", "split", "merge", "delay", "silence", "unplug", "plug", "ragged", "error"},
}  # fmt: skip
"""docs/drivers.md has the same as a table."""


@pytest.fixture
def run(tmp_path, start_sim, closing, heard, make_config):
    """A driver against its simulator, started: the peripheral and the simulator."""

    def start(kind, driver):
        bench = Bench(tmp_path, start_sim, closing)
        hal = closing(
            open_hal(make_config({kind: SECTIONS[kind, driver](bench)}), on_event=heard.on_event, on_health=heard.on_health)
        )
        hal.start()
        return hal.peripherals()[0], bench.sim

    return start


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize(("kind", "driver"), SPEAKERS)
def test_a_bad_line_is_lived_through_and_no_thread_blocks(run, until, kind, driver, trouble):
    peripheral, sim = run(kind, driver)
    until(lambda: peripheral.health().state == "ok", "working")
    threads = threading.active_count()
    for _ in range(3):
        sim.do(trouble, **TROUBLES[trouble])
        start_s = time.monotonic()
        peripheral.health()
        assert time.monotonic() - start_s < 0.1
        sim.do("unplug")
        until(lambda: peripheral.health().state in ("down", "degraded"), "missed")
        sim.do("plug")
        until(lambda: peripheral.health().state == "ok", "working again over the bad line")
    assert threading.active_count() <= threads
    start_s = time.monotonic()
    peripheral.close()
    assert time.monotonic() - start_s < 2.5


@pytest.mark.parametrize("module", SCRIPTS)
def test_each_simulator_obeys_its_scripts(start_sim, module):
    sim = start_sim(module, *(["--link", "tcp:127.0.0.1:0"] if module == "ups" else []))
    told = {script: answer(sim, script) for script in SCRIPTS[module]}
    # One that lacks an option here is known all the same.
    assert not [script for script, said in told.items() if "is not known" in said]


def answer(sim, script):
    try:
        return str(sim.do(script))
    except ControlError as refused:
        return str(refused)


@pytest.mark.parametrize(
    ("kind", "driver", "module"), [("printer", "escpos", "printer"), ("buttons", "box", "box"), ("scanner", "serial", "scanner")]
)
def test_of_two_devices_of_a_kind_each_has_its_own_health(start_sim, heard, closing, until, make_config, kind, driver, module):
    options = {"printer": ["--width", "58"], "box": ["--identity", "b0c5000000000002"], "scanner": ["--profile", "ssi"]}[module]
    first, second = start_sim(module), start_sim(module, *options)
    profile = {"profile": "ssi"} if module == "scanner" else {}
    table = {kind: {"driver": driver, "port": first.port}, f"{kind}_left": {"driver": driver, "port": second.port, **profile}}
    hal = closing(open_hal(make_config(table), on_event=heard.on_event, on_health=heard.on_health))
    hal.start()
    until(lambda: {health.reason for health in hal.health().values()} == {"hal.ok"}, "both work")
    second.do("unplug")
    until(lambda: hal.health()[f"{kind}_left"].reason == "port.missing", "the second is missed")
    assert hal.health()[kind].reason == "hal.ok"
    second.do("plug")
    until(lambda: hal.health()[f"{kind}_left"].reason == "hal.ok", "the second is back")
