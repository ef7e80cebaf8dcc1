"""What an evaluator shows, one scene a `.py` and `.kv`. Call `load()` once before making any."""

from pathlib import Path


def load() -> None:
    """Import all screens and load their rules, after ui.rules.load_widgets()."""
    from evaluator.screens import ask, failed, idle, reasons, receipt, starting, unpaired, view  # noqa: F401
    from ui import rules

    folder = Path(__file__).parent
    rules.load(folder / "view.kv")
    rules.load_folder(folder)
