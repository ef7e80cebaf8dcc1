"""Run by test_terminal_screens.py in a process of its own: builds every screen in one language and prints what is wrong."""

import json
import sys
from pathlib import Path

import terminal
from terminal.flow.idle import PROFILES
from ui import shots as studio


def main(language: str, cache: str) -> None:
    """Print one JSON line a screen: its name and its problems."""
    studio.open_studio(Path(cache), locale_folders=[Path(terminal.__file__).parent / "locale"])
    from terminal import shots

    for state in shots.STATES:
        for profile in PROFILES:
            shot = shots.shot(state, language, profile)  # type: ignore[arg-type]
            root = shot.build()
            studio.settle(root)
            print(json.dumps([shot.name, studio.problems(root)], ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
