"""Words and figures of the console without a browser: screens by name, times, versions, downloads, incident rows."""

import csv
import io
import typing

import pytest
from fleet_seeded import NOW_MS, blank, clock, fleet, place_device

from demo.seed.device import part, state_of
from evaluator.flow import scene
from fleet.access.service import Actor
from fleet.console import incident_rows, labels
from fleet.console.lists import as_csv
from fleet.console.page import Page
from fleet.console.pages.devices import CSV_HEAD, csv_row
from fleet.console.visitor import Visitor
from fleet.control.settings import SETTINGS
from terminal.flow import places, state
from wire.messages import Presence

__all__ = ["blank", "clock", "fleet"]


def visitor(language: str = "zh") -> Visitor:
    actor = Actor(name="anna", display="安娜", role="operator", address="")
    return Visitor(actor, language=language, zone="Asia/Shanghai", now_ms=NOW_MS)


@pytest.fixture
def page(fleet) -> Page:
    actor = Actor(name="anna", display="安娜", role="operator", address="")
    return Page(fleet, "", actor, language="zh", zone="Asia/Shanghai", now_ms=NOW_MS)


def classes(module) -> set[str]:
    return {name.lower() for name, each in vars(module).items() if isinstance(each, type) and each.__module__ == module.__name__}


def test_every_screen_that_a_device_can_show_has_words():
    scenes = {each.__name__.lower() for each in scene.Scene.__subclasses__()}
    shown = scenes | classes(places) | set(typing.get_args(state.Phase)) - {"visiting"}
    assert len(shown) > 20
    assert shown - set(labels.SCREENS) == set()
    assert set(labels.SCREENS) - shown == set()


def test_every_setting_has_words_in_both_languages():
    assert all(setting.zh and setting.en for setting in SETTINGS.values())
    assert len({setting.zh for setting in SETTINGS.values()}) == len(SETTINGS)


def test_times_are_told_by_the_hall_s_clock_and_with_a_date_only_when_it_is_another():
    assert visitor().moment(NOW_MS) == "12:00:00"
    assert visitor().moment(NOW_MS - 86_400_000) == "11-21 12:00:00"
    assert visitor().moment(None) == "—"


def test_a_content_pack_s_version_is_told_as_the_time_it_was_built():
    assert visitor().version("20261122T030405Z") == "11:04:05"
    assert visitor().version("2026-spring") == "2026-spring"


def test_a_download_holds_no_formula(fleet, page):
    device = place_device(fleet, 1, window="06")
    fleet.registry.place(device.name, hall="yunxi", window="06", label={"zh": "=1+1"}, by="test", at_ms=NOW_MS)
    known = fleet.watch.device(device.name)
    text = as_csv(CSV_HEAD, [csv_row(page, known)])
    assert text.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(text[3:].decode()))
    assert (row["device"], row["label"], row["window"], row["state"]) == (device.name, "'=1+1", "06", "unknown")


def test_people_and_other_systems_are_called_by_their_names(fleet, page):
    fleet.access.add_user("bert", display="李伯", role="operator", password="a night at the desk", by="test")
    fleet.access.make_key("排队系统", by="test")
    assert page.person("bert") == "李伯"
    assert page.person(f"key:{fleet.access.api_keys()[0].id}") == "排队系统"
    assert page.person("nw-fleet") == "nw-fleet"


def headlines(fleet, page, clock) -> list[str]:
    clock.on(seconds=60)
    fleet.watch.review()
    return [incident_rows.headline(page, each, incident_rows.scene_of(page)) for each in fleet.watch.incidents.list()]


def test_an_incident_s_headline_says_what_it_means_for_the_hall(fleet, page, clock):
    fleet.watch.set_broker(True)
    terminal, away = place_device(fleet, 1, role="terminal"), place_device(fleet, 2)
    out = (part("printer", NOW_MS, "down", "printer.paper_out", "next.load_paper"),)
    for device in (terminal, away):
        fleet.watch.take_presence(device.name, Presence(online=device is terminal, connection=1, since_ms=NOW_MS))
    fleet.watch.take_state(terminal.name, state_of("terminal", NOW_MS, parts=out))
    assert set(headlines(fleet, page, clock)) == {"云溪大厅不能打印", "设备2失联"}
