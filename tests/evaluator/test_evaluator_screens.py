"""Every screen state in three languages, three profiles and on two panels: nothing overflows, overlaps or is too small to touch."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.window, pytest.mark.timeout(300)]


@pytest.mark.parametrize("panel", ["1280x800", "800x480"])
@pytest.mark.parametrize("language", ["zh", "ko", "en"])
def test_every_state_fits(cache, display, panel, language):
    # One process a panel and language, since Kivy has one window a process.
    done = subprocess.run(
        [sys.executable, "-m", "ui.shots", "demo.shots.evaluator", str(cache), f"{panel}/{language}/"],
        env=os.environ | {"DISPLAY": display},
        capture_output=True,
        text=True,
        check=False,
    )
    checked = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(checked) >= 96, done.stderr
    assert [shot for shot in checked if shot["problems"]] == []
    assert done.returncode == 0, done.stderr
