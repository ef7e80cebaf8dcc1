"""Which states a command may pass through. Pure rules; late and repeated reports must not bring an ended command back."""

from enum import Enum

ORDER = {"queued": 0, "sent": 1, "received": 2, "running": 3}
LIVE = tuple(ORDER)
ENDS = ("done", "failed", "refused", "expired")


class Transition(Enum):
    """What to do with a reported state."""

    TAKE = 1
    IGNORE = 2


def transition(now: str, reported: str) -> Transition:
    """States go forward only and ends are final, but that a device's own word beats an expiry the fleet only assumed."""
    if now == "expired" and reported in ENDS and reported != "expired":
        return Transition.TAKE
    if now not in ORDER:
        return Transition.IGNORE
    if reported in ENDS:
        return Transition.TAKE
    return Transition.TAKE if ORDER.get(reported, -1) > ORDER[now] else Transition.IGNORE
