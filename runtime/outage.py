"""What a device does while the mains are out: warn, then begin nothing new, then end what is open before the power does."""

from collections.abc import Callable
from typing import Literal

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
