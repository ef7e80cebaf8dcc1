"""A wrong hardware configuration is explained at once and completely; a right one loads."""

import pytest

from hal.config import ConfigError, HalConfig, from_table, load


def mistakes(table):
    with pytest.raises(ConfigError) as caught:
        from_table(table)
    return caught.value.problems


def test_empty_configuration_means_explicitly_no_hardware():
    config = from_table({})
    assert config == HalConfig()
    assert config.sections == ()
    assert config.pins() == {}


def test_every_mistake_is_told_at_once_with_place_and_remedy():
    problems = mistakes(
        {
            "printer": {"driver": "escpso"},
            "printer_2": {"driver": "escpos", "port": "/dev/x", "prot": "x"},
            "buttons": {"driver": "gpio", "pins": {"level_5": 99}, "settle_ms": 0},
            "id_card": {"driver": "samv", "port": "/dev/y", "poll_ms": "fast"},
            "id_card_2": {"poll_ms": 100},
            "colour": 1,
            "door": 3,
        }
    )
    text = "\n".join(problems)
    assert len(problems) == 9
    assert "hal.printer.driver is 'escpso'; use one of none, escpos" in text
    assert "hal.printer_2.prot is not known; did you mean port?" in text
    assert "hal.id_card_2.driver has settings but no driver; use one of none, samv" in text
    assert "hal.buttons.pins.level_5 is 99; use a whole number from 0 to 27" in text
    assert "hal.buttons.settle_ms is 0; use a number from 1 to 200" in text
    assert "hal.id_card.poll_ms is 'fast'" in text
    assert "hal.colour is not known" in text
    assert "hal.door is 3; make it a table" in text


def test_values_that_exclude_each_other_are_told_together():
    problems = mistakes(
        {
            "gpio": {"driver": "socket"},
            "buttons": {"driver": "gpio", "pins": {"level_5": 5}},
            "printer": {"driver": "escpos"},
        }
    )
    assert any("printer.port is empty" in problem for problem in problems)
    assert any("gpio.socket is empty" in problem for problem in problems)
    assert any("BCM pin 5 is used by level_5 and lamp.level_5" in problem for problem in problems)


def test_buttons_without_pins_are_refused_and_never_replaced_by_a_fake():
    assert any("needs pins" in problem for problem in mistakes({"buttons": {"driver": "gpio"}}))


def test_two_devices_on_one_port_are_refused():
    table = {
        "printer": {"driver": "escpos", "port": "/dev/x"},
        "id_card": {"driver": "samv", "port": "/dev/x"},
    }
    assert any("give each its own" in problem for problem in mistakes(table))


def test_a_pin_can_be_declared_unwired():
    table = {"gpio": {"driver": "lgpio"}, "buttons": {"driver": "gpio", "pins": {"call_staff": "none"}, "buzzer": "none"}}
    pins = from_table(table).pins()
    assert "call_staff" not in pins
    assert "buzzer" not in pins
    assert pins["level_5"] == 17


def test_a_toml_file_loads_with_or_without_the_table_hal(tmp_path):
    inner = '[printer]\ndriver = "escpos"\nport = "/dev/p"\n'
    (tmp_path / "a.toml").write_text(inner)
    (tmp_path / "b.toml").write_text(inner.replace("[printer]", "[hal.printer]"))
    assert load(tmp_path / "a.toml") == load(tmp_path / "b.toml")


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"[printer"])
def test_an_unreadable_file_is_a_configuration_error(tmp_path, content):
    path = tmp_path / "hal.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"hal\.toml"):
        load(path)
