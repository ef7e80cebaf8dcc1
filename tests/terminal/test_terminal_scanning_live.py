"""A code in front of a real window: a scanner that shines only when it is asked to, and a notice that opens what it is about."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from terminal_booth import PASSPORT
from terminal_machine import Terminal, wait

from hal.sim.control import send


class Scanning(Terminal):
    """A terminal with a scanner whose light obeys commands."""

    def __init__(self, folder: Path, pack_file: Path) -> None:
        super().__init__(
            folder, pack_file, more=f'[hal.scanner]\ndriver = "serial"\nport = "{folder}/scanner"\nprofile = "honeywell"\n'
        )
        program = [sys.executable, "-m", "hal.sim.scanner", "--profile", "honeywell"]
        self._start(*program, "--link", f"{folder}/scanner", "--control", f"{folder}/scanner.ctl")
        wait(lambda: (folder / "scanner.ctl").exists(), "scanner")

    def scanner(self, do: str, **options: Any) -> dict[str, Any]:
        """Tell or ask the simulated scanner."""
        return send(f"{self.folder}/scanner.ctl", {"do": do, **options})


@pytest.fixture
def terminal(tmp_path: Path, pack_file: Path) -> Iterator[Scanning]:
    made = Scanning(tmp_path, pack_file)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.window
@pytest.mark.timeout(600)
def test_a_visitor_holds_up_a_strange_code_then_an_items_code(terminal: Scanning) -> None:
    terminal.start()
    terminal.wake()
    terminal.touch("search")
    terminal.wait_screen("search")
    assert not terminal.scanner("state")["lit"]
    terminal.touch("scan")
    wait(lambda: terminal.scanner("state")["lit"], "light of the scanner")
    secret = "https://example.invalid/4711-secret"
    assert terminal.scanner("scan", text=secret)["seen"]
    terminal.touch("scan again")
    wait(lambda: terminal.scanner("state")["lit"], "light of the scanner again")
    assert terminal.scanner("scan", text=PASSPORT)["seen"]
    terminal.wait_screen("guide")
    wait(lambda: not terminal.scanner("state")["lit"], "dark scanner")
    kept = [path for path in terminal.folder.rglob("*") if path.is_file() and b"4711-secret" in path.read_bytes()]
    assert kept == []
