"""The screen's brightness: dimmed by night, but not while somebody stands in front of it, where a presence sensor tells that."""

from collections.abc import Sequence

from hal.api import Backlight


class Nearby:
    """Keeps every backlight in step. Without a presence sensor the night alone counts."""

    def __init__(self, backlights: Sequence[Backlight]) -> None:
        self._backlights = backlights
        self._night = False
        self._seen: set[str] = set()

    def night(self, night: bool) -> None:
        """Day or night has begun."""
        self._night = night
        self._dim()

    def moved(self, sensor: str, present: bool) -> None:
        """A sensor sees somebody, or has seen nobody for a while."""
        (self._seen.add if present else self._seen.discard)(sensor)
        self._dim()

    def _dim(self) -> None:
        for backlight in self._backlights:
            backlight.dim(self._night and not self._seen)
