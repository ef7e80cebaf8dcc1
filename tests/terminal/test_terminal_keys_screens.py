"""语音键盘 on the real screens: every control within reach of twelve keys, every word told, no key without an answer."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from private_display import private_display

ROOT = Path(__file__).parents[2]
STATES = 46


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with private_display() as name:
        yield name


def walk(display: str, cache: Path, *words: str) -> list[dict[str, Any]]:
    """What tests/terminal_walk.py found."""
    environment = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "terminal_walk.py"), str(cache), *words],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=550, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.window
@pytest.mark.timeout(600)
@pytest.mark.parametrize("language", ["zh", "ko", "en"])
def test_keys_reach_every_control_of_every_screen_and_every_word_on_it_is_told(language: str, display: str, tmp_path: Path) -> None:
    found = walk(display, tmp_path, language)
    assert len(found) >= STATES
    wrong = [each for each in found if each["problems"] or each["missing"] or each["ids"] or each["heard"] < 15]
    assert not wrong, json.dumps(wrong, ensure_ascii=False, indent=1)


@pytest.mark.window
@pytest.mark.timeout(600)
def test_no_key_is_without_an_answer_wherever_a_visitor_gets_to(display: str, tmp_path: Path) -> None:
    (found,) = walk(display, tmp_path, "zh", "roam", "3", "250")
    assert not found["silent"], "\n".join(found["silent"])
    assert len(found["seen"]) >= 6, found["seen"]
