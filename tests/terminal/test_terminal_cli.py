"""The command line: search answers as the screen does, mistakes are explained all at once, and neither needs a display."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pack.reader import open_pack
from terminal.app import main
from terminal.content import PackContent


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words))
    return result.exit_code, result.output


@pytest.mark.parametrize("query", ["sfz", "护照", "gjj", "passport", "려권"])
def test_search_answers_exactly_as_the_screen(pack_file: Path, query: str) -> None:
    code, out = run("search", query, "--pack", str(pack_file), "--json")
    assert code == 0
    shown = PackContent(open_pack(pack_file, verify_key=None)).search(query, limit=20, language="zh")
    assert [hit["code"] for hit in json.loads(out)] == [hit.code for hit in shown]
    assert shown


def test_search_honours_limit_and_language(pack_file: Path) -> None:
    _, out = run("search", "hz", "--pack", str(pack_file), "--limit", "1", "--language", "en", "--json")
    (hit,) = json.loads(out)
    assert hit["name"].isascii()


def test_search_without_results_is_an_empty_list(pack_file: Path) -> None:
    assert run("search", "qqqqqq", "--pack", str(pack_file), "--json") == (0, "[]\n")
    assert "nothing found" in run("search", "qqqqqq", "--pack", str(pack_file))[1]


def test_a_missing_or_damaged_pack_is_explained(tmp_path: Path) -> None:
    code, out = run("search", "sfz", "--pack", str(tmp_path / "none.pack"))
    assert code == 1
    assert "no content pack" in out
    (tmp_path / "bad.pack").write_bytes(b"not a pack" * 100)
    code, out = run("search", "sfz", "--pack", str(tmp_path / "bad.pack"))
    assert code == 1
    assert out.startswith("nw-terminal: ")


def test_all_mistakes_of_a_configuration_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "device.toml").write_text(
        'role = "evaluator"\ndata_dir = "/var/lib/nw"\n[panel]\nwidth_mm = 900\n'
        '[hal.printer]\ndriver = "escpos"\n[hal.door]\ndriver = "gpio"\n'
    )
    code, out = run("run", "--config", str(tmp_path / "device.toml"), "--check")
    assert code == 1
    for part in ("hal.printer.port", "hal.door", "role", "panel"):
        assert part in out


def test_a_good_configuration_says_so_and_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "device.toml").write_text(f'role = "terminal"\ndata_dir = "{tmp_path}/data"\n')
    code, out = run("--config", str(tmp_path / "device.toml"), "--check")
    assert (code, out) == (0, f"{tmp_path}/device.toml: no mistakes found.\n")
    assert not (tmp_path / "data").exists()


def test_searching_imports_no_kivy_and_needs_no_display(pack_file: Path) -> None:
    script = (
        "import sys; from terminal.app import main\n"
        f"main(['search', 'sfz', '--pack', {str(pack_file)!r}], standalone_mode=False)\n"
        "assert 'kivy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], env={"PATH": "/usr/bin"}, capture_output=True, text=True, check=False,
                          cwd=Path(__file__).parents[2])  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_flow_imports_no_kivy() -> None:
    modules = "terminal.flow.visit, terminal.diary, terminal.print.notice, terminal.takeaway"
    script = f"import sys, {modules}; assert 'kivy' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 0, done.stderr
