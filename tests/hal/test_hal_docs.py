"""docs/hardware.md and docs/drivers.md tell everything that they should: reasons, settings, profiles, simulators' commands."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from hal.config import GpioConfig, from_table
from hal.drivers import samv
from hal.drivers.escpos_profiles import PROFILES
from hal.health import NEXT_STEPS, REASONS
from hal.registry import DRIVERS, kind_of, module_of
from hal.sim.control import ControlError

DOCS = Path(__file__).parents[2] / "docs"
DOC = "".join((DOCS / name).read_text(encoding="utf-8") for name in ("hardware.md", "drivers.md"))


def examples():
    """Every section of every TOML example of the page, by name."""
    blocks = re.findall(r"```toml\n(.*?)```", DOC, re.S)
    return [section for block in blocks for section in tomllib.loads(block).get("hal", {}).items()]


@pytest.mark.parametrize("reason", REASONS)
def test_every_health_reason_is_in_the_manual_with_its_meaning_and_next_step(reason):
    row = REASONS[reason]
    (line,) = [line for line in DOC.splitlines() if line.startswith(f"| `{reason}` |")]
    assert row.meaning in line
    assert f"`{row.next_step}`" in line
    assert f"| {row.state} |" in line


def test_every_next_step_is_explained():
    assert all(f"| `{step}` | {text} |" in DOC for step, text in NEXT_STEPS.items())


@pytest.mark.parametrize(("kind", "driver"), [(kind, driver) for kind, drivers in DRIVERS.items() for driver in drivers])
def test_every_driver_has_an_example_with_every_setting_and_its_default(kind, driver):
    fitting = [table for name, table in examples() if kind_of(name) == kind and table.get("driver") == driver]
    assert fitting, f"docs/hardware.md has no example of {kind} with driver {driver}"
    struct = module_of(kind, driver).Config
    assert set(fitting[0]) == {*struct.__struct_fields__, "driver"}
    config = from_table({"gpio": {"driver": "lgpio"}, kind: fitting[0]})
    defaults, written = msgspec.to_builtins(struct()), msgspec.to_builtins(config.sections[0].settings)
    free = {"port", "expect", "reference_key_file"} | {name for name, value in defaults.items() if value in ("", None)}
    assert {name: value for name, value in written.items() if name not in free} == {
        name: value for name, value in defaults.items() if name not in free
    }


def test_the_pins_themselves_have_an_example():
    (gpio,) = [table for name, table in examples() if name == "gpio"]
    assert set(gpio) == set(GpioConfig.__struct_fields__)


def test_every_profile_is_in_the_manual():
    for name in [*PROFILES, *samv.PROFILES]:
        assert f"`{name}`" in DOC


@pytest.mark.parametrize("module", ["printer", "idcard", "scanner", "box", "desk", "ups"])
def test_every_command_of_a_simulator_is_in_the_manual(start_sim, module):
    sim = start_sim(module, *(("--link", "tcp:127.0.0.1:0") if module == "ups" else ()))
    with pytest.raises(ControlError) as refused:
        sim.do("no such command")
    names = re.search(r"use one of (.*)", str(refused.value)).group(1).split(", ")
    assert len(names) > 8
    for name in names:
        assert f'{{"do": "{name}"' in DOC, name
