"""`nw-hal` as a technician uses it: list, probe, test, in words and in JSON, against simulators."""

import contextlib
import json
import threading

import pytest
from click.testing import CliRunner

from hal.cli import main
from hal.sim.control import ControlError, send


def run(*arguments):
    return CliRunner().invoke(main, [str(one) for one in arguments])


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "hal.toml"
        path.write_text(text)
        return path

    return write


def test_list_shows_what_is_there_what_is_missing_and_what_is_absent_on_purpose(write, start_sim, tmp_path):
    sim = start_sim("printer")
    config = write(f'[printer]\ndriver = "escpos"\nport = "{sim.port}"\n[id_card]\ndriver = "samv"\nport = "{tmp_path}/nothing"\n')
    result = run("list", "--config", config, "--json")
    rows = {row["name"]: row["state"] for row in json.loads(result.stdout)["peripherals"]}
    assert rows == {"printer": "found", "id_card": "missing"}
    assert result.exit_code == 1
    text = run("list", "--config", config).stdout.splitlines()
    assert text[0].split() == ["printer", "凭条打印机", "escpos", "已找到", sim.port]
    assert text[1].split() == ["id_card", "身份证阅读器", "samv", "缺失", f"{tmp_path}/nothing"]
    english = run("list", "--config", config, "--lang", "en").stdout.splitlines()
    assert english[0].split() == ["printer", "receipt", "printer", "escpos", "found", sim.port]
    assert "not configured: buttons" in english[2]


def test_list_shows_the_pins(write, tmp_path):
    config = write(f'[gpio]\ndriver = "socket"\nsocket = "{tmp_path}/pins"\n[buttons]\ndriver = "gpio"\n')
    result = run("list", "--config", config, "--json")
    buttons = json.loads(result.stdout)["peripherals"][0]
    assert (buttons["state"], buttons["pins"]["level_5"], result.exit_code) == ("found", 17, 0)


def test_list_of_a_device_without_hardware_names_the_kinds_there_are(write):
    result = run("list", "--config", write(""), "--lang", "en")
    assert result.stdout.startswith("No peripheral is configured; the kinds are buttons")


def test_a_wrong_configuration_is_explained_completely_with_status_two(write):
    result = run(
        "list", "--config", write('[printer]\ndriver = "x"\n[printer_2]\ndriver = "escpos"\nport = "/dev/x"\nbaud = 1\n[colour]\n')
    )
    assert result.exit_code == 2
    assert result.stderr.count("configuration: hal.") == 3


def test_without_a_configuration_the_option_is_named():
    result = run("list")
    assert result.exit_code == 2
    assert "--config FILE or NW_HAL_CONFIG" in result.stderr


def test_probe_names_printer_and_reader_and_prints_nothing(start_sim):
    printer, reader = start_sim("printer"), start_sim("idcard")
    result = run("probe", printer.port, reader.port, "--json")
    found = json.loads(result.stdout)["ports"]
    assert [(one["kind"], one["driver"], one["baud"], one["detail"]) for one in found] == [
        ("printer", "escpos", 115200, "ESC/POS NW-SIM, hal.ok"),
        ("id_card", "samv", 115200, "SAM-V module 05.01-20260101-0000000001-0000000002, ready"),
    ]
    paper = printer.do("paper")
    assert (paper["tickets"], paper["hanging"]["items"]) == ([], [])
    assert result.exit_code == 0


def test_probe_says_why_a_port_can_not_be_asked(tmp_path):
    result = run("probe", tmp_path / "nothing")
    assert result.exit_code == 1
    assert f"找不到端口 {tmp_path}/nothing" in result.stdout
    told = json.loads(run("probe", tmp_path / "nothing", "--json").stdout)["ports"][0]
    assert (told["kind"], told["reason"], told["toml"]) == ("nothing", "port.missing", "")


def test_test_printer_prints_a_page_and_says_so(write, start_sim):
    sim = start_sim("printer", "--mm-per-s", "0")
    config = write(f'[printer]\ndriver = "escpos"\nport = "{sim.port}"\npoll_s = 0.1\n')
    result = run("test", "printer", "--config", config, "--json")
    answer = json.loads(result.stdout)
    assert answer["ok"], answer
    assert [step["what"] for step in answer["steps"]] == ["step.open", "step.print"]
    assert sim.do("paper")["tickets"][0]["items"][0]["text"] == "打印测试"
    sim.do("paper_out")
    failed = run("test", "printer", "--config", config)
    assert failed.exit_code == 1
    assert failed.stdout.splitlines() == ["未通过 打开设备: 凭条纸尽", "       下一步：换纸：热敏纸 80×80", "printer 测试未通过"]


def test_test_id_card_guides_through_laying_down_and_taking_away(write, start_sim, until):
    sim = start_sim("idcard", "--read-s", "0")
    config = write(f'[id_card]\ndriver = "samv"\nport = "{sim.port}"\npoll_ms = 20\n')

    def citizen():
        until(lambda: sim.do("state")["commands"] > 2)
        sim.do("insert")
        until(lambda: sim.do("state")["read"])
        sim.do("remove")

    thread = threading.Thread(target=citizen)
    thread.start()
    result = run("test", "id_card", "--config", config, "--wait-s", "8")
    thread.join()
    assert result.exit_code == 0, result.output
    assert "通过   拿走: 读卡器确认已拿走" in result.stdout
    assert "请把身份证放在读卡器上" in result.stderr


def test_test_buttons_asks_for_each_button_by_its_lamp(write, tmp_path, until):
    path = f"{tmp_path}/pins.sock"
    config = write(f'[gpio]\ndriver = "socket"\nsocket = "{path}"\n[buttons]\ndriver = "gpio"\n')

    def lit():
        try:
            lamps = send(path, {"get": "lamps"})["lamps"]
        except ControlError:
            return None
        return next((name for name, value in lamps.items() if value and name != "buzzer"), None)

    def technician():
        for _ in range(6):
            name = until(lit, "a lamp blinks")
            # The test ends with the last press and takes the socket away with it.
            with contextlib.suppress(ControlError):
                send(path, {"press": name, "ms": 30})
            until(lambda name=name: lit() != name, "the lamp goes off")

    thread = threading.Thread(target=technician)
    thread.start()
    result = run("test", "buttons", "--config", config, "--wait-s", "8", "--json")
    thread.join()
    answer = json.loads(result.stdout)
    assert answer["ok"], answer
    assert len(answer["steps"]) == 7


def test_a_peripheral_that_is_not_configured_fails_with_that_reason(write):
    result = run("test", "door", "--config", write(""))
    assert result.exit_code == 1
    assert "door 没有配置；已配置的有 无" in result.stdout


@pytest.mark.parametrize("command", [[], ["list"], ["probe"], ["test"]])
def test_help_explains_every_command_and_option(command):
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "--help" in result.stdout
    if command:
        assert "--json" in result.stdout
        assert "NW_HAL_CONFIG" in result.stdout
