"""Codes that visitors hold up: readers shine only while the screen asks for one, and a code opens an item or a plan, or nothing."""

import re
from collections.abc import Callable, Sequence
from typing import cast

import structlog

from hal.api import Camera, LookEnded, Peripheral, Scanned, Scanner, ScanRefused
from hal.codes import shape_of
from pack.model import LANGUAGES, Language
from terminal.flow.places import Guide, Place, Plan
from terminal.flow.ports import Content
from terminal.flow.visit import Visit
from terminal.wording import Wording

LOOK_S = 20.0
SHAPES = {"item": re.compile(r"[0-9A-Z]{31}"), "text": re.compile(r".{2,700}")}
"""An item's code as it stands on posters and websites, and the text of a notice (at most 640 bytes, `takeaway.MOST_BYTES`)."""
MOST_NAME = 120
NEXT_PARTS = tuple(f"take.text_{part}" for part in ("bring", "items", "where", "long", "fee", "phone"))
"""What follows the name in a notice's code."""

log = structlog.get_logger("terminal.scanning")

Post = Callable[[Callable[[], object]], object]
"""Runs a callable on the visit's thread, soon (ui.bridge)."""


class Scanning:
    """Scanners and cameras on one side, the visit on the other. Nothing of a code is kept, shown or logged."""

    def __init__(
        self, visit: Visit, scanners: Sequence[Peripheral], cameras: Sequence[Peripheral], *, post: Post, wording: Wording
    ) -> None:
        self._visit, self._post, self._wording = visit, post, wording
        self._scanners = [cast(Scanner, one) for one in scanners]
        self._cameras = [cast(Camera, one) for one in cameras]
        self._shines = self._looks = False

    @property
    def works(self) -> bool:
        """Whether a code that is held up can be read now."""
        return any(one.health().state in ("ok", "degraded") for one in (*self._scanners, *self._cameras))

    def sync(self) -> None:
        """Switch on what reads while a code is asked for, and off as soon as it is not. Call it after changes and each second."""
        session = self._visit.session
        wanted = session is not None and self._visit.overlay == "scan" and not session.code_refused
        if wanted or self._shines:
            for scanner in self._scanners:
                # Said again while it is wanted, because its light goes out by itself after a while.
                scanner.trigger(wanted)
        self._shines = wanted
        if wanted != self._looks:
            self._looks = wanted
            for camera in self._cameras:
                if wanted:
                    camera.look(LOOK_S)
                else:
                    camera.stop_looking()

    def take(self, event: Scanned | ScanRefused | LookEnded) -> None:
        """An event, on a thread of hal."""
        if isinstance(event, Scanned):
            self._post(lambda: self._visit.scanned(self._place(event.text)))
        elif isinstance(event, ScanRefused):
            log.info("a code was refused", reason=event.reason)
            self._post(lambda: self._visit.scanned(None))
        elif event.why in ("time", "stopped"):
            # One that failed would fail again at once; its health tells, and the next try is the visitor's.
            self._post(self._look_again)

    def _look_again(self) -> None:
        self._looks = False
        self._visit.changed()

    def _place(self, text: str) -> Place | None:
        content = self._visit.content
        shape = shape_of(text, SHAPES)
        if content is None or shape is None:
            return None
        if shape == "item":
            return Guide(text) if content.item(text) is not None else None
        return next((found for language in LANGUAGES if (found := self._noticed(content, text, language))), None)

    def _noticed(self, content: Content, text: str, language: Language) -> Place | None:
        """What a notice is about whose text this is. Its name alone counts; the rest may be of another day."""
        say = self._wording.say(language)
        name = re.split("|".join(re.escape(say(part)) for part in NEXT_PARTS), text, maxsplit=1)[0]
        if name == text or not 0 < len(name) <= MOST_NAME:
            return None
        hits = content.search(name, limit=5, language=language)
        code = next((hit.code for hit in hits if hit.name == name), None)
        return Guide(code) if code is not None else _planned(content, name, language)


def _planned(content: Content, name: str, language: Language) -> Place | None:
    """The situation of a life event that a merged notice is about."""
    for scenario in content.scenarios():
        for situation in scenario.situations:
            if name == f"{scenario.name.get(language)} · {situation.name.get(language)}":
                return Plan(scenario.code, situation.id)
    return None
