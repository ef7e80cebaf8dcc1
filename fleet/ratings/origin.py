"""Where and when an entry was made: what every row of the read model begins with."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, insert

from fleet.ratings.tables import rating_findings
from fleet.registry.records import Placing
from fleet.registry.service import Registry
from wire.entry import UNTRUSTED


class Origin:
    """Where an entry came from. `at_ms` is the device's time, or the fleet's on arrival while the device knew none."""

    def __init__(self, journal_nos: tuple[int, ...], device: str, row: Any) -> None:
        self.journal_no = journal_nos[0]
        self.journal_nos = journal_nos
        """The entry's journal and those it succeeded: where what it goes on with was begun."""
        self.device = device
        self.seq: int = row.seq
        self.kind: str = row.kind
        self.kind_version: int = row.kind_version
        self.body = bytes(row.body)
        self.clock_trust: int = row.clock_trust
        self.at_ms: int = row.received_ms if row.clock_trust == UNTRUSTED else row.wall_ms


class Ground:
    """The registry's answers to where and when, read once a round: placements change rarely, entries come by the thousand."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._places: dict[str, list[Placing]] = {}
        self._roles: dict[str, str] = {}
        self._zones: dict[str, ZoneInfo] = {}

    def learn(self) -> None:
        """Read the registry again."""
        self._places = {}
        self._roles = {device.name: device.role for device in self._registry.devices()}
        self._zones = {hall.code: ZoneInfo(hall.timezone) for hall in self._registry.halls()}

    def where(self, origin: Origin) -> dict[str, Any]:
        """Place and local time of an entry, from the registry's dated placements."""
        if origin.device not in self._places:
            self._places[origin.device] = self._registry.placements(origin.device)
        places = self._places[origin.device]
        now = [p for p in places if p.from_ms <= origin.at_ms and (p.until_ms is None or origin.at_ms < p.until_ms)]
        # Pressed before the registry knew the device (paired offline, clock behind): its first placement is the nearest truth.
        placing = now[0] if now else (places[0] if places else None)
        hall = placing.hall if placing else ""
        local = datetime.fromtimestamp(origin.at_ms / 1000, self._zones.get(hall, ZoneInfo("Asia/Shanghai")))
        return {
            "device": origin.device,
            "hall": hall,
            "window": placing.window if placing else "",
            "channel": "terminal" if self._roles.get(origin.device) == "terminal" else "window",
            "at_ms": origin.at_ms,
            "day": local.date().isoformat(),
            "hour": local.hour,
        }


def note_finding(connection: Connection, origin: Origin, kind: str, detail: str, *, now_ms: int) -> None:
    """Keep what does not fit about an entry, once a kind."""
    key = {"journal_no": origin.journal_no, "seq": origin.seq, "kind": kind}
    connection.execute(delete(rating_findings).where(*(rating_findings.c[name] == value for name, value in key.items())))
    values = {"device": origin.device, "detail": detail[:500], "found_ms": now_ms}
    connection.execute(insert(rating_findings).values(**key, **values))
