"""语音键盘 as a visitor meets it: contacts of a wired pad, a real window, and a voice that keeps what it was given."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from terminal_machine import ROOT, Terminal, wait

from hal.sim.control import ControlError, send

FAKES = ROOT / "tests" / "hal" / "fakes"


class Heard(Terminal):
    """A terminal with a pad, a voice and a loudspeaker whose headphone contact is known."""

    def __init__(self, folder: Path, pack_file: Path) -> None:
        (folder / "card").touch()
        (folder / "mixer.json").write_text(json.dumps({"cards": {"default": {"Master": "0dB", "Headphone Jack": "off"}}}))
        synth = [sys.executable, str(FAKES / "synth.py"), str(folder / "said.txt"), "0"]
        player = [sys.executable, str(FAKES / "player.py"), str(folder / "played.txt"), str(folder / "card")]
        mixer = [sys.executable, str(FAKES / "amixer.py"), str(folder / "mixer.json")]
        more = (
            f'[hal.keypad]\ndriver = "matrix"\n[hal.speech]\ndriver = "espeak"\nespeak = {json.dumps(synth)}\n'
            f'player = {json.dumps(player)}\n[hal.speaker]\ndriver = "alsa"\nmixer = {json.dumps(mixer)}\n'
            'jack = "Headphone Jack"\npoll_s = 0.1\n'
        )
        super().__init__(folder, pack_file, more=more)
        self.again_s = 0.0

    def press(self, key: str) -> None:
        """Close a contact of the pad for a moment, bouncing; not so soon after the last press that it counts as a tremble."""
        wait(lambda: time.monotonic() >= self.again_s, "half a second")
        self.again_s = time.monotonic() + 0.7

        def pressed() -> bool:
            try:
                send(f"{self.folder}/pins.sock", {"key": key, "ms": 80, "bounce_ms": 4})
            except ControlError:
                return False
            return True

        wait(pressed, "pins")

    def said(self) -> list[tuple[str, str]]:
        """Everything the voice was given: (its options, the text)."""
        path = self.folder / "said.txt"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [(line.partition("\t")[0], line.partition("\t")[2]) for line in lines]

    def hear(self, words: str) -> tuple[str, str]:
        """Wait until the voice was given these words."""
        found: Any = wait(lambda: [each for each in self.said() if words in each[1]], f"{words!r} in {self.said()}")
        return found[-1]

    def headphones(self, plugged: bool) -> None:
        """Plug headphones in or out."""
        path = self.folder / "mixer.json"
        state = json.loads(path.read_text())
        state["cards"]["default"]["Headphone Jack"] = "on" if plugged else "off"
        new = path.with_suffix(".test")
        new.write_text(json.dumps(state))
        new.replace(path)

    def volume(self) -> str:
        """What the loudspeaker is set to."""
        set_to: str = json.loads((self.folder / "mixer.json").read_text())["cards"]["default"]["Master"]
        return set_to


@pytest.fixture
def terminal(tmp_path: Path, pack_file: Path) -> Iterator[Heard]:
    made = Heard(tmp_path, pack_file)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.window
@pytest.mark.timeout(600)
def test_somebody_who_cannot_see_finds_an_item_by_twelve_keys_and_prints_its_notice(terminal: Heard) -> None:
    terminal.start()
    terminal.press("5")
    options, text = terminal.hear("语音键盘已打开")
    assert "-v cmn" in options
    assert "您好，想办什么事？" in text
    assert "第 1 项，共 7 项：搜索事项" in text
    terminal.press("enter")
    terminal.hear("用数字键输入拼音首字母")
    terminal.press("4")
    terminal.hear("已输入 1 位")
    terminal.press("9")
    terminal.hear("已输入 2 位")
    terminal.press("enter")
    terminal.hear("：普通护照签发，")
    terminal.press("8")
    terminal.press("2")
    wait(lambda: "：普通护照签发，" in terminal.said()[-1][1], "the first result again")
    terminal.press("enter")
    terminal.hear("我能不能办")
    while "打印告知单" not in terminal.said()[-1][1]:
        before = len(terminal.said())
        terminal.press("8")
        wait(lambda count=before: len(terminal.said()) > count, "the next choice")
    terminal.press("enter")
    terminal.hear("已打印，请取走告知单")
    assert len(send(f"{terminal.folder}/printer.ctl", {"do": "paper"})["tickets"]) == 1
    assert terminal.look()["screen"] == "paper"


@pytest.mark.window
@pytest.mark.timeout(600)
def test_headphones_begin_a_visit_and_volume_and_language_end_with_it(terminal: Heard) -> None:
    terminal.start()
    normal = wait(lambda: terminal.volume() != "0dB" and terminal.volume(), "the normal volume")
    terminal.headphones(True)
    terminal.hear("语音键盘已打开")
    terminal.press("9")
    terminal.hear("音量 2，共 5 级")
    wait(lambda: terminal.volume() != normal, "a louder voice")
    terminal.press("3")
    assert "-v ko" in terminal.hear("이제 조선말로 말합니다")[0]
    terminal.press("7")
    terminal.hear("7을 한번 더 누르면")
    terminal.press("7")
    terminal.wait_screen("goodbye")
    wait(lambda: terminal.volume() == normal, "the normal volume again")
    terminal.wait_screen("attract")
    terminal.press("5")
    wait(lambda: "语音键盘已打开" in terminal.said()[-1][1], "Chinese again")
