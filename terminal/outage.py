"""Joins UPS, journal and visit: a power cut is recorded, told, and ended in time, with everything of the visit on the disk."""

import time
from collections.abc import Callable, Sequence

from hal.api import PowerChanged, Ups
from runtime.outage import Outage, Stage
from terminal.diary import JournalDiary
from wire import kinds


class PowerWatch:
    """All on the session's thread. `on_stage` puts a new stage before the visit, which ends there when it has to."""

    def __init__(
        self,
        ups: Sequence[Ups],
        diary: JournalDiary,
        *,
        later: Callable[[float, Callable[[], object]], object],
        on_stage: Callable[[], object],
    ) -> None:
        self._ups, self._diary, self._tell = ups, diary, on_stage
        self._outage = Outage(mono_s=time.monotonic, later=later, on_stage=self._changed)

    @property
    def stage(self) -> Stage:
        """What to do now."""
        return self._outage.stage

    def take(self, event: PowerChanged) -> None:
        """The UPS says that the power comes from elsewhere now."""
        self._diary.power(kinds.PowerChanged(state=event.state, charge=event.charge, runtime_s=event.runtime_s))
        self._outage.changed(event.state)

    def _changed(self, stage: Stage) -> None:
        self._tell()
        if stage == "ending":
            # Looked at after everything that the end of the visit has just handed to the disk: it is written by then.
            self._diary.look(self._switch_off)

    def _switch_off(self) -> None:
        if self.stage == "ending":
            for ups in self._ups:
                ups.shut_down()
