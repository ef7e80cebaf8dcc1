"""Custody at work: batches out, answers in, and what the rest of the device has to do about them."""

from collections.abc import Callable

import structlog
from nacl.signing import VerifyKey

from runtime.clock import Clock
from runtime.custody import Custody, Event
from runtime.health import FORGED_KEPT_MS, Troubles
from runtime.journals import OpsJournal, Readers
from runtime.local import Archived, EvidenceDamaged, FromAgent
from runtime.outbox import Publish
from runtime.store import AgentStore, Mark
from runtime.view import ViewKeeper
from wire.codec import decode
from wire.custody import Signed
from wire.entry import SYNCED
from wire.messages import Beacon
from wire.signing import verify

log = structlog.get_logger("runtime.handover")

CLOCK_DRIFT_MS = 2_000
CLOCK_DISAGREES_MS = 60_000
BATCHES_AT_ONCE = 8


class Handover:
    """Hands journals over and acts on the fleet's answers. Belongs to the agent's thread."""

    def __init__(
        self,
        custody: Custody,
        *,
        fleet_key: VerifyKey,
        store: AgentStore,
        readers: Readers,
        ops: OpsJournal,
        troubles: Troubles,
        view: ViewKeeper,
        clock: Clock,
        publish: Publish,
        send: Callable[[FromAgent], bool],
    ) -> None:
        self._custody, self._fleet_key, self._store = custody, fleet_key, store
        self._readers, self._ops, self._troubles, self._view = readers, ops, troubles, view
        self._clock, self._publish, self._send = clock, publish, send
        self._clock_is_ours = False
        self._successor_wanted: EvidenceDamaged | None = None

    def face_came(self) -> None:
        """Ask a face that was not there before for the successor that its journal needs."""
        self._readers.refresh()
        current = self._readers.current("evidence")
        if current is None:
            return
        mark = self._store.mark(current.journal_id)
        if self._is_closed_for_good(mark):
            self._begin_successor(current.journal_id, mark.in_custody, mark.stopped)
        elif self._successor_wanted is not None and self._successor_wanted.journal_id == current.journal_id:
            self._send(self._successor_wanted)

    def connected(self) -> None:
        """Tell the fleet where every journal stands."""
        self._readers.refresh()
        self._publish("hello", self._custody.hello(self._clock.now().mono_ms))

    def disconnected(self) -> None:
        """Forget what was in flight."""
        self._custody.disconnected()

    def waiting(self) -> int:
        """How many entries the fleet has not acknowledged."""
        return self._custody.waiting()

    def send_batches(self, now_ms: int) -> None:
        """Publish what may go now."""
        for _ in range(BATCHES_AT_ONCE):
            batch, events = self._custody.next_batch(now_ms)
            for event in events:
                self._happened(event)
            if batch is None:
                return
            self._publish("journal", batch.payload)

    def take_reply(self, data: bytes) -> None:
        """Act on a message of the `custody` channel."""
        for event in self._custody.take_reply(data, self._clock.now().mono_ms):
            self._happened(event)
        if self._custody.fleet_ms:
            self._learn_time(self._custody.fleet_ms)

    def take_beacon(self, data: bytes) -> None:
        """Greet a fleet of another incarnation anew: it was restored and will ask for what it lost. Raises WireError."""
        outer = decode(data, Signed)
        verify(self._fleet_key, "beacon", outer.signed, outer.signature)
        beacon = decode(outer.signed, Beacon)
        is_new = beacon.incarnation not in (self._custody.beacon, self._store.get("incarnation"))
        self._custody.beacon = beacon.incarnation
        if is_new:
            self._ops.note("fleet.incarnation", incarnation=beacon.incarnation.hex())
            self.connected()

    def _happened(self, event: Event) -> None:
        if event.what == "acked":
            self._archived_changed()
        else:
            self._noticed(event)
        if not self._custody.stopped():
            self._troubles.set("custody", None)
        self._view.change()

    def _noticed(self, event: Event) -> None:
        name = event.journal_id.hex()
        log.info("custody", what=event.what, journal=name, seq=event.seq, detail=event.detail)
        if event.what != "stale":
            self._ops.note(f"custody.{event.what}", journal=name, seq=event.seq, detail=event.detail)
        if event.what == "stopped":
            self._stopped(event)
        elif event.what == "forged":
            self._troubles.set(
                "acknowledgements", "custody.forged", next_step="next.check_fleet_certificates", for_ms=FORGED_KEPT_MS,
                error=event.detail,
            )  # fmt: skip
        elif event.what == "damaged":
            self._troubles.set("journal", "custody.damaged", next_step="next.free_disk", journal=name, seq=str(event.seq))
            self._begin_successor(event.journal_id, event.seq, event.detail)

    def _stopped(self, event: Event) -> None:
        reason, _, detail = event.detail.partition(": ")
        self._troubles.set(
            "custody", "custody.stopped", state="down", next_step="next.secure_device",
            journal=event.journal_id.hex(), reason=reason, detail=detail,
        )  # fmt: skip
        mark = self._store.mark(event.journal_id)
        if self._is_closed_for_good(mark):
            self._begin_successor(event.journal_id, mark.in_custody, event.detail)

    @staticmethod
    def _is_closed_for_good(mark: Mark) -> bool:
        # What comes next must not wait behind such a journal. One of which the fleet took nothing gets no successor: then it
        # is the device that is refused, and each successor would be refused too.
        return mark.stopped in ("fork", "quarantined", "rewind_beyond") and mark.in_custody > 0

    def _begin_successor(self, journal_id: bytes, last_good: int, reason: str) -> None:
        current = self._readers.current("evidence")
        if journal_id == self._ops.journal_id:
            self._ops.succeed(journal_id, reason)
        elif current is not None and current.journal_id == journal_id:
            self._successor_wanted = EvidenceDamaged(journal_id=journal_id, last_good=last_good, reason=reason[:200])
            self._send(self._successor_wanted)

    def _archived_changed(self) -> None:
        archived = tuple(
            Archived(reader.journal_id, mark.archived)
            for reader in self._readers.all()
            if reader.stream == "evidence" and (mark := self._store.mark(reader.journal_id)).archived
        )[-64:]
        self._view.change(archived=archived)
        self._ops.apply_archived()

    def _learn_time(self, fleet_ms: int) -> None:
        """Take the fleet's signed time when this device's own is not to be believed. The system clock is left alone."""
        now = self._clock.now()
        difference = fleet_ms - now.wall_ms
        if now.trust != SYNCED or (self._clock_is_ours and difference > CLOCK_DRIFT_MS):
            self._clock.repair(fleet_ms, now.mono_ms)
            if not self._clock_is_ours:
                self._ops.note("clock.repaired", was_ms=now.wall_ms, difference_ms=difference)
            self._clock_is_ours = True
            self._view.change(true_wall_ms=fleet_ms, true_mono_ms=now.mono_ms)
        elif not self._clock_is_ours:
            # Answers wait at the broker while a device is away, so only a fleet that is ahead tells something.
            reason = "clock.disagrees" if difference > CLOCK_DISAGREES_MS else None
            self._troubles.set("fleet_clock", reason, next_step="next.clock_repairs")
