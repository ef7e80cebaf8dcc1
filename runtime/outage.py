"""What a device does while the mains are out: warn, then begin nothing new, then end what is open before the power does."""

from collections.abc import Callable
from typing import Literal

Power = Literal["mains", "battery", "low", "unknown"]
Stage = Literal["none", "warned", "resting", "ending"]
"""`warned` go on and say so; `resting` nobody begins anew, who is there finishes; `ending` everything is closed and written."""

REST_AFTER_S = 30.0
"""Most power cuts are over sooner; who has just come would only be sent away again by a longer one."""


class Outage:
    """Call its methods on one thread. `mono_s` gives seconds that never jump."""

    def __init__(self, mono_s: Callable[[], float], *, rest_after_s: float = REST_AFTER_S) -> None:
        self._mono_s, self._rest_after_s = mono_s, rest_after_s
        self._power: Power = "mains"
        self._began_s: float | None = None

    def changed(self, power: Power) -> None:
        """The power comes from elsewhere now. `unknown` changes nothing: losing sight of the UPS is no power cut."""
        if power == "unknown":
            return
        if power == "mains":
            self._began_s = None
        elif self._began_s is None:
            self._began_s = self._mono_s()
        self._power = power

    @property
    def stage(self) -> Stage:
        """What to do now."""
        if self._began_s is None:
            return "none"
        if self._power == "low":
            return "ending"
        return "resting" if self.rests_in_s == 0 else "warned"

    @property
    def rests_in_s(self) -> float:
        """Seconds until nobody may begin any more, 0 when that time has come; without a power cut it means nothing."""
        began_s = self._mono_s() if self._began_s is None else self._began_s
        return max(0.0, began_s + self._rest_after_s - self._mono_s())
