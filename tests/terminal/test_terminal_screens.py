"""Every screen of the terminal in three languages and profiles: nothing overflows, overlaps or is too small to touch."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATES, PROFILES = 48, 3


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as numbers:
            yield f":{numbers.readline().strip()}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.mark.window
@pytest.mark.timeout(900)
@pytest.mark.parametrize("language", ["zh", "ko", "en"])
def test_no_screen_overflows_overlaps_or_shrinks_its_targets(language: str, display: str, tmp_path: Path) -> None:
    environment = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "ui.shots", "demo.shots.terminal", str(tmp_path), f"terminal/{language}/"],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=850, check=False,
    )  # fmt: skip
    found = {shot["name"]: shot["problems"] for shot in map(json.loads, done.stdout.splitlines())}
    assert len(found) >= STATES * PROFILES, done.stderr[-2000:]
    wrong = {name: problems for name, problems in found.items() if problems}
    assert not wrong, json.dumps(wrong, ensure_ascii=False, indent=1)
    assert done.returncode == 0
