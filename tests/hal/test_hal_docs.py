"""docs/hardware.md tells everything that it should: each reason, setting, profile and simulator command."""

import re
import tomllib
import typing
from pathlib import Path

import msgspec
import pytest

from hal.config import HalConfig, from_table
from hal.drivers import escpos, samv
from hal.health import NEXT_STEPS, REASONS
from hal.sim.control import ControlError

DOC = (Path(__file__).parents[2] / "docs" / "hardware.md").read_text(encoding="utf-8")


def settings(kind, place="hal"):
    for name, hint in typing.get_type_hints(kind).items():
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            yield from settings(hint, f"{place}.{name}")
        else:
            yield place, name


def example():
    (text,) = re.findall(r"```toml\n(.*?)```", DOC, re.S)
    return text


@pytest.mark.parametrize("reason", REASONS)
def test_every_health_reason_is_in_the_manual_with_its_meaning_and_next_step(reason):
    row = REASONS[reason]
    (line,) = [line for line in DOC.splitlines() if line.startswith(f"| `{reason}` |")]
    assert row.meaning in line
    assert f"`{row.next_step}`" in line
    assert f"| {row.state} |" in line


def test_every_next_step_is_explained():
    assert all(f"| `{step}` | {text} |" in DOC for step, text in NEXT_STEPS.items())


def test_the_example_has_every_setting_with_its_default_pins():
    table = tomllib.loads(example())
    for place, name in settings(HalConfig):
        node = table
        for part in place.split("."):
            node = node[part]
        assert name in node, f"{place}.{name}"
    config = from_table(table["hal"])
    assert (config.buttons.pins, config.buttons.lamps) == (HalConfig().buttons.pins, HalConfig().buttons.lamps)


def test_every_profile_is_in_the_manual():
    for name in [*escpos.PROFILES, *samv.PROFILES]:
        assert f"`{name}`" in DOC


@pytest.mark.parametrize("module", ["printer", "idcard"])
def test_every_command_of_a_simulator_is_in_the_manual(start_sim, module):
    sim = start_sim(module)
    with pytest.raises(ControlError) as refused:
        sim.do("no such command")
    names = re.search(r"use one of (.*)", str(refused.value)).group(1).split(", ")
    assert len(names) > 8
    for name in names:
        assert f'{{"do": "{name}"' in DOC, name
