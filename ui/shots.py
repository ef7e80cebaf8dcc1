"""Renders screens to PNG files and looks for what a visitor would stumble on: overflowing, overlapping and too small things.

Used by `./run shots` and by tests, under Xvfb. Rendering is off screen, so one window serves panels of every size.
"""

import importlib
import json
import sys
from collections.abc import Callable, Iterable
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ui import window
from ui.tokens import EVALUATOR_10, Kind, Panel, Profile

if TYPE_CHECKING:
    from kivy.uix.widget import Widget

    from ui.picture import Raster


class Shot(NamedTuple):
    """A picture to take: its name (a file name without ending) and what builds the dressed widget."""

    name: str
    build: Callable[[], "Widget"]


def open_studio(cache: Path, *, locale_folders: Iterable[Path]) -> None:
    """Open the hidden window and load fonts and texts into `cache`; once a process, before any widget is imported."""
    window.configure(EVALUATOR_10, data_dir=cache, title="Nightwindow shots")
    from kivy.base import EventLoop
    from kivy.clock import Clock

    from ui import rules
    from ui.language import words

    EventLoop.ensure_window()
    if EventLoop.window is None:
        raise window.WindowError("no display for the pictures; run under Xvfb")
    Clock._max_fps = 0  # Frames here wait for nobody.
    words.load(locale_folders, cache=cache)
    rules.load_widgets()


def dressed(
    make: Callable[[], "Widget"],
    *,
    panel: Panel,
    kind: Kind,
    language: str = "zh",
    profile: Profile = "standard",
    night: bool = False,
) -> Callable[[], "Widget"]:
    """A builder that sets panel, language and look, then calls `make`."""

    def build() -> "Widget":
        from ui.language import words
        from ui.theme import theme

        theme.use(panel, kind=kind, profile=profile, night=night)
        words.use(language)
        return make()

    return build


def settle(root: "Widget", *, frames: int = 12) -> None:
    """Give `root` the panel's size and let layout and texts come to rest."""
    from kivy.clock import Clock
    from kivy.lang import Builder

    from ui.theme import theme

    root.size_hint = (None, None)
    root.pos = (0, 0)
    root.size = theme.panel.size
    for _ in range(frames):
        Clock.tick()
        Builder.sync()  # Kivy's own loop does this: canvases of kv rules follow only then.


def shoot(build: Callable[[], "Widget"]) -> tuple["Widget", "Raster"]:
    """Build, settle and render; gives the widget for checks and its picture."""
    from ui import picture

    root = build()
    settle(root)
    return root, picture.render(root)


def save(shot: Shot, folder: Path) -> Path:
    """Write a shot as `<folder>/<name>.png` and return the path."""
    path = folder / f"{shot.name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(shoot(shot.build)[1].png())
    return path


def problems(root: "Widget") -> list[str]:
    """What is wrong with a settled screen, one sentence each; empty when nothing is.

    Looks for words that do not fit, words outside the panel, words that overlap other words, and touch targets under the
    theme's smallest size or outside the panel.
    """
    from ui.picture import visible
    from ui.theme import theme
    from ui.widgets.card import Touchable
    from ui.widgets.text import Words

    found: list[str] = []
    texts = [widget for widget in visible(root) if isinstance(widget, Words) and widget.text]
    boxes = [(widget, _ink(widget)) for widget in texts]
    width, height = theme.panel.size
    for text, (left, bottom, right, top) in boxes:
        if text.overflows:
            found.append(
                f"{text.text!r} needs {text.texture_width:.0f}×{text.texture_height:.0f} px, has {text.width:.0f}×{text.height:.0f}"
            )
        if left < -1 or bottom < -1 or right > width + 1 or top > height + 1:
            found.append(f"{text.text!r} leaves the panel")
    for (one, a), (other, b) in combinations(boxes, 2):
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]:
            found.append(f"{one.text!r} and {other.text!r} overlap")
    least = theme.mm(15 if theme.kind == "desk" else 20) - 1
    for widget in visible(root):
        if isinstance(widget, Touchable):
            x, y = widget.to_window(*widget.pos)
            if x < -1 or y < -1 or x + widget.width > width + 1 or y + widget.height > height + 1:
                found.append(f"touch target {widget.name!r} leaves the panel")
            if widget.target and min(widget.size) < least:
                found.append(f"touch target {widget.name!r} is {widget.width:.0f}×{widget.height:.0f} px, at least {least} wanted")
    return found


def main() -> None:
    """`python -m ui.shots MODULE CACHE [MATCH]`: check every shot of a module whose name holds MATCH; a JSON line each.

    The module has `shots()` and `LOCALES`. Needs a display; exit status 1 when a shot has problems.
    """
    module, cache, match = importlib.import_module(sys.argv[1]), Path(sys.argv[2]), "".join(sys.argv[3:4])
    open_studio(cache, locale_folders=module.LOCALES)
    bad = 0
    for shot in module.shots():
        if match in shot.name:
            root = shot.build()
            settle(root)
            found = problems(root)
            bad += bool(found)
            print(json.dumps({"name": shot.name, "problems": found}, ensure_ascii=False), flush=True)
    sys.exit(1 if bad else 0)


def _ink(text: "Widget") -> tuple[float, float, float, float]:
    # The part of a text's texture that holds strokes: a line's room above and below its characters may touch a neighbour's.
    x, y = text.to_window(*text.texture_pos)
    spare = text.shown_size * 0.25
    return x + 2, y + spare, x + text.texture_width - 2, y + text.texture_height - spare


if __name__ == "__main__":
    main()
