"""The views of a running evaluator are used again for the next citizen: nothing of the one before may be left in them."""

import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.window, pytest.mark.timeout(120)]

VISIT = """
import sys
from pathlib import Path
from ui import shots
from evaluator import screens
from evaluator.flow import tags
from evaluator.flow.scene import Ask, Idle, Reasons, Receipt, Signs
from demo.shots.evaluator import CARD, HALL, ITEM
from evaluator.shown import LOCALE, TAGS_FILE, Views

shots.open_studio(Path(sys.argv[1]), locale_folders=[LOCALE])
screens.load()
shared = (Signs(), "zh", "elder")
from ui.theme import theme
theme.use(profile="elder")
tag_set = tags.load(TAGS_FILE)
views = Views(None, tag_set)
offered = tag_set.of(1)
ask = views.of(Ask(*shared, ITEM, "0417", CARD, 20, 60.0, False, 1), clock="", date="")
reasons = views.of(Reasons(*shared, 1, offered, frozenset({offered[0].id}), 3, 18, 20.0), clock="", date="")
receipt = views.of(Receipt(*shared, "7K3M-P0XW-9", HALL, CARD, 9, 10.0), clock="", date="")
assert any(tag.chosen for tag in reasons.ids.grid.children)
reasons.turn()
assert reasons.page == 1
def texts():
    return [w.text for view in (ask, reasons, receipt) for w in view.walk() if hasattr(w, "text")]
assert {"7K3M-P0XW-9"} <= set(texts()) and any("非常不满意" in text for text in texts() if text.startswith("您选的是"))
idle = Idle(Signs(), "zh", "standard", None, HALL, None, False, False, "")
views.rest(idle, size=(1280, 800))
assert "7K3M-P0XW-9" not in texts() and not any("0417" in text for text in texts()), texts()
assert not any("非常不满意" in text for text in texts() if text.startswith("您选的是"))
assert not any(tag.chosen for tag in reasons.ids.grid.children) and reasons.page == 0
again = views.of(Reasons(*shared, 2, tag_set.of(2), frozenset(), 3, 18, 20.0), clock="", date="")
assert again is reasons
names = [tag.name for tag in reversed(again.ids.grid.children)]
assert names == [tag.id for tag in tag_set.of(2)][: len(names)] and names
print("nothing left")
"""


def test_a_used_view_holds_nothing_of_the_last_citizen(cache, display):
    done = subprocess.run(
        [sys.executable, "-c", VISIT, str(cache)],
        env=os.environ | {"DISPLAY": display},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["nothing left"], done.stderr
