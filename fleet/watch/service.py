"""Watch: takes presence and state of devices, says what is known of each now, keeps incidents and calls for help."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, insert, select, update

from fleet.registry.service import Registry
from fleet.store import Store
from fleet.watch.ability import abilities
from fleet.watch.broker_log import Refused
from fleet.watch.causes import causes
from fleet.watch.gauges import Gauges
from fleet.watch.helpdesk import HelpDesk
from fleet.watch.incidents import Incidents
from fleet.watch.ingest_health import IngestHealth
from fleet.watch.model import Ability, Cause, Known
from fleet.watch.presence import SILENT_AFTER_MS, Seen, replaces, seen
from fleet.watch.tables import heard
from wire.codec import WireError, decode, encode
from wire.messages import DeviceState, Presence

MAX_NOTED = 200
NOTED_KEPT_MS = 3_600_000


class Wanted(Struct, frozen=True, kw_only=True):
    """What the fleet wants of a device, as far as watch compares it with what the device reports."""

    configuration: int
    content: str
    since_ms: int


class _Heard(Struct):
    """What was heard of one device, in memory; `dirty` until it is in the store."""

    presence: Presence | None = None
    presence_ms: int = 0
    state: DeviceState | None = None
    state_ms: int = 0
    heard_ms: int | None = None
    dirty: bool = False


class _Noted(Struct, frozen=True):
    """Something that came and was refused: last when, how often, and what is told of it."""

    at_ms: int
    since_ms: int
    count: int
    device: str
    args: dict[str, str]


class Watch:
    """Thread-safe. Messages change memory at once; `flush` writes them once a second, so a thousand devices cost one commit.

    Losing that second is harmless: presence and state are retained by the broker and come again on the next connection.
    `wanted` gives what control wants of every device, `more` the causes that later features find. `revision` grows with every
    change a page would show.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        *,
        wanted: Callable[[], Mapping[str, Wanted]] = dict,
        more: Callable[[], list[Cause]] = list,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._registry = registry
        self.wanted = wanted
        self.more = more
        self._clock_ms = clock_ms
        self._lock = threading.Lock()
        self.revision = 0
        self.broker_up = False
        self.broker_since_ms = clock_ms()
        self._heard = self._load()
        self.gauges = Gauges(store, clock_ms=clock_ms)
        self._noted: dict[tuple[str, str], _Noted] = {}
        self.help = HelpDesk(store, hall_of=self._hall_of, clock_ms=clock_ms)
        self.ingest = IngestHealth(clock_ms=clock_ms)
        self.incidents = Incidents(store, hall_of=self._hall_of, clock_ms=clock_ms, on_act=self._acted)

    def _load(self) -> dict[str, _Heard]:
        found = {}
        with self._store.read() as connection:
            for row in connection.execute(select(heard)):
                known = _Heard(presence_ms=row.presence_ms or 0, state_ms=row.state_ms or 0, heard_ms=row.heard_ms)
                if row.online is not None:
                    known.presence = Presence(online=row.online, connection=row.connection, since_ms=row.presence_ms)
                try:
                    known.state = decode(bytes(row.state), DeviceState) if row.state else None
                except WireError:
                    known.state = None  # Another release wrote it; the device sends it again.
                found[row.device] = known
        return found

    # What devices send

    def set_broker(self, up: bool) -> None:
        """Remember whether the fleet itself has a broker."""
        with self._lock:
            if up != self.broker_up:
                self.broker_up, self.broker_since_ms = up, self._clock_ms()
                self.revision += 1

    def take_presence(self, device: str, presence: Presence, *, retained: bool = False) -> bool:
        """Take a presence message; False when it is an old connection's and was not believed."""
        now = self._clock_ms()
        with self._lock:
            known = self._heard.setdefault(device, _Heard())
            if not replaces(presence, known.presence):
                return False
            old = known.presence
            # By what it says and not by its own time: what the store kept has the fleet's, and a restart must not begin it anew.
            if old is None or (presence.online, presence.connection) != (old.online, old.connection):
                known.presence, known.presence_ms = presence, now
                self.revision += 1
            if not retained and presence.online:
                known.heard_ms = now
            known.heard_ms = known.heard_ms or now
            known.dirty = True
            return True

    def take_state(self, device: str, state: DeviceState, *, retained: bool = False) -> None:
        """Take a state message. One the broker had retained says nothing of whether the device still speaks."""
        now = self._clock_ms()
        with self._lock:
            known = self._heard.setdefault(device, _Heard())
            if known.state is None or msgspec.structs.replace(state, at_ms=0) != msgspec.structs.replace(known.state, at_ms=0):
                self.revision += 1
            known.state, known.state_ms, known.dirty = state, now, True
            if not retained or known.heard_ms is None:
                known.heard_ms = now

    def touch(self, device: str) -> None:
        """Something else came from a device: it speaks."""
        with self._lock:
            known = self._heard.setdefault(device, _Heard())
            known.heard_ms, known.dirty = self._clock_ms(), True

    def note_malformed(self, device: str, what: str) -> None:
        """A message could not be read: shown as an incident for an hour after the last one."""
        self._note("message.malformed", device, device, {"detail": what[:300]})

    def note_refused(self, refused: Refused) -> None:
        """The broker refused a connection or a packet: shown in the same way, by device or else by address."""
        address = {"where": refused.address} if refused.address else {}
        self._note(refused.reason, refused.device or refused.address, refused.device, address)

    def _note(self, reason: str, who: str, device: str, args: dict[str, str]) -> None:
        now = self._clock_ms()
        with self._lock:
            before = self._noted.pop((reason, who), None)
            since_ms, count = (before.since_ms, before.count + 1) if before else (now, 1)
            self._noted[reason, who] = _Noted(now, since_ms, count, device, args)
            while len(self._noted) > MAX_NOTED:
                self._noted.pop(next(iter(self._noted)))

    def _noted_causes(self, now: int) -> list[Cause]:
        with self._lock:
            fresh = {key: each for key, each in self._noted.items() if now - each.at_ms < NOTED_KEPT_MS}
            self._noted = dict(fresh)
        return [
            Cause(
                key=f"{reason}@{who}",
                kind="message",
                severity="warn",
                hall=self._hall_of(each.device) if each.device else "",
                devices=(each.device,) if each.device else (),
                reason=reason,
                next_step="next.find_device" if reason == "broker.refused" else "next.report_supplier",
                since_ms=each.since_ms,
                args={"count": str(each.count)} | each.args,
            )
            for (reason, who), each in fresh.items()
        ]

    def flush(self) -> int:
        """Write what changed since the last call in one transaction; gives the number of devices written."""
        with self._lock:
            dirty = {device: msgspec.structs.replace(known) for device, known in self._heard.items() if known.dirty}
            for device in dirty:
                self._heard[device].dirty = False
        if not dirty:
            return 0
        with self._store.write() as connection:
            for device, known in dirty.items():
                _write_heard(connection, device, known)
        return len(dirty)

    # What is known now

    def devices(self) -> list[Known]:
        """Every placed device as known now, by hall and name."""
        now = self._clock_ms()
        halls = {hall.code: hall.title for hall in self._registry.halls()}
        records = {device.name: device for device in self._registry.devices()}
        wanted, papers = self.wanted(), self.gauges.papers()
        with self._lock:
            heard_now = {name: msgspec.structs.replace(known) for name, known in self._heard.items()}
            broker_up = self.broker_up
        found = []
        for placing in self._registry.placed_now():
            record, known = records[placing.device], heard_now.get(placing.device, _Heard())
            what = seen(known.presence, heard_ms=known.heard_ms, now_ms=now, broker_up=broker_up)
            want = wanted.get(placing.device)
            paper = papers.get(placing.device)
            found.append(
                Known(
                    device=placing.device,
                    role=record.role,
                    hall=placing.hall,
                    hall_name=halls.get(placing.hall, {"zh": placing.hall}),
                    label=placing.label,
                    window=placing.window,
                    seen=what,
                    since_ms=_since(
                        known, what, paired_ms=record.paired_ms, broker_up=broker_up, broker_since_ms=self.broker_since_ms
                    ),
                    heard_ms=known.heard_ms,
                    state=known.state,
                    state_ms=known.state_ms,
                    wanted_configuration=want.configuration if want else 0,
                    wanted_content=want.content if want else "",
                    wanted_since_ms=want.since_ms if want else 0,
                    paper_empty_ms=paper.empty_ms if paper else None,
                )
            )
        return sorted(found, key=lambda known: (known.hall, known.role, known.window, known.device))

    def device(self, name: str) -> Known | None:
        """One placed device as known now, or None."""
        return next((known for known in self.devices() if known.device == name), None)

    def abilities(self) -> list[Ability]:
        """The services of every hall."""
        return abilities(self.devices())

    def review(self) -> None:
        """Compare what is wrong now with the open incidents: open, update, close. Call it every few seconds."""
        now = self._clock_ms()
        with self._lock:
            levels = {name: dict(known.state.levels) for name, known in self._heard.items() if known.state and known.state.levels}
        self.gauges.sample(levels)
        found = causes(self.devices(), now_ms=now, broker_up=self.broker_up, broker_since_ms=self.broker_since_ms)
        found += self.ingest.causes(broker_up=self.broker_up)
        if self.incidents.settle(found + self.help.causes() + self._noted_causes(now) + self.more(), blind=not self.broker_up):
            self.bump()

    def bump(self) -> None:
        """Something changed that pages show."""
        with self._lock:
            self.revision += 1

    def _hall_of(self, device: str) -> str:
        placing = self._registry.placement(device)
        return placing.hall if placing else ""

    def _acted(self, connection: Connection, action: str, by: str, row: Any) -> None:
        self.help.on_act(connection, action, by, row)
        self.bump()


def _since(known: _Heard, what: Seen, *, paired_ms: int, broker_up: bool, broker_since_ms: int) -> int:
    """When `what` began, by the fleet's clock. After the fleet was blind itself, silence counts from when it could hear again."""
    if what in ("online", "offline"):
        return known.presence_ms
    if not broker_up:
        return broker_since_ms
    if known.heard_ms is None:
        return paired_ms
    return max(known.heard_ms, broker_since_ms) + SILENT_AFTER_MS


def _write_heard(connection: Connection, device: str, known: _Heard) -> None:
    presence = known.presence
    values = {
        "online": presence.online if presence else None,
        "connection": presence.connection if presence else None,
        "presence_ms": known.presence_ms,
        "state": encode(known.state) if known.state else None,
        "state_ms": known.state_ms,
        "heard_ms": known.heard_ms or 0,
    }
    if connection.execute(update(heard).where(heard.c.device == device).values(**values)).rowcount == 0:
        connection.execute(insert(heard).values(device=device, **values))
