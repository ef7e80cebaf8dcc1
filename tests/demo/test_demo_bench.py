"""The hardware bench: every button does what it says to real simulators and drivers, and each fault is told with its reason."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from waiting import until

from demo import settings
from demo.bench_acts import ON_PINS, PASSPORT, WARM_C, groups
from demo.bench_page import bench_app
from demo.catalogue import read_catalogue
from demo.device import Device
from demo.hall import PLANS, Plan
from demo.processes import Processes
from demo.screens import Screen
from hal.config import load
from hal.factory import Hal, open_hal
from hal.sim import thermometer

ROOT = Path(__file__).parents[2]


class Booth:
    """One device of the demonstration without its screen: simulators, and hal in place of the face."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.device = Device(plan.name, plan.role, folder, Screen(":0", *plan.size), Processes(folder, say=lambda text: None))
        self.device.on_cables = plan.on_cables
        ups = 0 if plan.on_cables else settings.free_port()
        table = settings.device_settings(
            plan.role, folder, size=plan.size, mm=plan.mm, door=1, broker=2, on_cables=plan.on_cables, ups=ups
        )
        kinds = ("printer", "idcard", "scanner") if plan.role == "terminal" else ("box", "desk") if plan.on_cables else ()
        links = {kind: str(folder / kind) for kind in kinds} | ({"ups": f"tcp:127.0.0.1:{ups}"} if ups else {})
        thermometer.show_w1(folder / "w1", WARM_C)
        self.sims = []
        for kind, link in links.items():
            command = [sys.executable, "-m", f"hal.sim.{kind}", "--link", link, "--control", str(folder / f"{kind}.ctl")]
            self.sims.append(subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT))
        for sim in self.sims:
            assert sim.stdout is not None
            assert sim.stdout.readline() == b"ready\n"
        config = load(settings.write(folder / "device.toml", table))
        self.hal: Hal = open_hal(config, on_event=lambda name, event: None, on_health=lambda name, health: None)
        self.hal.start()
        self.page = TestClient(bench_app({plan.name: self.device}, invite=lambda name: "invited", console_url="http://console"))

    def press(self, name: str) -> None:
        reply = self.page.post(f"/devices/{self.device.name}/do", json={"act": name})
        assert reply.status_code == 200, (name, reply.text)

    def state(self) -> dict[str, Any]:
        told: dict[str, Any] = self.page.get(f"/devices/{self.device.name}/state").json()
        return told

    def reason(self, part: str) -> str:
        return self.hal.health()[part].reason

    def close(self) -> None:
        self.hal.close()
        for sim in self.sims:
            sim.terminate()
            sim.wait(5)
            assert sim.stdout is not None
            sim.stdout.close()


@pytest.fixture(scope="module", params=PLANS, ids=lambda plan: plan.name)
def booth(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booth]:
    made = Booth(request.param, tmp_path_factory.mktemp(request.param.name))
    until(lambda: all(health.state == "ok" for health in made.hal.health().values()), "everything works")
    yield made
    made.close()


SKIPPED = {"power", "network_cut", "network_silent"}
"""They act on processes and cables of a whole hall, which `./run demo` and the fault runs have."""


def test_every_button_is_obeyed_and_every_switch_can_be_thrown_back(booth: Booth) -> None:
    for button in (b for group in groups(booth.device) for b in group.buttons if b.name not in SKIPPED):
        booth.press(button.name)
        if button.undo is not None:
            assert button.name in booth.state()["on"]
            booth.press(button.name)
        assert booth.state()["on"] == []
    if booth.device.role == "terminal":
        booth.press("paper_load")
        booth.press("card_remove")
    until(lambda: all(health.state == "ok" for health in booth.hal.health().values()), f"mended: {booth.hal.health()}")


def test_the_code_that_is_held_up_is_an_items_code_of_the_demonstration() -> None:
    assert PASSPORT in {item.code for item in read_catalogue().items}


FAULTS = {
    "cover": ("printer", "printer.cover_open"), "head": ("printer", "printer.head_hot"),
    "printer_unplug": ("printer", "port.missing"), "printer_silent": ("printer", "printer.silent"),
    "idcard_unplug": ("id_card", "port.missing"), "card_unlicensed": ("id_card", "id_card.not_licensed"),
    "scanner_unplug": ("scanner", "port.missing"),
    "tamper": ("tamper", "tamper.told"), "door": ("door", "door.open"),
    "hot": ("temperature", "temperature.high"), "no_sensor": ("temperature", "temperature.silent"),
    "mains": ("ups", "ups.on_battery"), "battery": ("ups", "ups.battery_low"), "ups_silent": ("ups", "ups.unreachable"),
    "box_unplug": ("buttons", "port.missing"), "box_opened": ("buttons", "buttons.box_opened"),
    "desk_unplug": ("desk", "port.missing"),
}  # fmt: skip


def test_each_fault_is_told_with_its_reason_and_ends_when_it_is_mended(booth: Booth) -> None:
    names = {b.name for group in groups(booth.device) for b in group.buttons}
    tried = {name: told for name, told in FAULTS.items() if name in names}
    for name, (part, reason) in tried.items():
        booth.press(name)
        until(lambda part=part, reason=reason: booth.reason(part) == reason, f"{name}: {reason}")
        booth.press(name)
        until(lambda part=part: booth.reason(part) == "hal.ok", f"{name} mended")
    assert len(tried) >= 3


def test_positions_of_one_thing_exclude_each_other(booth: Booth) -> None:
    booth.press("network_cut")
    booth.press("network_silent")
    assert booth.state()["on"] == ["network_silent"]
    booth.press("network_silent")
    assert booth.state()["on"] == []


def test_a_button_that_is_not_there_is_refused_with_those_that_are(booth: Booth) -> None:
    reply = booth.page.post(f"/devices/{booth.device.name}/do", json={"act": "explode"})
    assert reply.status_code == 422
    assert "network_cut" in reply.json()["detail"]


def test_the_page_has_every_button_in_chinese_and_none_without_a_group(booth: Booth) -> None:
    (listed,) = booth.page.get("/devices").json()
    buttons = [button for group in listed["groups"] for button in group["buttons"]]
    assert len({button["name"] for button in buttons}) == len(buttons)
    assert all(button["zh"] for button in buttons)
    assert all(len(group["mark"]) == 1 and group["en"] for group in listed["groups"])
    assert set(ON_PINS) & {button["name"] for button in buttons} or booth.device.on_cables
