"""Loads the terminal's rule files in the order they need each other. Call it once, after the shared widgets' rules."""

from pathlib import Path

from kivy.lang import Builder

_ORDER = ("view", "pager", "paper", "search", "focus")


def load_screens() -> None:
    """Import every view and load its rules; loading twice changes nothing."""
    from terminal.screens import focus, frame, marked, pager  # noqa: F401  Importing makes the names known to kv.

    folder = Path(__file__).parent
    rest = sorted(path.stem for path in folder.glob("*.kv") if path.stem not in _ORDER)
    for stem in (*_ORDER, *rest):
        path = str((folder / f"{stem}.kv").resolve())
        if path not in Builder.files:
            Builder.load_file(path, encoding="utf-8")
