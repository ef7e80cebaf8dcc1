"""One contract for every peripheral, over every driver with its simulator, and over real hardware where there is some.

Real hardware: set NW_REAL_HAL to a configuration file; each configured peripheral then runs through the same tests.
"""

import ast
import os
import time
from pathlib import Path

import pytest
from hal_contract import PORTS, SECTIONS, Bench

from hal.config import HalConfig, load
from hal.factory import open_hal
from hal.health import REASONS
from hal.registry import DRIVERS, KINDS

REGISTERED = [(kind, driver) for kind, drivers in DRIVERS.items() for driver in drivers]
REAL = os.environ.get("NW_REAL_HAL", "")
# Without a file there is one case instead of one a kind, that says why it is skipped.
CASES = [*SECTIONS, *((kind, "real") for kind in (KINDS if REAL else ["any"]))]


class Case:
    """A peripheral under test with its surroundings; `hal` is opened but not started."""

    def __init__(self, name, config, heard, sim=None):
        self.name = name
        self.sim = sim
        self.heard = heard
        self.hal = open_hal(config, on_event=heard.on_event, on_health=heard.on_health)
        (self.peripheral,) = self.hal.peripherals()

    def close(self):
        self.hal.close()


def only(name, config):
    """`config` with the peripheral `name` alone."""
    return HalConfig(config.gpio, (config.section(name),))


def real_case(name, heard):
    if not REAL:
        pytest.skip("no real hardware: NW_REAL_HAL names no configuration file")
    whole = load(Path(REAL))
    if whole.section(name) is None:
        pytest.skip(f"no real hardware: {REAL} has no {name}")
    config = only(name, whole)
    return Case(name, config, heard)


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request, tmp_path, heard, closing, start_sim, make_config):
    kind, driver = request.param
    if driver == "real":
        return closing(real_case(kind, heard))
    bench = Bench(tmp_path, start_sim, closing)
    table = {kind: SECTIONS[kind, driver](bench), "gpio": {"driver": "socket", "socket": str(tmp_path / "pins.sock")}}
    return closing(Case(kind, make_config(table), heard, bench.sim))


def test_every_registered_driver_is_under_contract():
    assert set(SECTIONS) == set(REGISTERED), "add the driver's section to tests/hal_contract.py"


def test_it_is_what_its_protocol_says(case):
    assert isinstance(case.peripheral, KINDS[case.name])
    assert case.peripheral.name == case.name
    assert case.hal.named(case.name) is case.peripheral


def test_its_health_is_unknown_before_the_start_and_known_soon_after(case, until):
    assert case.peripheral.health().reason == "hal.starting"
    case.hal.start()
    until(lambda: case.peripheral.health().state in ("ok", "degraded"), "working")
    assert [health.reason for health in case.heard.healths] == [case.peripheral.health().reason]


def test_starting_and_asking_never_wait_for_the_hardware(case):
    if case.sim:
        case.sim.do("silence")
    start_s = time.monotonic()
    case.hal.start()
    case.peripheral.health()
    assert time.monotonic() - start_s < 0.5


def test_every_health_told_has_a_known_reason_its_next_step_and_arguments(case, until):
    case.hal.start()
    until(lambda: case.heard.healths)
    for health in [case.peripheral.health(), *case.heard.healths]:
        row = REASONS[health.reason]
        assert (health.state, health.next_step, set(health.args)) == (row.state, row.next_step, set(row.args))
        assert health.since_ms > 1_600_000_000_000


def test_health_keeps_the_time_since_when(case, until):
    case.hal.start()
    since_ms = until(lambda: case.heard.healths)[0].since_ms
    until(lambda: time.time_ns() // 1_000_000 > since_ms + 300)
    assert case.peripheral.health().since_ms == since_ms


def test_after_close_nothing_is_told_any_more(case, until):
    case.hal.start()
    until(lambda: case.heard.healths)
    start_s = time.monotonic()
    case.hal.close()
    assert time.monotonic() - start_s < 3
    assert case.peripheral.health().reason == "hal.stopped"
    told = len(case.heard.healths)
    if case.sim:
        case.sim.do("unplug")
    assert len(case.heard.healths) == told


@pytest.mark.parametrize("case", PORTS, indirect=True)
def test_unplugging_is_told_with_a_reason_and_replugging_recovers(case, until):
    case.hal.start()
    until(lambda: case.peripheral.health().state == "ok")
    for _ in range(2):
        case.sim.do("unplug")
        until(lambda: case.peripheral.health().reason == "port.missing")
        assert case.peripheral.health().args == {"port": case.sim.port}
        case.sim.do("plug")
        until(lambda: case.peripheral.health().state == "ok")


@pytest.mark.parametrize("case", PORTS, indirect=True)
def test_a_port_held_by_another_program_is_told_as_busy(case, until):
    import serial

    with serial.Serial(case.sim.port, exclusive=True):
        case.hal.start()
        until(lambda: case.peripheral.health().reason == "port.busy")
    until(lambda: case.peripheral.health().state == "ok")


def test_missing_hardware_is_down_with_its_reason_and_the_rest_runs(tmp_path, heard, closing, until, make_config):
    table = {
        "gpio": {"driver": "socket", "socket": str(tmp_path / "missing" / "pins.sock")},
        "buttons": {"driver": "gpio"},
        "printer": {"driver": "escpos", "port": str(tmp_path / "nothing")},
    }
    hal = closing(open_hal(make_config(table), on_event=heard.on_event, on_health=heard.on_health))
    hal.start()
    until(lambda: {one.state for one in hal.health().values()} == {"down"})
    assert {name: one.reason for name, one in hal.health().items()} == {"buttons": "gpio.failed", "printer": "port.missing"}
    assert hal.door is None
    # What was missing appears: no restart is needed.
    (tmp_path / "missing").mkdir()
    until(lambda: hal.health()["buttons"].state == "ok")


@pytest.mark.parametrize("driver", ["lgpio", "rpigpio"])
def test_a_board_without_pins_is_down_and_never_replaced_by_a_fake(driver, heard, closing, until, make_config):
    if os.path.exists("/dev/gpiochip0"):
        pytest.skip("this computer has GPIO pins")
    config = make_config({"gpio": {"driver": driver}, "buttons": {"driver": "gpio"}})
    hal = closing(open_hal(config, on_event=heard.on_event, on_health=heard.on_health))
    hal.start()
    until(lambda: hal.health()["buttons"].reason == "gpio.failed")
    assert hal.health()["buttons"].args["error"].startswith(driver)


def test_a_missing_reference_key_is_refused_and_a_good_one_gives_lasting_references(tmp_path, heard, make_config):
    from hal.config import ConfigError

    key = tmp_path / "key"
    table = {"id_card": {"driver": "samv", "port": "/dev/none", "reference_key_file": str(key)}}
    with pytest.raises(ConfigError, match="create it with 32 random bytes"):
        open_hal(make_config(table), on_event=heard.on_event, on_health=heard.on_health)
    key.write_bytes(b"short")
    with pytest.raises(ConfigError, match="has 5 bytes"):
        open_hal(make_config(table), on_event=heard.on_event, on_health=heard.on_health)
    key.write_bytes(os.urandom(32))
    assert open_hal(make_config(table), on_event=heard.on_event, on_health=heard.on_health).id_card is not None


def test_simulators_never_import_a_driver():
    folder = Path(__file__).parents[2] / "hal" / "sim"
    modules = sorted(folder.glob("*.py"))
    assert len(modules) > 5
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.startswith("hal.") and not name.startswith("hal.sim") for name in names), path.name
