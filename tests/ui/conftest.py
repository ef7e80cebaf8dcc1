"""A private X server, and a way to run a few lines against real widgets in a process of their own."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from private_display import private_display

PRELUDE = """
import json, sys
from pathlib import Path
from ui import shots as studio
studio.open_studio(Path(sys.argv[1]), locale_folders=[])
from kivy.clock import Clock
from kivy.lang import Builder
from ui.language import words
from ui.theme import theme
from ui.tokens import EVALUATOR_7, EVALUATOR_10, TERMINAL_21
def tell(**what): print(json.dumps(what, ensure_ascii=False))
"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    with private_display("1280x1024") as name:
        yield name


@pytest.fixture
def on_screen(display: str, cache: Path) -> Callable[[str], dict[str, Any]]:
    """Runs lines after opening a window, and gives what they `tell(...)` last."""

    def run(lines: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + textwrap.dedent(lines), str(cache)],
            env=os.environ | {"DISPLAY": display},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return told

    return run
