"""Every mistake in device.toml is explained at once; what the fleet overrides stays within bounds; docs/device.md lists it all."""

from pathlib import Path
from typing import Any

import pytest

from runtime import config, health
from runtime.config import ConfigError, from_table, load, with_overrides

GOOD: dict[str, Any] = {"role": "terminal", "data_dir": "/var/lib/nightwindow"}
DOCS = Path(__file__).parents[2] / "docs" / "device.md"


def problems(table: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as failure:
        from_table(table)
    return failure.value.problems


def test_smallest_configuration_is_enough() -> None:
    found = from_table(GOOD)
    assert str(found.socket_path) == "/var/lib/nightwindow/agent.sock"
    assert found.idle.after_s == 60


def test_hal_table_is_handed_on_unread() -> None:
    assert from_table(GOOD | {"hal": {"printer": {"driver": "anything"}}}).hal == {"printer": {"driver": "anything"}}


def test_all_mistakes_are_told_at_once_with_key_value_and_limit() -> None:
    found = problems(
        {
            "role": "kiosk",
            "idel": {},
            "fleet": {"url": "http://x", "broker": "y"},
            "idle": {"warning_s": 5, "aftr_s": 3},
            "panel": 3,
            "log": {"level": "loud"},
        }
    )
    assert found == [
        "role is 'kiosk'; set it to one of 'terminal', 'evaluator'",
        "idel is not a setting; did you mean idle?",
        "fleet.url is 'http://x'; write https://host or https://host:port",
        "fleet.broker is 'y'; write host:port with a port of 1–65535, or leave it out",
        "idle.warning_s is 5; set it to a number 20–120",
        "idle.aftr_s is not a setting; did you mean idle.after_s?",
        "panel is 3; write a table [panel]",
        "log.level is 'loud'; set it to one of 'debug', 'info', 'warning', 'error'",
        "data_dir is missing; add it (a text in quotes)",
    ]


@pytest.mark.parametrize(
    ("table", "part"),
    [
        ({"data_dir": "relative"}, "absolute path"),
        ({"socket": "/" + "x" * 120}, "at most 107"),
        ({"fleet": {"url": "http://fleet"}}, "https://host"),
        ({"fleet": {"url": "https://fleet:99999"}}, "no address"),
        ({"fleet": {"url": "https://fleet/?x=1"}}, "https://host"),
        ({"fleet": {"broker": "nowhere"}}, "host:port"),
        ({"data_dir": "/" + "x" * 120}, "at most 107"),
        ({"panel": {"day_from": 7, "night_from": 7}}, "two different hours"),
        ({"panel": {"width_px": 10}}, "320–7680"),
        ({"panel": {"fullscreen": 1}}, "true or false"),
        ({"journal": {"evidence_budget_mb": 1}}, "4–4096"),
        ({"qqqq": 1}, "known here"),
    ],
)
def test_each_mistake_names_its_remedy(table: dict[str, Any], part: str) -> None:
    (found,) = problems(GOOD | table)
    assert part in found


def test_secret_in_an_address_is_never_shown() -> None:
    (found,) = problems(GOOD | {"fleet": {"url": "https://user:hunter2@fleet"}})
    assert "hunter2" not in found
    assert "***@fleet" in found


def test_unreadable_and_broken_files_are_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.toml")
    (tmp_path / "device.toml").write_text("role = terminal")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(tmp_path / "device.toml")
    (tmp_path / "device.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(tmp_path / "device.toml")


def test_fleet_overrides_what_it_may_and_the_rest_is_explained() -> None:
    settings: dict[str, Any] = {
        "idle.after_s": 90, "language": "ko", "fleet.url": "https://evil", "idle.warning_s": 1, "idle.x": 2, "hal.printer": 1,
    }  # fmt: skip
    found, explained = with_overrides(from_table(GOOD), settings)
    assert (found.idle.after_s, found.language, found.fleet.url, found.idle.warning_s) == (90, "ko", "", 20)
    assert len(explained) == 4


def test_every_setting_is_listed_in_the_device_guide() -> None:
    text = DOCS.read_text(encoding="utf-8")
    missing = [name for name in config.dotted(from_table(GOOD)) if f"`{name}`" not in text]
    assert not missing, f"docs/device.md lacks {missing}"


def test_every_message_id_is_listed_in_the_device_guide() -> None:
    text = DOCS.read_text(encoding="utf-8")
    missing = [name for name in health.MESSAGES if f"`{name}`" not in text]
    assert not missing, f"docs/device.md lacks {missing}"


def test_guides_example_is_a_configuration_without_mistakes(tmp_path: Path) -> None:
    example = DOCS.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    (tmp_path / "device.toml").write_text(example, encoding="utf-8")
    assert load(tmp_path / "device.toml").role == "evaluator"
