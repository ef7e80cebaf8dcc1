"""Up to which press of each button box everything is recorded, so that a press which arrives twice is recorded once.

A box sends its oldest press until it is told that it is taken, and only then the next; so one number a box says it all. The
journal is the truth: a press and its number are one entry. The file only spares a search through the whole journal at start, so it
may be older than the journal's last entries, which are read as well.
"""

import json
from pathlib import Path

import structlog

from evaluator.stored import store
from wire.kinds import BoxPress

MAX_BOXES = 64

log = structlog.get_logger("evaluator.boxes")


class BoxMarks:
    """`recorded` and `store` belong to the writing thread; `knows` may be asked on any."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._marks = _read(path)
        self._stored = dict(self._marks)

    def recorded(self, press: BoxPress) -> None:
        """The journal holds this press."""
        self._marks[press.box] = max(press.number, self._marks.pop(press.box, 0))
        while len(self._marks) > MAX_BOXES:
            self._marks.pop(next(iter(self._marks)))

    def knows(self, box: str, number: int) -> bool:
        """Whether the journal holds this press."""
        return number <= self._marks.get(box, 0)

    def store(self) -> None:
        """Write the marks, if they have changed. Raises OSError."""
        if self._marks != self._stored:
            marks = dict(self._marks)
            store(self._path, marks)
            self._stored = marks


def _read(path: Path) -> dict[str, int]:
    try:
        marks = json.loads(path.read_text(encoding="utf-8"))
        return {str(box): int(number) for box, number in marks.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        log.warning("the marks of button boxes cannot be read; the journal's last entries have to do", error=str(error))
        return {}
