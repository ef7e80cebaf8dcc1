"""What a device does while the mains are out: warn, then begin nothing new, then end what is open before the power does."""

import time
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from runtime.evidence import EvidenceThread
from wire.kinds import PowerChanged

Power = Literal["mains", "battery", "low", "unknown"]
Stage = Literal["none", "warned", "resting", "ending"]
"""`warned` go on and say so; `resting` nobody begins anew, who is there finishes; `ending` everything is closed and written."""

REST_AFTER_S = 30.0
"""Most power cuts are over sooner; who has just come would only be sent away again by a longer one."""


class Outage:
    """Call its methods on one thread. `on_stage` is told of every new stage; `later(seconds, call)` calls on the same thread."""

    def __init__(
        self,
        *,
        mono_s: Callable[[], float],
        later: Callable[[float, Callable[[], object]], object],
        on_stage: Callable[[Stage], object],
        rest_after_s: float = REST_AFTER_S,
    ) -> None:
        self._mono_s, self._later, self._on_stage, self._rest_after_s = mono_s, later, on_stage, rest_after_s
        self._power: Power = "mains"
        self._began_s: float | None = None
        self.stage: Stage = "none"

    def changed(self, power: Power) -> None:
        """The power comes from elsewhere now. `unknown` changes nothing: losing sight of the UPS is no power cut."""
        if power == "unknown":
            return
        if power == "mains":
            self._began_s = None
        elif self._began_s is None:
            self._began_s = self._mono_s()
        self._power = power
        self._look()

    def _look(self) -> None:
        stage, left_s = self._now()
        if stage == "warned":
            # A little later than due, so that the time has come when it is looked at.
            self._later(left_s + 0.05, self._look)
        if stage != self.stage:
            self.stage = stage
            self._on_stage(stage)

    def _now(self) -> tuple[Stage, float]:
        """The stage, and the seconds until the next one comes by itself."""
        if self._began_s is None:
            return "none", 0.0
        if self._power == "low":
            return "ending", 0.0
        left_s = self._began_s + self._rest_after_s - self._mono_s()
        return ("warned", left_s) if left_s > 0 else ("resting", 0.0)


class SwitchesOff(Protocol):
    """What is needed of a UPS (hal.api.Ups)."""

    def shut_down(self) -> None:
        """Switch the computer off, soon, as it is configured."""
        ...


class PowerWatch:
    """Joins UPS and evidence: a power cut is recorded, told, and ended in time with everything of it on the disk.

    All on the face's thread. `on_stage` puts the stage before the flow, which ends there what has to end.
    """

    def __init__(
        self,
        ups: Sequence[SwitchesOff],
        evidence: EvidenceThread,
        *,
        later: Callable[[float, Callable[[], object]], object],
        on_stage: Callable[[], object],
    ) -> None:
        self._ups, self._evidence, self._tell = ups, evidence, on_stage
        self._outage = Outage(mono_s=time.monotonic, later=later, on_stage=self._changed)

    @property
    def stage(self) -> Stage:
        """What to do now."""
        return self._outage.stage

    def take(self, power: Power, *, charge: int | None, runtime_s: int | None) -> None:
        """The UPS says that the power comes from elsewhere now; `charge` in percent, both are its estimates."""
        self._evidence.note("power.changed", PowerChanged(state=power, charge=charge, runtime_s=runtime_s))
        self._outage.changed(power)

    def _changed(self, stage: Stage) -> None:
        self._tell()
        if stage == "ending":
            # Asked after everything that the end of a visit or a rating has just handed in: by then it is on the disk.
            self._evidence.measure(lambda _: self._switch_off())

    def _switch_off(self) -> None:
        if self.stage == "ending":
            for ups in self._ups:
                ups.shut_down()
