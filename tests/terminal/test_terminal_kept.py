"""The views of a rating are made early and used again, and nothing of one visitor's rating is left in them for the next."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from private_display import private_display

ROOT = Path(__file__).parents[2]
RATE_TWICE = """
import json, sys, time
from pathlib import Path
from ui import shots as studio
from demo.shots import terminal as shots
studio.open_studio(Path(sys.argv[1]), locale_folders=shots.LOCALES)
from kivy.clock import Clock
from terminal.flow.status import Status
from terminal.screens.frame import TerminalStage
from terminal.screens.rate import ReasonsView
from terminal.screens.rules import load_screens
from ui.theme import theme
from ui.tokens import TERMINAL_21
load_screens()
theme.use(TERMINAL_21, kind="kiosk")
scene = shots.Scene(content=shots.catalogue(), status=Status())
visit = scene.visit
visit.touch()
stage = TerminalStage(visit)
made = stage._views._made
settle = lambda: studio.settle(stage, frames=shots.FRAMES)
settle()
shots._rate(scene)
end_s = time.monotonic() + 10
while ReasonsView not in made and time.monotonic() < end_s:
    Clock.tick()
early = made[ReasonsView]
settle()
question, size, told = stage.view, list(early.size), {}
told["laid out"] = size == list(stage.frame.ids.slot.size)

def thanks():
    return {
        "tags": [row.name for row in reversed(stage.view.ids.tags.children) if hasattr(row, "name")],
        "chosen": stage.view.ids.chosen.text, "ticked": [row.name for row in stage.view._rows if row.chosen],
        "correct": not stage.view.ids.correct.disabled, "early": stage.view is early, "problems": studio.problems(stage),
    }

visit.press(5); settle()
visit.tag("lv5.clear"); settle()
told["five"] = thanks()
visit.correct(); settle()
told["asked again by"] = stage.view is question
visit.press(3); settle()
told["three"] = thanks()
visit.set_language("en"); settle()
told["english"] = thanks()
visit.rating_done(); settle()
told["left"] = len(made)
print(json.dumps(told))
"""
WAITS = """
import json, sys, time
from pathlib import Path
from ui import shots as studio
from demo.shots import terminal as shots
studio.open_studio(Path(sys.argv[1]), locale_folders=shots.LOCALES)
from kivy.clock import Clock
from terminal.flow.ports import Stands
from terminal.flow.status import Status
from terminal.screens.frame import TerminalStage
from terminal.screens.rules import load_screens
from ui.theme import theme
from ui.tokens import TERMINAL_21
load_screens()
theme.use(TERMINAL_21, kind="kiosk")
scene = shots.Scene(content=shots.catalogue(), status=Status())
scene.visit.touch()
shots._rate(scene)
waiting = []
scene.quiet.rating_pressed = lambda rating, level, *, amends, done: waiting.append(done)
stage = TerminalStage(scene.visit)
studio.settle(stage, frames=shots.FRAMES)
marked = lambda: [card.level for card in stage.view._cards if card.waiting]
cards = {card.level: card for card in stage.view._cards}
cards[2].dispatch("on_press")
at_once, end_s = marked(), time.monotonic() + 10
while not marked() and time.monotonic() < end_s:
    Clock.tick()
later = marked()
waiting[0](Stands(4, b"x" * 32))
studio.settle(stage, frames=shots.FRAMES)
thanked = stage.screen_name
scene.visit.correct()
studio.settle(stage, frames=shots.FRAMES)
print(json.dumps({"at once": at_once, "later": later, "then": thanked, "asked again": marked()}))
"""


def _run(program: str, cache: Path) -> dict[str, Any]:
    with private_display() as display:
        done = subprocess.run(
            [sys.executable, "-c", program, str(cache)],
            env=os.environ | {"DISPLAY": display, "PYTHONPATH": str(ROOT)}, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.window
@pytest.mark.timeout(300)
def test_the_thanks_are_made_while_the_question_is_asked_and_follow_what_is_pressed(tmp_path: Path) -> None:
    told = _run(RATE_TWICE, tmp_path)
    assert told["laid out"], "a view that has to be laid out when it is shown saves little"
    assert (told["five"]["early"], told["three"]["early"], told["asked again by"]) == (True, True, True)
    assert told["five"]["ticked"] == ["tag lv5.clear"]
    assert {tag[:7] for tag in told["five"]["tags"]} == {"tag lv5"}
    assert len(told["five"]["tags"]) == 6
    assert {tag[:7] for tag in told["three"]["tags"]} == {"tag lv3"}
    assert len(told["three"]["tags"]) == 4
    assert told["three"]["ticked"] == [], "another level, other reasons"
    assert told["five"]["chosen"] != told["three"]["chosen"]
    assert (told["five"]["correct"], told["three"]["correct"]) == (True, True)
    assert [told[each]["problems"] for each in ("five", "three", "english")] == [[], [], []]
    assert told["english"]["early"] is False, "texts are set when a view is made"
    assert told["left"] == 0, "nothing is kept for the next visitor"


@pytest.mark.window
@pytest.mark.timeout(300)
def test_a_press_that_waits_for_a_slow_disk_is_marked_after_a_moment_and_not_when_asked_again(tmp_path: Path) -> None:
    told = _run(WAITS, tmp_path)
    assert told == {"at once": [], "later": [2], "then": told["then"], "asked again": []}
    assert told["then"].startswith("reasons")
