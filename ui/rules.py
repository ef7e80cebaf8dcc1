"""Loads kv rule files, once each; nothing is loaded by an import."""

from pathlib import Path

from kivy.lang import Builder

_HERE = Path(__file__).parent


def load_folder(folder: Path) -> None:
    """Load every `.kv` of a folder that is not loaded yet. The classes they name must have been imported."""
    for path in sorted(folder.glob("*.kv")):
        load(path)


def load(path: Path) -> None:
    """Load one `.kv` file unless it is loaded."""
    name = str(path.resolve())
    if name not in Builder.files:
        Builder.load_file(name, encoding="utf-8")


def load_widgets() -> None:
    """Import all shared widgets and load their rules."""
    from ui.widgets import (  # noqa: F401  Importing makes their names known to kv.
        banner,
        card,
        checklist,
        chip,
        faces,
        footer,
        header,
        icon,
        keyboard,
        level_card,
        pill,
        portrait,
        qr,
        ring,
        text,
    )

    # Rules of a base class must be loaded before those of its children, which override them.
    for base in ("text", "icon", "card", "pill"):
        load(_HERE / "widgets" / f"{base}.kv")
    load_folder(_HERE / "widgets")
