"""What the agent reports of the device: the face's parts as far as they can be believed, its own parts, gauges."""

import os
from pathlib import Path
from typing import Literal, NamedTuple

from runtime.clock import Clock
from runtime.local import FaceState
from wire.entry import SYNCED, UNTRUSTED
from wire.messages import DeviceState, PartHealth

FORGED_KEPT_MS = 3_600_000
"""How long something that was not the fleet's own word is reported after it last came."""

FaceCondition = Literal["up", "down", "hung", "starting"]
_TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")

MESSAGES: dict[str, str] = {
    "face.hung": "The screen program does not respond.",
    "face.down": "No screen program is connected.",
    "face.not_back": "The screen program did not come back in time.",
    "link.down": "There is no connection to the fleet.",
    "link.lost": "The connection to the fleet broke.",
    "link.cut": "The connection was cut before the broker answered.",
    "link.refused": "The broker refuses this device or its certificate.",
    "link.unavailable": "The broker answers that it cannot take the device now.",
    "link.unreachable": "The broker does not answer.",
    "link.no_name": "The broker's name cannot be resolved.",
    "link.tls": "The TLS handshake failed.",
    "link.not_our_fleet": "The server's certificate is not one of this device's fleet.",
    "link.credentials": "Key and certificate of the device cannot be loaded.",
    "custody.stopped": "The fleet takes nothing more of a journal; a person has to look.",
    "custody.damaged": "An entry on the disk cannot be read; a successor journal goes on.",
    "custody.unreadable": "A journal file cannot be opened.",
    "custody.forged": "An acknowledgement was not signed by the fleet; it was ignored.",
    "message.refused": "A message on a channel of the fleet was not its own or cannot be used; it was ignored.",
    "clock.untrusted": "The clock has not been set since the device started.",
    "clock.disagrees": "The device's clock and the fleet's differ by more than a minute.",
    "certificate.not_renewed": "The certificate is in its last third and was not renewed yet.",
    "configuration.partly": "Some settings of the fleet are not applied.",
    "content.no_room": "The disk has no room for the content pack.",
    "content.not_fetched": "The content pack could not be fetched.",
    "content.forged": "The content pack is not signed by the fleet; the one before it stays.",
    "content.does_not_open": "The content pack does not open; the one before it stays.",
    "content.not_shown": "The kept content pack is not what the fleet signed or cannot be read; the screen does not open it.",
    "agent.store": "The agent cannot write its own file.",
    "agent.restarted": "The agent was restarted before the command was finished.",
    "agent.store_lost": "The agent's own file was unreadable and was made anew.",
    "command.incomplete": "The command lacks what its verb needs.",
    "command.unknown": "This version of the device does not know the command {verb}.",
    "command.repeated": "The command was heard before; this is what became of it.",
    "configuration.none": "The fleet has sent no configuration yet.",
    "content.none": "The configuration names no content pack.",
    "picture.empty": "The face sent an empty picture.",
}
"""Message ids that the agent uses as a reason or a detail, in English; docs/device.md repeats them."""


class Trouble(NamedTuple):
    """One thing the agent noticed about itself, by part name."""

    part: str
    state: Literal["degraded", "down", "unknown"]
    reason: str
    next_step: str
    args: dict[str, str]
    since_ms: int
    until_mono_ms: int | None = None


class Troubles:
    """The agent's own parts that are not well, each with the time since when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_part: dict[str, Trouble] = {}

    def set(
        self,
        part: str,
        message: str | None,
        /,
        *,
        state: Literal["degraded", "down", "unknown"] = "degraded",
        next_step: str = "next.look",
        for_ms: int | None = None,
        **args: str,
    ) -> None:
        """Record a part's trouble, or that it is over (`message` None). The same trouble keeps its time.

        With `for_ms` it is over by itself so long after it was last recorded.
        """
        before, now = self._by_part.get(part), self._clock.now()
        until = None if for_ms is None else now.mono_ms + for_ms
        if message is None:
            self._by_part.pop(part, None)
        elif before is None or (before.reason, before.args) != (message, args):
            self._by_part[part] = Trouble(part, state, message, next_step, args, now.wall_ms, until)
        else:
            self._by_part[part] = before._replace(until_mono_ms=until)

    def parts(self) -> tuple[PartHealth, ...]:
        """As they are reported."""
        now_ms = self._clock.now().mono_ms
        self._by_part = {
            part: each for part, each in self._by_part.items() if each.until_mono_ms is None or now_ms < each.until_mono_ms
        }
        return tuple(
            PartHealth(
                part=each.part,
                state=each.state,
                reason=each.reason,
                next_step=each.next_step,
                args=each.args,
                since_ms=each.since_ms,
            )
            for each in self._by_part.values()
        )

    def worst(self) -> str | None:
        """The reason of a part that is down, for the face to show."""
        return next((each.reason for each in self._by_part.values() if each.state == "down"), None)


def believed_parts(condition: FaceCondition, state: FaceState | None, since_ms: int) -> tuple[PartHealth, ...]:
    """The face's parts. Of a face that is silent nothing is known, whatever it said last: never OK on silence."""
    parts = state.parts if state is not None else ()
    if condition in ("up", "starting"):
        return parts
    reason = "face.hung" if condition == "hung" else "face.down"
    return tuple(
        PartHealth(part=each.part, state="unknown", reason=reason, next_step="next.restart_face", since_ms=since_ms)
        for each in parts
    )


def gauges(data_dir: Path, *, temperature: Path = _TEMPERATURE) -> dict[str, float]:
    """Free disk in MiB, and the processor's temperature where the kernel tells it."""
    status = os.statvfs(data_dir)
    found = {"disk_free_mb": round(status.f_bavail * status.f_frsize / 1_048_576, 0)}
    try:
        found["cpu_temperature_c"] = round(int(temperature.read_text(encoding="ascii")) / 1_000, 0)
    except (OSError, ValueError):
        return found
    return found


def clock_trouble(troubles: Troubles, clock: Clock) -> None:
    """Record whether the clock is to be believed."""
    trust = clock.now().trust
    reason = None if trust == SYNCED else "clock.untrusted"
    troubles.set("clock", reason, state="unknown" if trust == UNTRUSTED else "degraded", next_step="next.clock_repairs")


def same_but_time(one: DeviceState, other: DeviceState | None) -> bool:
    """Whether two states differ in nothing but when they were made and how gauges wobble."""
    if other is None:
        return False
    skip = ("at_ms", "levels", "waiting_entries", "evidence_free")
    names = (name for name in one.__struct_fields__ if name not in skip)
    return all(getattr(one, name) == getattr(other, name) for name in names) and _near(one, other)


def _near(one: DeviceState, other: DeviceState) -> bool:
    paper_is_same = {key: value for key, value in one.levels.items() if key.startswith("paper")} == {
        key: value for key, value in other.levels.items() if key.startswith("paper")
    }
    return (
        paper_is_same
        and abs(one.evidence_free - other.evidence_free) < 0.01
        and (one.waiting_entries == 0) == (other.waiting_entries == 0)
    )
