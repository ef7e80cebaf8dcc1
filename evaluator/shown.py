"""Which view draws which scene, and the views of a running face, each made once."""

from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.flow.scene import Ask, Reasons, Receipt, Scene
from evaluator.flow.tags import TagSet

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


class Views:
    """Makes each view once and uses it again: making one takes longer than an answer to a press may take to appear."""

    def __init__(self, desk: "Desk", tags: TagSet) -> None:
        self._desk, self._tags = desk, tags
        self._made: dict[str, View] = {}

    def of(self, scene: Scene, *, clock: str, date: str) -> "View":
        """The view of this scene, ready to be shown."""
        view = self._made.get(scene.name)
        if view is None:
            view = self._made[scene.name] = view_of(scene, self._desk, clock=clock, date=date)
        else:
            view.clock, view.date, view.scene = clock, date, scene
            view.begin()
        return view

    def rest(self, scene: Scene, *, size: tuple[int, int]) -> None:
        """Call when nobody rates: prepares what comes with a rating, and takes out what the last citizen chose."""
        shared = (scene.signs, scene.language, scene.profile)
        for empty in (
            Ask(*shared, item=None, case_tail="", card=None, left_s=0, of_s=1.0, correcting=False, pressed=None),
            Reasons(*shared, level=5, tags=self._tags.of(5), chosen=frozenset(), correction_s=1, left_s=0, of_s=1.0),
            Receipt(*shared, code="", hall=None, card=None, left_s=0, of_s=1.0),
        ):
            self.of(empty, clock="", date="").size = size
