"""`nw-hal probe` names what is plugged in, and the section that it writes works as it is pasted."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import private_cups
import pytest
from click.testing import CliRunner
from private_pcscd import PrivatePcscd

from hal.cli import main
from hal.config import from_table, load
from hal.probe import identity, stable
from hal.sim import thermometer

ROOT = Path(__file__).parents[2]
LETTERS = "402000007 ff803078f800d001 feffffdfffefffff fffffffffffffffe"
"""KEY bits of a real keyboard, and of most scanners that type, as sysfs shows them."""
DIGITS = "800000 0 0 0 0 0 3e0 0 0 ffe"
"""1 to 0 and Backspace alone: a pad."""


def probe(*arguments):
    result = CliRunner().invoke(main, ["probe", *map(str, arguments)])
    return result.stdout


def found(root, *arguments):
    return json.loads(probe("--json", "--root", root, *arguments))["ports"]


def put(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def link(path, target):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def keyboard(root, number, name, keys):
    put(root / f"dev/input/event{number}", "")
    link(root / f"dev/input/by-id/usb-{name.replace(' ', '_')}-event-kbd", f"../event{number}")
    put(root / f"sys/class/input/event{number}/device/name", f"{name}\n")
    put(root / f"sys/class/input/event{number}/device/capabilities/key", f"{keys}\n")


@pytest.fixture
def tree(tmp_path):
    """A computer with one of everything that the kernel shows."""
    root = tmp_path / "root"
    keyboard(root, 3, "SAMPLE Keypad", DIGITS)
    keyboard(root, 4, "SAMPLE Scanner", LETTERS)
    put(root / "dev/video0", "")
    link(root / "dev/v4l/by-id/usb-SAMPLE_Camera-video-index0", "../../video0")
    put(root / "sys/class/video4linux/video0/name", "SAMPLE Camera: SAMPLE\n")
    thermometer.show_w1(root / "sys/bus/w1/devices", 21.5)
    thermometer.show_hwmon(root / "sys/class/hwmon", 22.0)
    put(root / "sys/class/hwmon/hwmon7/name", "cpu_thermal\n")
    put(root / "proc/asound/cards", " 0 [Headphones     ]: bcm2835_headpho - SAMPLE Headphones\n                      SAMPLE\n")
    put(root / "sys/class/backlight/panel/max_brightness", "255")
    put(root / "sys/devices/usb1/1-1/1-1:1.0/bInterfaceClass", "0b\n")
    put(root / "sys/devices/usb1/1-1/product", "SAMPLE Reader\n")
    link(root / "sys/bus/usb/devices/1-1:1.0", "../../../devices/usb1/1-1/1-1:1.0")
    return root


def test_everything_that_the_kernel_shows_is_named_by_what_it_calls_itself(tree):
    named = {(one["kind"], one["driver"]): one["detail"] for one in found(tree)}
    assert named == {
        ("keypad", "evdev"): "SAMPLE Keypad",
        ("scanner", "evdev"): "SAMPLE Scanner",
        ("smart_card", "pcsc"): "SAMPLE Reader",
        ("camera", "v4l2"): "SAMPLE Camera: SAMPLE",
        ("temperature", "w1"): "DS18B20 28-0316a2795a2b",
        ("temperature", "hwmon"): "lm75",
        ("speaker", "alsa"): "SAMPLE Headphones",
        ("backlight", "sysfs"): "panel",
    }


def test_each_section_that_is_written_can_be_pasted_and_then_is_found_as_configured(tree, tmp_path):
    pasted = "\n".join(one["toml"] for one in found(tree))
    config = tmp_path / "hal.toml"
    config.write_text(pasted)
    names = {one.name for one in load(config).sections}
    assert {"keypad", "scanner", "camera", "temperature", "temperature_2", "speaker", "backlight", "smart_card"} == names
    again = found(tree, "--config", config)
    assert {one["name"] for one in again if one["configured"]} == names
    assert all(one["toml"] == "" for one in again)


def test_what_looks_like_something_else_is_said(tree):
    told = probe("--root", tree)
    assert "也可能是：扫码器" in told
    assert "普通键盘与键盘式扫码器看起来一样" in told
    assert "请安装并启动 pcscd" in told
    assert 'driver = "evdev"' in told
    assert "nw-hal test keypad" in told


def test_a_computer_without_anything_says_so(tmp_path):
    assert probe("--root", tmp_path).startswith("本机没有发现任何外设")


@pytest.mark.parametrize("module", ["printer", "idcard", "scanner", "box"])
def test_a_device_on_a_port_gets_a_section_that_its_driver_accepts(start_sim, module, tmp_path, until, heard, closing):
    from hal.factory import open_hal

    sim = start_sim(module, *(["--profile", "ssi"] if module == "scanner" else []))
    one = json.loads(probe("--json", sim.port))["ports"][0]
    hal = closing(open_hal(from_table(tomllib.loads(one["toml"])["hal"]), on_event=heard.on_event, on_health=heard.on_health))
    hal.start()
    # The identity it was told by is part of the section: another device on this port would be refused.
    until(lambda: hal.health()[one["name"]].reason == "hal.ok", "the section works")
    settings = tomllib.loads(one["toml"])["hal"][one["name"]]
    assert settings["port"] == sim.port
    assert settings["expect"] in one["detail"]


def test_a_second_device_of_a_kind_gets_a_name_of_its_own(start_sim, tmp_path):
    left, right = start_sim("printer"), start_sim("printer", "--width", "58")
    config = tmp_path / "hal.toml"
    config.write_text(f'[hal.printer]\ndriver = "escpos"\nport = "{left.port}"\n')
    ports = json.loads(probe("--json", "--config", config, left.port, right.port))["ports"]
    assert [(one["name"], one["configured"]) for one in ports] == [("printer", True), ("printer_2", False)]
    assert ports[1]["toml"].startswith("[hal.printer_2]\n")


def test_a_printer_on_usb_is_asked_for_its_name(start_sim, tmp_path):
    sim = start_sim("printer", "--link", "usb:0fe6:811e:A1@{folder}/usb")
    (one,) = found(sim.folder / "usb")
    assert (one["kind"], one["port"], one["baud"]) == ("printer", "usb:0fe6:811e:A1", 0)
    assert tomllib.loads(one["toml"])["hal"]["printer"] == {
        "driver": "escpos",
        "port": "usb:0fe6:811e:A1",
        "expect": "ESC/POS NW-SIM",
    }


def test_upses_of_upsd_are_named(start_sim, tmp_path):
    sim = start_sim("ups", "--link", "tcp:127.0.0.1:0")
    port = int(sim.do("port")["port"].rpartition(":")[2])
    config = tmp_path / "hal.toml"
    config.write_text(f'[hal.ups]\ndriver = "nut"\nups = "other"\ntcp_port = {port}\n')
    (one,) = found(tmp_path, "--config", config)
    assert (one["kind"], one["port"], one["name"]) == ("ups", f"ups@127.0.0.1:{port}", "ups_2")
    assert tomllib.loads(one["toml"])["hal"]["ups_2"] == {"driver": "nut", "ups": "ups", "host": "127.0.0.1", "tcp_port": port}


@pytest.mark.skipif(bool(PrivatePcscd.missing()), reason=PrivatePcscd.missing() or "-")
def test_smart_card_readers_of_pcscd_are_named():
    PrivatePcscd.shared()
    # A process of its own: libpcsclite reads once where its service is.
    script = "import msgspec; from hal import finds; print(msgspec.json.encode(finds.everything(finds.Computer())).decode())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, cwd=ROOT, timeout=30)
    readers = [one for one in json.loads(done.stdout) if one["kind"] == "smart_card"]
    assert [one["detail"] for one in readers] == ["Virtual PCD 00 00", "Virtual PCD 00 01"]


@pytest.mark.skipif(bool(private_cups.missing()), reason=f"not installed here: {private_cups.missing()}")
def test_print_queues_are_named(tmp_path):
    cups = private_cups.PrivateCups()
    try:
        config = tmp_path / "hal.toml"
        config.write_text(f'[hal.a4_printer]\ndriver = "cups"\nqueue = "A4"\nserver = "{cups.server}"\n')
        (one,) = found(tmp_path, "--config", config)
    finally:
        cups.close()
    assert (one["kind"], one["port"], one["name"], one["configured"]) == ("a4_printer", "A4", "a4_printer", True)


def test_the_lasting_part_of_an_identity_is_expected_and_a_nameless_one_is_not():
    assert (
        identity("SAM-V module 05.01-20260101-0000000001-0000000002, ready") == "SAM-V module 05.01-20260101-0000000001-0000000002"
    )
    assert identity("button box SAMPLE b0c5000000000001") == "button box SAMPLE b0c5000000000001"
    assert identity("ESC/POS no name, hal.ok") == ""


def test_a_path_that_is_stable_already_or_has_no_other_name_stays(tmp_path):
    assert stable("/dev/serial/by-id/usb-x") == "/dev/serial/by-id/usb-x"
    assert stable("tcp:127.0.0.1:9100") == "tcp:127.0.0.1:9100"
    assert stable(os.devnull) == os.devnull
