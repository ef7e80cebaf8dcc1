"""`nw-agent` as a technician uses it: every command, what it prints, and its exit status."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from runtime.cli import main
from runtime.clock import FakeClock
from runtime.identity import Identity
from runtime.journal import Journal
from runtime.local import VIEW_FILE, DeviceView
from wire.codec import encode
from wire.kinds import CloseSecret, OpsNote, RatingPressed
from wire.leaf import leaf, new_secret, seal
from wire.messages import Placement

DOCS = Path(__file__).parents[2] / "docs" / "device.md"


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "device.toml"
    path.write_text(f'role = "evaluator"\ndata_dir = "{tmp_path}/device"\n', encoding="utf-8")
    return path


@pytest.fixture
def journal(tmp_path: Path, identity: Identity, clock: FakeClock) -> Any:
    journal = Journal.open(tmp_path / "device", "evidence", identity=identity, clock=clock, budget_bytes=4 << 20)
    from nacl.public import PrivateKey

    sealed = seal(CloseSecret(reasons=("slow",)), bytes(PrivateKey.generate().public_key))
    pressed = RatingPressed(rating=bytes(16), occasion=None, via="touch", leaf=leaf(1, new_secret()), sealed=sealed)
    journal.append("rating.pressed", pressed)
    journal.append("ops.note", OpsNote(what="test", args={"word": "shown"}))
    yield journal
    journal.close()


def test_check_prints_what_is_in_effect(config: Path) -> None:
    result = run("check", "--config", config)
    assert result.exit_code == 0
    assert "idle.after_s = 60.0" in result.output
    assert json.loads(run("check", "--config", config, "--json").output)["role"] == "evaluator"


def test_check_explains_every_mistake_and_fails(config: Path) -> None:
    config.write_text('role = "x"\nidel = 3\n')
    result = run("check", "--config", config)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 4


def test_journal_prints_headers_and_never_the_body_of_a_rating(journal: Journal) -> None:
    result = run("journal", journal.path, "--verify")
    assert result.exit_code == 0
    assert "verified: 3 entries, one unbroken chain" in result.output
    line = next(line for line in result.output.splitlines() if "rating.pressed" in line)
    assert re.fullmatch(r" +2  \S+ synced +rating\.pressed +[0-9a-f]{16}", line)
    assert "shown" in result.output


def test_journal_as_json_holds_no_body_of_a_rating(journal: Journal) -> None:
    found = json.loads(run("journal", journal.path, "--json", "--last", 0).output)
    assert [entry["kind"] for entry in found["entries"]] == ["journal.opened", "rating.pressed", "ops.note"]
    assert found["entries"][1]["body"] is None


def test_journal_shows_where_the_device_stood(journal: Journal) -> None:
    journal.note_placement(Placement(hall="h1", hall_name={"zh": "厅"}, label={"zh": "3号窗口"}, window="3"))
    found = json.loads(run("journal", journal.path, "--json", "--last", 1).output)
    assert found["entries"][0]["body"] == {"hall": "h1", "window": "3", "label": "3号窗口"}


def test_journal_that_was_changed_fails_verification(journal: Journal) -> None:
    import sqlite3

    journal.close()
    with sqlite3.connect(journal.path) as connection:
        connection.execute("UPDATE entries SET body = zeroblob(10) WHERE seq = 2")
    connection.close()
    result = run("journal", journal.path, "--verify")
    assert result.exit_code == 1
    assert "entry 2 is damaged" in result.stderr


def test_journal_refuses_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("nothing of the kind, and long enough to be looked at as one" * 20)
    result = run("journal", tmp_path / "x")
    assert result.exit_code == 1
    assert "x" in result.stderr


def test_status_of_a_device_that_never_ran(config: Path) -> None:
    result = run("status", "--config", config)
    assert result.exit_code == 0
    assert "does not run" in result.output
    assert "link       unknown" in result.output


def test_status_never_calls_a_link_up_while_no_agent_runs(config: Path, journal: Journal, tmp_path: Path) -> None:
    view = DeviceView(device="nwx", pairing="waiting", pairing_code="ABC-DEF", link="up", link_since_ms=5)
    (tmp_path / "device" / VIEW_FILE).write_bytes(encode(view))
    found = json.loads(run("status", "--config", config, "--json").output)
    assert (found["link"], found["agent_runs"], found["pairing_code"]) == ("unknown", False, "")
    assert found["journals"][0]["last_seq"] == 3


def test_status_names_a_journal_that_cannot_be_read(config: Path, tmp_path: Path) -> None:
    (tmp_path / "device").mkdir(exist_ok=True)
    (tmp_path / "device" / "evidence.db").write_bytes(b"noise" * 1_000)
    result = run("status", "--config", config)
    assert result.exit_code == 0
    assert "evidence.db:" in result.output


def test_run_without_a_usable_place_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "device.toml").write_text(f'role = "evaluator"\ndata_dir = "{tmp_path}/file"\n')
    result = run("run", "--config", tmp_path / "device.toml")
    assert result.exit_code == 1
    assert "cannot be used" in result.stderr


@pytest.mark.parametrize("command", ["run", "status", "journal", "check"])
def test_every_command_has_help_and_is_in_the_device_guide(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert len(result.output) > 150
    assert f"nw-agent {command}" in DOCS.read_text(encoding="utf-8")
