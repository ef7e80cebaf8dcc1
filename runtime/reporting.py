"""The state a device reports: put together from the face, the journals and the agent's own parts, published when it changes."""

from runtime import health
from runtime.clock import Clock
from runtime.config import DeviceConfig
from runtime.facehub import FaceHub
from runtime.journalfile import JournalError
from runtime.journals import OpsJournal, Readers
from runtime.outbox import Publish
from runtime.view import ViewKeeper
from wire.codec import encode
from wire.messages import DeviceState


class Reporter:
    """Makes and publishes DeviceState, and notes when the face comes and goes. Belongs to the agent's thread."""

    def __init__(
        self,
        config: DeviceConfig,
        *,
        software: str,
        clock: Clock,
        hub: FaceHub,
        readers: Readers,
        ops: OpsJournal,
        troubles: health.Troubles,
        view: ViewKeeper,
        publish: Publish,
    ) -> None:
        self._config, self._software, self._clock, self._hub = config, software, clock, hub
        self._readers, self._ops, self._troubles, self._view, self._publish = readers, ops, troubles, view, publish
        self._face: health.FaceCondition = "down"
        self._face_since_ms = clock.now().wall_ms
        self._last: DeviceState | None = None
        self._due_ms = 0

    def connected(self) -> None:
        """Report anew, whatever was reported before: the broker may have forgotten it."""
        self._last = None

    def tick(self, now_ms: int, *, waiting: int, is_up: bool) -> None:
        """Note how the face is, and publish the state when it changed or is due."""
        self._watch_face(now_ms)
        self._name_unreadable()
        if not is_up:
            return
        state = self.state(waiting)
        if now_ms < self._due_ms and health.same_but_time(state, self._last):
            return
        if self._publish("state", encode(state)) is not None:
            self._last = state
            self._due_ms = now_ms + round(self._config.agent.state_every_s * 1_000)

    def _watch_face(self, now_ms: int) -> None:
        condition = self._hub.condition(now_ms)
        if condition == self._face:
            return
        if condition in ("hung", "down"):
            self._ops.note(f"face.{condition}", screen=self._hub.state.screen if self._hub.state else "")
        elif condition == "up" and self._face in ("hung", "down"):
            self._ops.note("face.up")
        self._face, self._face_since_ms = condition, self._clock.now().wall_ms

    def _name_unreadable(self) -> None:
        if self._readers.unreadable:
            path, why = next(iter(self._readers.unreadable.items()))
            self._troubles.set("journal", "custody.unreadable", next_step="next.free_disk", file=path.name, error=why[:200])

    def state(self, waiting: int) -> DeviceState:
        """What this device reports of itself now."""
        now = self._clock.now()
        health.clock_trouble(self._troubles, self._clock)
        said, face, view = self._hub.state, self._hub.condition(now.mono_ms), self._view.view
        parts = health.believed_parts(face, said, self._face_since_ms)
        levels = said.levels if said is not None and face == "up" else {}
        return DeviceState(
            role=self._config.role,
            at_ms=now.wall_ms,
            boot_id=now.boot_id,
            clock_trust=now.trust,
            software=self._software,
            face=face,
            face_since_ms=self._face_since_ms,
            screen=said.screen if said is not None else "",
            parts=(*parts, *self._troubles.parts()),
            configuration_version=view.desired.version if view.desired is not None else 0,
            content_version=view.content_version,
            waiting_entries=waiting,
            dropped_entries=self._ops.dropped,
            evidence_free=self._evidence_free(face),
            levels=levels | health.gauges(self._config.data_path),
        )

    def _evidence_free(self, face: health.FaceCondition) -> float:
        current = self._readers.current("evidence")
        if current is None:
            return 1.0
        try:
            free = round(current.free_share(self._config.journal.evidence_budget_mb << 20), 4)
        except JournalError:
            return 0.0
        # The face, which writes, also sees a disk that is too full to write at all.
        said = self._hub.state
        return min(free, said.evidence_free) if said is not None and face == "up" else free
