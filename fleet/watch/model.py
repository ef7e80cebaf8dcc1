"""The facts that watch's rules work on: one device as known now, one cause of trouble, one service of a hall."""

from typing import Literal

from msgspec import Struct

from fleet.watch.presence import Seen
from wire.messages import DeviceState, Words

Severity = Literal["bad", "warn", "note"]
"""bad 红: a service is out · warn 黄: it will be, or something needs a person · note 灰: worth knowing."""


class Known(Struct, frozen=True, kw_only=True):
    """One device as the fleet knows it now. Times are UTC milliseconds of the fleet's clock, but those inside `state`
    (`by_fleet_clock` translates them)."""

    device: str
    role: Literal["terminal", "evaluator"]
    hall: str
    hall_name: Words
    label: Words
    window: str = ""
    seen: Seen = "unknown"
    since_ms: int = 0
    """When `seen` became what it is."""
    heard_ms: int | None = None
    """When anything last came from it; None means never."""
    state: DeviceState | None = None
    state_ms: int = 0
    """When `state` came."""
    wanted_configuration: int = 0
    wanted_content: str = ""
    wanted_since_ms: int = 0
    paper_empty_ms: int | None = None
    """When its paper ends at the present use, if that is known."""


CLOCK_OFF_MS = 150_000
"""A state that is older on arrival than devices wait between two reports was written by a clock that is wrong."""


def by_fleet_clock(known: Known, device_ms: int, now_ms: int) -> int:
    """A time that a device told in its state, by the fleet's clock: shifted by what the device's clock is off, never ahead."""
    off_ms = known.state_ms - known.state.at_ms if known.state else 0
    return min(now_ms, device_ms + off_ms if abs(off_ms) > CLOCK_OFF_MS else device_ms)


class Cause(Struct, frozen=True, kw_only=True):
    """One thing that is wrong, with all devices it hits: what becomes one incident. `key` stays the same while it lasts.

    `reason` and `next_step` are message ids (fleet.watch.messages), `args` fill them; `service` is the service it takes
    away ("print", "rating", …) or empty.
    """

    key: str
    kind: str
    severity: Severity
    hall: str
    devices: tuple[str, ...]
    reason: str
    next_step: str
    since_ms: int
    args: dict[str, str] = {}
    service: str = ""


class Ability(Struct, frozen=True, kw_only=True):
    """How many devices of a hall can do one service now. `able` ≤ `total`; `unknown` of them have not been heard from."""

    hall: str
    hall_name: Words
    service: str
    able: int
    unknown: int
    total: int
    reasons: tuple[str, ...] = ()

    @property
    def state(self) -> Literal["ok", "limited", "down", "unknown"]:
        """ok: all can · limited: some · down: none can · unknown: none heard from."""
        if self.able == self.total:
            return "ok"
        if self.able:
            return "limited"
        return "unknown" if self.unknown == self.total else "down"
