"""Which of two presence messages is newer, and what a device's silence means. Pure rules.

A broker may deliver a device's last will after its next birth (reconnect, broker restart, bridge): a will counts only for
the connection it belongs to. Silence is never taken for health: it is unknown.
"""

from typing import Literal

from wire.messages import Presence

SILENT_AFTER_MS = 180_000
"""A connected device says its state again every minute, or every two at the most (`agent.state_every_s`): longer is silence."""

Seen = Literal["online", "offline", "unknown"]


def replaces(new: Presence, old: Presence | None) -> bool:
    """Whether `new` is to be believed over `old`.

    The higher connection number wins whatever the order of arrival; in one connection, offline ends online and nothing
    brings the connection back (a device that returns has a higher number).
    """
    if old is None or new.connection > old.connection:
        return True
    return new.connection == old.connection and (old.online or not new.online)


def seen(
    presence: Presence | None, *, heard_ms: int | None, now_ms: int, broker_up: bool, silent_after_ms: int = SILENT_AFTER_MS
) -> Seen:
    """What is known of a device now.

    `heard_ms` is when the fleet last received anything from it (fleet's clock). While the fleet itself has no broker, or
    has heard nothing for `silent_after_ms`, the answer is "unknown", never "online".
    """
    if presence is None or not broker_up:
        return "unknown"
    if not presence.online:
        return "offline"
    if heard_ms is None or now_ms - heard_ms > silent_after_ms:
        return "unknown"
    return "online"
