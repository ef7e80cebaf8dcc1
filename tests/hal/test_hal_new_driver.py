"""The example of docs/drivers.md works as it is written: its driver runs against its simulator, both taken from the page."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from hal import registry
from hal.api import Presence, PresenceChanged
from hal.cli import main
from hal.config import from_table
from hal.factory import open_hal
from hal.sim.control import send

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "drivers.md").read_text(encoding="utf-8")


def example(first_words):
    """The one Python block of the page whose docstring begins so."""
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.S) if block.startswith(f'"""{first_words}')]
    return block


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with the example's two files, importable."""
    folder = tmp_path_factory.mktemp("example")
    (folder / "radar_presence.py").write_text(example("Presence by a radar"), encoding="utf-8")
    (folder / "radar.py").write_text(example("A radar module"), encoding="utf-8")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture
def registered(written, monkeypatch):
    # The page's second step adds this line to the table.
    monkeypatch.setitem(registry.DRIVERS, "presence", registry.DRIVERS["presence"] | {"radar": "radar_presence"})


@pytest.fixture
def radar(written, tmp_path):
    port, control = str(tmp_path / "radar"), str(tmp_path / "radar.sock")
    process = subprocess.Popen(
        [sys.executable, str(written / "radar.py"), "--link", port, "--control", control],
        stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout.readline() == b"ready\n"
    yield port, lambda do, **options: send(control, {"do": do, **options})
    process.terminate()
    process.wait(5)
    process.stdout.close()


@pytest.fixture
def hal(registered, radar, heard, closing):
    config = from_table({"presence": {"driver": "radar", "port": radar[0], "poll_s": 0.1}})
    made = closing(open_hal(config, on_event=heard.on_event, on_health=heard.on_health))
    made.start()
    return made


def reason(hal):
    return hal.health()["presence"].reason


def test_it_keeps_its_protocol_and_tells_who_comes_and_goes(hal, radar, heard, until):
    assert isinstance(hal.named("presence"), Presence)
    until(lambda: reason(hal) == "hal.ok")
    for present in (True, False):
        radar[1]("presence", on=present)
        event = heard.next()
        assert isinstance(event, PresenceChanged)
        assert event.present == present
        assert hal.named("presence").is_present() == present


BAD_LINES = [("split", {"bytes": 1}), ("merge", {"ms": 30}), ("delay", {"ms": 30}), ("noise", {"bytes": "00ff37"})]


@pytest.mark.parametrize("trouble", BAD_LINES, ids=lambda trouble: trouble[0])
def test_it_lives_through_bad_lines_silence_and_pulled_plugs(hal, radar, heard, until, trouble):
    until(lambda: reason(hal) == "hal.ok")
    radar[1](trouble[0], **trouble[1])
    radar[1]("unplug")
    until(lambda: reason(hal) == "port.missing")
    radar[1]("plug")
    until(lambda: reason(hal) == "hal.ok")
    radar[1]("silence")
    until(lambda: reason(hal) == "port.silent")
    radar[1]("silence", on=False)
    until(lambda: reason(hal) == "hal.ok")


def test_it_is_named_by_probe_and_another_module_is_refused_with_both_names(registered, radar, heard, closing, until):
    told = json.loads(CliRunner().invoke(main, ["probe", radar[0], "--json"]).stdout)["ports"][0]
    assert (told["kind"], told["driver"], told["detail"]) == ("presence", "radar", "RADAR 4711")
    assert 'expect = "RADAR 4711"' in told["toml"]
    words = CliRunner().invoke(main, ["probe", radar[0]]).stdout
    shown = PAGE.partition("$ nw-hal probe /dev/serial/by-id/usb-radar\n")[2].partition("```")[0]
    assert words == shown.replace("/dev/serial/by-id/usb-radar", radar[0])
    config = from_table({"presence": {"driver": "radar", "port": radar[0], "expect": "RADAR 9"}})
    hal = closing(open_hal(config, on_event=heard.on_event, on_health=heard.on_health))
    hal.start()
    until(lambda: reason(hal) == "hal.wrong_device")
    assert hal.health()["presence"].args == {"port": radar[0], "expected": "RADAR 9", "found": "RADAR 4711"}


@given(st.lists(st.binary(max_size=80), max_size=8))
def test_its_parser_takes_anything_in_any_pieces(written, pieces):
    driver = importlib.import_module("radar_presence")
    pending, found = bytearray(), []
    for piece in [*pieces, b"\nP1\n"]:
        found += driver.whole_lines(pending, piece)
        assert len(pending) <= driver.LONGEST
    assert found[-1] == b"P1"


def test_it_is_about_as_long_as_the_page_says():
    assert 60 < len(example("Presence by a radar").splitlines()) < 140
