"""Large fonts do not pile up in memory: Kivy's limit is what we think it is, and ours turn over within it."""

import pytest

pytestmark = pytest.mark.window

MEASURE = """
from pathlib import Path
from kivy.core.text import Label as CoreLabel
from ui import openfonts, window
window._give_back_large_blocks()
face = str(words.fonts.chinese.path)
def memory():
    return int(Path('/proc/self/statm').read_text().split()[1]) * 4096 / 1e6
def draw(size):
    CoreLabel(font_name=face, font_size=size).get_extents('办')
"""


def test_without_turning_over_the_sizes_would_pile_up(on_screen):
    """The control: if this needs no memory any more, ui.openfonts can go."""
    told = on_screen(
        MEASURE
        + """
before = memory()
for size in range(20, 20 + 48):
    draw(size)
tell(grown=memory() - before)
"""
    )
    assert told["grown"] > 80


def test_sizes_drawn_long_ago_are_let_go_and_at_rest_all_but_a_few(on_screen):
    told = on_screen(
        MEASURE
        + """
before = memory()
for size in range(20, 20 + 150):
    openfonts.open_fonts.use(face, size)
    draw(size)
active = memory() - before
window.let_go()
rest = memory() - before
window.let_go()
tell(active=active, rest=rest, again=memory() - before)
"""
    )
    assert 25 < told["active"] < 60
    assert 8 < told["rest"] < 28
    assert abs(told["again"] - told["rest"]) < 1


def test_a_font_that_is_open_stays_and_the_one_opened_longest_ago_goes(on_screen):
    told = on_screen(
        MEASURE
        + """
fonts = openfonts.OpenFonts(limit=4, at_rest=2)
for size in (1, 2, 3, 1, 4, 5):
    fonts.use(face, size)
active = [size for _, size in fonts.used]
fonts.rest()
tell(active=active, rest=[size for _, size in fonts.used])
"""
    )
    assert told == {"active": [2, 3, 4, 5], "rest": [4, 5]}
