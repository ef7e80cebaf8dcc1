"""Which view draws which scene."""

from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.flow.scene import Scene

if TYPE_CHECKING:
    from evaluator.flow.desk import Desk
    from evaluator.screens.view import View

TAGS_FILE = Path(__file__).parent / "tags.json"
LOCALE = Path(__file__).parent / "locale"


def view_of(scene: Scene, desk: "Desk | None", *, clock: str, date: str) -> "View":
    """A new view for a scene. Imports Kivy; `ui.window.configure` must have run."""
    from evaluator.screens import ask, failed, idle, reasons, receipt, starting, unpaired

    views: dict[str, type[View]] = {
        "starting": starting.StartingView,
        "unpaired": unpaired.UnpairedView,
        "idle": idle.IdleView,
        "ask": ask.AskView,
        "reasons": reasons.ReasonsView,
        "receipt": receipt.ReceiptView,
        "failed": failed.FailedView,
    }
    return views[scene.name](scene, desk, clock=clock, date=date)
