"""What is on the evaluator's screen: the present scene in its language and profile, the time, a press marked while the disk works.

The only one who touches views while the face runs; call on the Kivy thread.
"""

import time
from collections.abc import Callable
from datetime import datetime

from evaluator.flow.desk import Desk
from evaluator.flow.scene import Ask, Scene
from evaluator.flow.tags import TagSet
from evaluator.shown import Views, view_of
from ui import timers
from ui.language import words
from ui.stage import Stage
from ui.theme import theme

MARK_AFTER_S = 0.03
"""A press is on the disk, and thanked for, sooner than a frame is drawn. Only when the disk takes longer than this, the pressed
card is drawn marked meanwhile; drawing it each time would put the thanks off by a frame."""
REST_AFTER_S = 1.0
"""So long after a rating its views are emptied and made ready for the next one."""


class OnScreen:
    """The stage with its view. `now` gives local time, None while the clock was never set."""

    def __init__(self, stage: Stage, first: Scene, *, now: Callable[[], datetime | None]) -> None:
        self._stage, self._now = stage, now
        self._view = view_of(first, None, clock="", date="")
        self._pressed_s = 0.0

    def begin(self) -> None:
        """Put the first scene on the stage."""
        self._stage.show(self._view, self._view.scene.name)

    def join(self, desk: Desk, tags: TagSet, *, changed: Callable[[Scene], object]) -> None:
        """From now on scenes are those of this desk. `changed` is told when another kind of scene came on the stage."""
        self._desk, self._changed = desk, changed
        self._views = Views(desk, tags)
        self._mark = timers.timer(MARK_AFTER_S, self._mark_press)
        self._rest = timers.timer(REST_AFTER_S, self._rest_views)

    def show(self, scene: Scene) -> None:
        """Show a scene of the desk."""
        if isinstance(scene, Ask) and scene.pressed is not None:
            if not self._mark.waits:
                self._pressed_s = time.monotonic()
                self._mark.start()
            return
        self._mark.stop()
        self._put(scene)

    def minute(self) -> None:
        """Show the time as it is now."""
        now = self._now()
        self._view.clock = f"{now:%H:%M}" if now else ""
        self._view.date = words.date(now) if now else ""

    def _mark_press(self) -> None:
        # Kivy counts from the frame before the press, which may be long ago when the screen was at rest.
        if time.monotonic() - self._pressed_s < MARK_AFTER_S:
            self._mark.start()
        else:
            self._put(self._desk.scene)

    def _put(self, scene: Scene) -> None:
        if words.code != scene.language:
            words.use(scene.language)
            self.minute()
        if theme.profile != scene.profile:
            theme.use(profile=scene.profile)
        if self._view.scene.name == scene.name:
            self._view.scene = scene
            return
        self._view = self._views.of(scene, clock=self._view.clock, date=self._view.date)
        self._stage.show(self._view, scene.name)
        self._changed(scene)
        if not self._desk.is_rating:
            self._rest.start()

    def _rest_views(self) -> None:
        if not self._desk.is_rating:
            self._views.rest(self._desk.scene, size=theme.panel.size)
