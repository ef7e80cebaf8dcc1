"""What each driver is run against in the contract suite: add a new driver's section and simulator here.

`SECTIONS[(kind, driver)]` is called with a `Bench` and gives the section of the configuration; it starts what the driver needs.
"""

import os
import sys
from pathlib import Path

import private_cups
import pytest
from camera_stage import Stage
from private_pcscd import PrivatePcscd

from hal.sim import thermometer

FAKES = Path(__file__).parent / "hal" / "fakes"
UINPUT = (
    "/dev/uinput is not on this machine, so no kernel keyboard can be made; test_hal_keypad_evdev reads the same bytes from a pipe"
)


class Bench:
    """The surroundings of one case: a folder of its own, and the simulator once one was started."""

    def __init__(self, folder, start_sim, closing):
        self.folder = folder
        self.closing = closing
        self._start_sim = start_sim
        self.sim = None

    def simulator(self, module, *options):
        """Start `hal.sim.MODULE`; its port."""
        self.sim = self._start_sim(module, *options)
        return self.sim.port


def pins(driver, **settings):
    return lambda bench: {"driver": driver, **settings}


def serial(driver, module, **settings):
    """A section on the serial port of a simulator."""
    return lambda bench: {"driver": driver, "port": bench.simulator(module), **settings}


def ups(bench):
    bench.simulator("ups", "--link", "tcp:127.0.0.1:0")
    return {"driver": "nut", "tcp_port": int(bench.sim.do("port")["port"].rpartition(":")[2]), "poll_s": 0.1}


def w1(bench):
    thermometer.show_w1(bench.folder / "w1", 21.5)
    return {"driver": "w1", "root": str(bench.folder / "w1"), "poll_s": 0.05}


def hwmon(bench):
    thermometer.show_hwmon(bench.folder / "hwmon", 21.5)
    return {"driver": "hwmon", "root": str(bench.folder / "hwmon"), "poll_s": 0.05}


def kernel_keyboard(bench):
    if not os.path.exists("/dev/uinput"):
        pytest.skip(UINPUT)
    evdev = pytest.importorskip("evdev", reason="python3-evdev is not there; it comes from Debian")
    bench.closing(evdev.UInput(name="nightwindow contract"))
    return {"driver": "evdev", "port": "name:nightwindow contract"}


def smart_card(bench):
    if reason := PrivatePcscd.missing():
        pytest.skip(reason)
    PrivatePcscd.shared()
    return {"driver": "pcsc"}


def a4_printer(bench):
    if lacking := private_cups.missing():
        pytest.skip(f"no CUPS of its own can be started; not installed: {lacking}")
    cups = private_cups.PrivateCups.shared()
    return {"driver": "cups", "queue": private_cups.QUEUE, "server": cups.server, "poll_s": 0.1}


def camera(bench):
    stage = Stage(bench.folder)
    return {"driver": "v4l2", "device": str(stage.device), "tool": str(stage.tool)}


def backlight(bench):
    panel = bench.folder / "class/backlight/panel"
    panel.mkdir(parents=True)
    (panel / "max_brightness").write_text("255")
    (panel / "brightness").write_text("1")
    return {"driver": "sysfs", "sysfs": str(bench.folder)}


def speaker(bench):
    (bench.folder / "card").write_text('{"cards": {"default": {"Master": "0dB"}}}')
    return {"driver": "alsa", "mixer": [sys.executable, str(FAKES / "amixer.py"), str(bench.folder / "card")]}


def voice(driver, key):
    def section(bench):
        player = [sys.executable, str(FAKES / "player.py"), str(bench.folder / "heard"), str(bench.folder)]
        return {"driver": driver, "player": player, key: [sys.executable, str(FAKES / "synth.py"), str(bench.folder / "said"), "0"]}

    return section


SECTIONS = {
    ("buttons", "gpio"): pins("gpio"),
    ("buttons", "box"): serial("box", "box"),
    ("printer", "escpos"): serial("escpos", "printer", poll_s=0.1),
    ("a4_printer", "cups"): a4_printer,
    ("id_card", "samv"): serial("samv", "idcard", poll_ms=50),
    ("door", "gpio"): pins("gpio"),
    ("keypad", "evdev"): kernel_keyboard,
    ("keypad", "matrix"): pins("matrix"),
    ("tamper", "gpio"): pins("gpio"),
    ("presence", "gpio"): pins("gpio"),
    ("temperature", "w1"): w1,
    ("temperature", "hwmon"): hwmon,
    ("light", "gpio"): pins("gpio"),
    ("scanner", "serial"): serial("serial", "scanner"),
    ("scanner", "evdev"): kernel_keyboard,
    ("smart_card", "pcsc"): smart_card,
    ("camera", "v4l2"): camera,
    ("desk", "serial"): serial("serial", "desk"),
    ("ups", "nut"): ups,
    ("backlight", "sysfs"): backlight,
    ("speaker", "alsa"): speaker,
    ("speech", "espeak"): voice("espeak", "espeak"),
    ("speech", "neural"): voice("neural", "zh"),
    ("board", "linux"): lambda bench: {"driver": "linux", "folder": str(bench.folder)},
}
PORTS = [("printer", "escpos"), ("id_card", "samv"), ("buttons", "box"), ("desk", "serial"), ("scanner", "serial")]
"""Drivers whose simulator's port a test can pull out or hold."""
