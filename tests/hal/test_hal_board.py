"""The board's health from fake sysfs and procfs trees: what files mean, which trouble goes first, how power cuts count."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.drivers import board_files
from hal.drivers.board_files import Storage, Throttling
from hal.drivers.linux_board import CLOCK_NOT_BEFORE_S, Config, PowerCuts, Seen, gauges, judge
from hal.factory import open_hal

FINE = Throttling(False, False, False, False)


def file(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def tree(tmp_path):
    """A board on which all is well, with its storage below the folder `data`."""
    sysfs, procfs, data = tmp_path / "sys", tmp_path / "proc", tmp_path / "data"
    data.mkdir()
    file(sysfs / "class/thermal/thermal_zone0/temp", "48312\n")
    file(sysfs / "class/rtc/rtc0/since_epoch", f"{CLOCK_NOT_BEFORE_S + 86400}\n")
    file(sysfs / "class/hwmon/hwmon1/name", "rpi_volt\n")
    file(sysfs / "class/hwmon/hwmon1/in0_lcrit_alarm", "0\n")
    disk = sysfs / "devices/platform/emmc2bus/mmc_host/mmc0/mmc0:0001/block/mmcblk0"
    file(disk / "mmcblk0p2/partition", "2\n")
    file(disk / "device/life_time", "0x01 0x02\n")
    file(disk / "device/pre_eol_info", "0x01\n")
    number = os.stat(data).st_dev
    (sysfs / "dev/block").mkdir(parents=True)
    (sysfs / f"dev/block/{os.major(number)}:{os.minor(number)}").symlink_to(disk / "mmcblk0p2")
    file(sysfs / "fs/ext4/mmcblk0p2/errors_count", "0\n")
    file(procfs / "meminfo", "MemTotal: 4000000 kB\nMemFree: 100 kB\nMemAvailable: 2000000 kB\n")
    file(procfs / "uptime", "120.5 300.0\n")
    file(procfs / "sys/kernel/random/boot_id", "boot-1\n")
    return tmp_path


@pytest.fixture
def board(tree, heard, closing, make_config):
    def make(state_dir=None, **settings):
        own = {"driver": "linux", "every_s": 0.05, "folder": str(tree / "data"), "sysfs": str(tree / "sys")}
        own |= {"procfs": str(tree / "proc"), "vcgencmd": [], "rtc": "expected"} | settings
        told = {"on_event": heard.on_event, "on_health": heard.on_health}
        hal = closing(open_hal(make_config({"board": own}), state_dir=state_dir, **told))
        hal.start()
        return hal.peripherals()[0]

    return make


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("throttled=0x0\n", FINE),
        ("throttled=0x50005", Throttling(True, True, True, True)),
        ("0x1", Throttling(True, False, False, False)),
        ("50000", Throttling(False, False, True, True)),
        ("throttled=0x80008", Throttling(False, True, False, True)),
        ("VCHI initialization failed", None),
        ("", None),
    ],
)
def test_the_firmwares_word_is_understood(word, meaning):
    assert board_files.throttling(word) == meaning


@given(st.text(max_size=40))
def test_no_word_of_the_firmware_does_harm(word):
    found = board_files.throttling(word)
    assert found is None or isinstance(found, Throttling)


def test_a_good_board_is_fine_and_tells_its_gauges(board, until):
    one = board()
    until(lambda: one.health().reason == "hal.ok")
    told = one.readings()
    assert {name: told[name] for name in ("temperature_c", "storage_used_life", "storage_errors", "memory_free_mb")} == {
        "temperature_c": 48.3,
        "storage_used_life": 20.0,
        "storage_errors": 0.0,
        "memory_free_mb": 1953.0,
    }
    assert told["storage_free_mb"] > 0
    assert (told["under_voltage"], told["throttled"], told["uptime_s"]) == (0, 0, 120)


TROUBLES = {
    "board.under_voltage": ("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1"),
    "board.storage_errors": ("sys/fs/ext4/mmcblk0p2/errors_count", "3"),
    "board.storage_worn": ("sys/devices/platform/emmc2bus/mmc_host/mmc0/mmc0:0001/block/mmcblk0/device/life_time", "0x03 0x09"),
    "board.throttled": ("sys/devices/platform/soc/soc:firmware/get_throttled", "4"),
    "board.under_voltage_before": ("sys/devices/platform/soc/soc:firmware/get_throttled", "10000"),
    "board.memory_low": ("proc/meminfo", "MemTotal: 4000000 kB\nMemAvailable: 20000 kB\n"),
    "board.no_clock": ("sys/class/rtc/rtc0/since_epoch", ""),
    "board.clock_unset": ("sys/class/rtc/rtc0/since_epoch", "1262304000"),
}


@pytest.mark.parametrize("reason", TROUBLES)
def test_each_trouble_is_told_while_the_device_runs_on(board, tree, until, reason):
    one = board()
    until(lambda: one.health().reason == "hal.ok")
    path, text = TROUBLES[reason]
    file(tree / path, text)
    until(lambda: one.health().reason == reason)
    assert one.health().state == "degraded"


def test_spare_blocks_that_run_out_count_as_worn_whatever_the_estimate_says(board, tree, until):
    device = Path(TROUBLES["board.storage_worn"][0]).parent
    file(tree / device / "pre_eol_info", "0x03")
    one = board()
    until(lambda: one.health().reason == "board.storage_worn")
    assert one.health().args == {"device": "mmcblk0", "used": "100"}


def test_a_supply_that_sagged_for_a_moment_is_told_for_minutes(board, tree, until):
    one = board()
    file(tree / "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1")
    until(lambda: one.health().reason == "board.under_voltage")
    file(tree / "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0")
    until(lambda: one.readings()["under_voltage"] == 0)
    assert one.health().reason == "board.under_voltage"


def test_the_firmwares_command_is_asked_where_it_is_there(board, tree, until):
    file(tree / "vcgencmd.py", "import sys\nassert sys.argv[1:] == ['get_throttled']\nprint('throttled=0x4')\n")
    one = board(vcgencmd=[sys.executable, str(tree / "vcgencmd.py")])
    until(lambda: one.health().reason == "board.throttled")
    assert one.health().args == {"temperature": "45"}


def test_a_board_that_tells_nothing_at_all_is_no_trouble(tmp_path, heard, closing, make_config, until):
    own = {"driver": "linux", "sysfs": str(tmp_path), "procfs": str(tmp_path), "folder": str(tmp_path), "vcgencmd": ["/nowhere"]}
    hal = closing(open_hal(make_config({"board": own}), on_event=heard.on_event, on_health=heard.on_health))
    hal.start()
    until(lambda: hal.health()["board"].reason == "hal.ok")
    assert set(hal.peripherals()[0].readings()) == {"storage_free_mb", "unsafe_shutdowns"}


def test_the_most_urgent_trouble_goes_first():
    worst = Seen(Throttling(True, True, True, True), Storage("mmcblk0", 10, 100, 5), (1.0, 100.0), 90.0, None, 10.0, 3, True)
    config = Config(rtc="expected")
    assert judge(worst, config, sagged=True)[0] == "board.under_voltage"
    assert judge(worst, config, sagged=False)[0] == "board.storage_errors"
    assert judge(worst._replace(storage=None), config, sagged=False)[0] == "board.throttled"
    assert judge(Seen(cut_before=True, cuts=3, uptime_s=10.0), Config(), sagged=False) == ("board.power_cut", {"count": "3"})
    assert judge(Seen(cut_before=True, cuts=3, uptime_s=90_000.0), Config(), sagged=False)[0] == "hal.ok"
    assert "storage_errors" not in gauges(Seen())


class Device:
    """A device that starts, ends, crashes and loses its power."""

    def __init__(self, path):
        self.path, self.boot = path, 0

    def switch_on(self):
        self.boot += 1
        return self.start()

    def start(self):
        self.cuts = PowerCuts(self.path, f"boot-{self.boot}")
        self.cuts.begin()
        return self.cuts


def test_only_a_start_after_a_cut_is_counted(tmp_path):
    device = Device(tmp_path / "board.json")
    device.switch_on()
    device.start()
    assert (device.cuts.count, device.cuts.cut_before) == (0, False), "a crash of the program is no power cut"
    device.cuts.end()
    device.switch_on()
    assert device.cuts.count == 0, "a clean end is none either"
    device.switch_on()
    assert (device.cuts.count, device.cuts.cut_before) == (1, True)
    device.start()
    assert (device.cuts.count, device.cuts.cut_before) == (1, True), "a restart of the program does not forget the cut"
    device.cuts.end()
    device.switch_on()
    assert (device.cuts.count, device.cuts.cut_before) == (1, False)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(["cut", "crash", "end"]), max_size=20))
def test_every_cut_is_counted_once_in_any_history(tmp_path_factory, history):
    device = Device(tmp_path_factory.mktemp("board") / "board.json")
    device.switch_on()
    for event in history:
        if event == "cut":
            device.switch_on()
        elif event == "crash":
            device.start()
        else:
            device.cuts.end()
            device.switch_on()
    assert device.cuts.count == history.count("cut")


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"running": 1}', "\x00" * 64])
def test_a_damaged_count_begins_anew_instead_of_failing(tmp_path, damage):
    (tmp_path / "board.json").write_text(damage)
    device = Device(tmp_path / "board.json")
    device.switch_on()
    assert (device.cuts.count, device.cuts.cut_before) == (0, False)


def test_power_cuts_reach_health_and_a_clean_close_is_none(board, tree, until):
    state = tree / "data"
    board(state_dir=state)
    until((state / "board.json").exists)
    file(tree / "proc/sys/kernel/random/boot_id", "boot-2")
    after = board(state_dir=state)
    until(lambda: after.health().reason == "board.power_cut")
    assert after.health().args == {"count": "1"}
    assert after.readings()["unsafe_shutdowns"] == 1
    after.close()
    file(tree / "proc/sys/kernel/random/boot_id", "boot-3")
    clean = board(state_dir=state)
    until(lambda: clean.health().reason == "hal.ok")
