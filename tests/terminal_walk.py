"""Walks through every screen of the terminal by keys alone, for test_terminal_keys_screens.py; needs a display.

`python tests/terminal_walk.py CACHE LANGUAGE` prints a JSON line a screen: what keys cannot reach, what is not told, what is empty;
with `roam SEED PRESSES` it presses keys at random and tells after which one there was silence.
"""

import json
import random
import re
import sys
from pathlib import Path
from typing import Any

from demo.shots import terminal as shots
from terminal.flow.phrase import phrase
from ui import shots as studio

ID = re.compile(r"\b(keys|aid|guide|paper|scan|foot|list|home|rate|search|warn|leave|tongue)\.[a-z_]+\b|\{[a-z]+\}")


class Listener:
    """Hears everything."""

    private = False

    def __init__(self, made: Any, clock: Any) -> None:
        from terminal.ear import Ear
        from terminal.flow.keys import Keys
        from ui.speech import Voice

        self.made, self.clock, self.heard = made, clock, []
        self.keys = Keys(made.visit, clock, Ear(Voice(self), (), show=made.say_line), read=made.reading)
        made.listen(self.keys)

    def say(self, text: str, language: str, *, slowly: bool = False) -> None:
        self.heard.append(text)

    def hush(self) -> None: ...

    def is_speaking(self) -> bool:
        return False

    def press(self, key: str) -> str:
        """Press a key, wait until the screen rests, and give what was said."""
        before = len(self.heard)
        self.clock.ms += 700
        self.keys.key(key, self.clock.ms)  # type: ignore[arg-type]
        studio.settle(self.made, frames=shots.FRAMES if key == "5" else 6)
        self.keys.look()
        return " ".join(self.heard[before:])


def targets(made: Any) -> list[Any]:
    """All that a finger could touch, but for the keyboard, whose letters the digits stand for."""
    from ui.picture import visible
    from ui.widgets.card import Touchable

    top = made.panel or made
    found = [widget for widget in visible(top) if isinstance(widget, Touchable) and not widget.disabled]
    return [widget for widget in found if not widget.name.startswith("key ")]


def written(made: Any) -> set[str]:
    """All words that can be read in the place or panel, but for what is private or counts down."""
    from terminal.screens.reading import heard
    from ui.picture import visible
    from ui.widgets.icon import Icon
    from ui.widgets.text import Words

    texts: set[str] = set()
    if made.panel_name == "warning":
        # Its two buttons are any key, and 7.
        return {heard(made.panel.ids.left.text)}
    for widget in visible(made.panel or made.view):
        chain = list(_up(widget))
        hidden = any(getattr(each, "private", False) for each in chain) or any(
            type(each).__name__ in ("Keyboard", "Ring", "PageBar") for each in chain
        )
        named = any(getattr(each, "alt", "") for each in chain) and not any(type(each).__name__ == "Crumb" for each in chain)
        if isinstance(widget, Words) and not isinstance(widget, Icon) and not hidden and not named and heard(widget.text):
            texts.add(heard(widget.text))
    return texts


def _up(widget: Any) -> Any:
    while widget is not None and widget.parent is not widget:
        yield widget
        widget = widget.parent


def walk(state: str, language: Any) -> dict[str, Any]:
    """One screen: everything the keys reach on all its pages, against everything that is there."""
    made = shots.shot(state, language, "keypad").build()
    listener = Listener(made, made.visit._clock)
    listener.keys.look()
    told = list(listener.heard)
    if not listener.keys.is_on:
        told.append(listener.press("5"))
    problems = studio.problems(made) + [f"nothing told of {state}"] * (not "".join(told).strip())
    if made.reading().writes:
        listener.press("enter")
    # There any key means something else: it goes on, or begins the next visit.
    still = made.visit.warning or made.visit.phase == "goodbye"
    reached, missing = set(), []
    for _page in range(9):
        for _turn in range(len(targets(made)) + 1):
            if still:
                break
            text = listener.press("8")
            problems += ["silence after a move"] * (not text.strip())
            reached.add(_focused(made, listener.keys))
        names = {_place(widget) for widget in targets(made)}
        missing += sorted(f"{name}" for name in names - reached if not still)
        told.append(" ".join(listener.heard) + ("" if still else listener.press("0")))
        missing += [f"not told: {text}" for text in written(made) if text.rstrip("。.") not in " ".join(told)]
        before = made.reading().page
        if still or made.reading().pages < 2 or (listener.press("6") and made.reading().page == before):
            break
    everything = " ".join(listener.heard)
    return {
        "name": f"{language}/{state}", "problems": problems, "missing": missing,
        "ids": sorted({found.group() for found in ID.finditer(everything)}), "heard": len(everything),
    }  # fmt: skip


def roam(language: Any, seed: int, presses: int) -> dict[str, Any]:
    """Press keys at random from the home screen on: each is answered with words, and every screen stays within reach."""
    made = shots.shot("home", language, "keypad").build()
    listener = Listener(made, made.visit._clock)
    listener.keys.look()
    chance, silent, seen, trail = random.Random(seed), [], set(), []
    for _ in range(presses):
        # A visitor who is through goes on to the next thing now and then; 7 twice would end most walks early.
        key = chance.choices("0123456789ec", weights=(2, 1, 4, 1, 2, 1, 2, 1, 8, 1, 12, 4))[0]
        key = {"e": "enter", "c": "clear"}.get(key, key)
        trail.append(key)
        text = listener.press(key)
        seen.add(made.visit.screen_name)
        if not text.strip() or ID.search(text):
            silent.append(f"{made.visit.screen_name} {made.panel_name} after {' '.join(trail[-8:])}: {text!r}")
        job = made.visit.session.desk.job if made.visit.session else None
        if job is not None and job.state == "sending":
            outcome = chance.choice(["printed", "not_printed", "unknown"])
            made.visit.session.desk.outcome(job.sheet.job_id, outcome, phrase(""), "")
            made.visit.changed()
            studio.settle(made, frames=4)
            listener.keys.look()
    return {"name": f"{language}/roam/{seed}", "silent": silent, "seen": sorted(seen)}


def _place(widget: Any) -> str:
    return f"{widget.name} at {widget.to_window(*widget.pos)}"


def _focused(made: Any, keys: Any) -> str:
    widget = made._behind.get(keys.focused)
    return _place(widget) if widget is not None else ""


def main() -> None:
    cache, language = Path(sys.argv[1]), sys.argv[2]
    studio.open_studio(cache, locale_folders=shots.LOCALES)
    if sys.argv[3:4] == ["roam"]:
        print(json.dumps(roam(language, int(sys.argv[4]), int(sys.argv[5])), ensure_ascii=False))
        return
    for state in shots.STATES:
        if "".join(sys.argv[3:4]) in state:
            print(json.dumps(walk(state, language), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
