"""Guiding lights: which one shows the visitor where to reach now. Their sections in hal are named after the place."""

from collections.abc import Sequence
from typing import cast

from hal.api import Glow, Light, Peripheral
from terminal.flow.visit import Visit


class Lights:
    """Keeps every light of the device in step with the visit."""

    def __init__(self, visit: Visit, lights: Sequence[Peripheral]) -> None:
        self._visit = visit
        self._lights = [cast(Light, light) for light in lights]

    def sync(self) -> None:
        """Show what the visit needs now. Returns at once; saying the same again changes nothing."""
        for light in self._lights:
            light.show(glow(light.name.removeprefix("light").removeprefix("_"), self._visit))


def glow(place: str, visit: Visit) -> Glow:
    """What the light at a place shows: `card` beside the reader, `printer` at its mouth, any other in front of the visitor."""
    session = visit.session
    if visit.phase == "secured":
        return "off"
    if place == "card":
        if not visit.card_on_reader:
            return "off"
        # A card that its owner leaves behind calls after him.
        return "on" if session is not None else "breathe"
    if session is None:
        return "off"
    if place == "printer":
        job = session.desk.job
        if job is None:
            return "off"
        # Paper that is there, or may be, wants to be taken.
        return {"sending": "on", "printed": "breathe", "unknown": "breathe"}.get(job.state, "off")  # type: ignore[return-value]
    return "on"
