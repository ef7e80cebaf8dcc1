"""The agent: one thread that owns all decisions, fed by a queue of events from the link, the face and slow workers.

Read `Agent.run` first. Threads around it only move bytes; what is decided, is decided here, in order.
"""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import structlog
from nacl.signing import VerifyKey

from runtime import credentials, health
from runtime.clock import Clock
from runtime.config import DeviceConfig, with_overrides
from runtime.custody import Custody, Event
from runtime.desired import DesiredKeeper
from runtime.door import Door
from runtime.enrolment import (
    ContentFailed,
    ContentKeeper,
    ContentReady,
    Paired,
    PairingNews,
    Renewed,
    RenewFailed,
    keep_certificate_fresh,
    pair,
)
from runtime.facehub import FaceCame, FaceHub, FaceSaid, FaceWent
from runtime.identity import Identity, signing_key, write_private
from runtime.journalfile import JournalError
from runtime.journals import OpsJournal, Readers
from runtime.link import Link, LinkConfirmed, LinkDown, LinkMessage, LinkUp
from runtime.local import (
    VIEW_FILE,
    Archived,
    AskAnswer,
    AskRequest,
    CommandReply,
    DeviceView,
    EvidenceDamaged,
    PictureReply,
    read_view,
)
from runtime.orders import Orders
from runtime.store import AgentStore, StoreError
from wire.codec import WireError, decode, encode
from wire.custody import Signed
from wire.entry import SYNCED
from wire.messages import Answer, Ask, Beacon, Desired, DeviceState, Picture, Presence, Report
from wire.pairing import Welcome
from wire.signing import verify
from wire.topics import Channel

log = structlog.get_logger("runtime.agent")

TICK_S = 0.25
JOURNALS_EVERY_MS = 500
CLOCK_DRIFT_MS = 2_000
CLOCK_DISAGREES_MS = 60_000
OUTBOX = 200
NOTE_LINK_EVERY_MS = 60_000


class Agent:
    """Everything of a device that is neither pixels nor pins. `run` returns after `stop`."""

    def __init__(
        self,
        config: DeviceConfig,
        *,
        identity: Identity,
        clock: Clock,
        software: str,
        content_check: Callable[[Any], None] | None = None,
    ) -> None:
        """Open what is on the disk; touches no network. Raises IdentityError, StoreError."""
        self._config, self._identity, self._clock, self._software = config, identity, clock, software
        self._events: queue.Queue[Any] = queue.Queue(maxsize=10_000)
        self._stop = threading.Event()
        self._store = AgentStore(config.data_path / "agent.db")
        self._readers = Readers(config.data_path, identity)
        self._ops = OpsJournal(
            config.data_path,
            identity=identity,
            clock=clock,
            store=self._store,
            readers=self._readers,
            budget_bytes=config.journal.ops_budget_mb << 20,
        )
        self._hub = FaceHub(config.socket_path, on_event=self._events.put, hung_after_ms=round(config.agent.hung_after_s * 1_000))
        self._orders = Orders(
            store=self._store,
            clock=clock,
            face=self._hub,
            report=self._report,
            picture=self._send_picture,
            apply=self._apply_ordered,
            pull=self._pull_ordered,
            terminate_after_ms=round(config.agent.terminate_after_s * 1_000),
        )
        self._content = ContentKeeper(
            config.data_path / "content", clock=clock, on_event=self._events.put, open_check=content_check
        )
        self._troubles = health.Troubles(clock)
        self._welcome = credentials.load_welcome(identity)
        self._custody: Custody | None = None
        self._desired: DesiredKeeper | None = None
        self._link: Link | None = None
        self._link_is_up = False
        self._clock_is_ours = False
        self._connection = 0
        self._outbox: dict[tuple[bytes, str], bytes] = {}
        self._unconfirmed: dict[int, tuple[bytes, str]] = {}
        self._asks: dict[bytes, int] = {}
        self._pulls: list[bytes] = []
        self._face = "down"
        self._face_since_ms = self._now().wall_ms
        self._last_state: DeviceState | None = None
        self._state_due_ms = 0
        self._journals_due_ms = 0
        self._link_noted_ms: int | None = None
        self._link_down_since_ms = self._now().mono_ms
        self._view = self._first_view()

    def _first_view(self) -> DeviceView:
        now = self._now().wall_ms
        kept = read_view(self._config.data_path)
        view = DeviceView(device=self._identity.device, link="down", link_since_ms=now)
        if kept is not None and kept.device == self._identity.device:
            view = msgspec.structs.replace(view, content_path=kept.content_path, content_version=kept.content_version)
        if self._welcome is not None:
            return msgspec.structs.replace(view, pairing="paired")
        return msgspec.structs.replace(view, pairing="unreachable" if self._config.fleet.url else "none")

    def _now(self) -> Any:
        return self._clock.now()

    # Running

    def run(self) -> None:
        """Work until `stop`. Raises LocalError when the socket cannot be had; anything later is noted and survived."""
        self._hub.start()
        self._content.start()
        self._ops.note("agent.started", software=self._software)
        if self._store.was_unreadable:
            self._ops.note("agent.store_lost")
        self._orders.abandon_earlier()
        if self._welcome is not None:
            self._enrolled(self._welcome)
        elif self._config.fleet.url:
            self._begin_pairing()
        self._change_view()
        try:
            while not self._stop.is_set():
                self._step()
        finally:
            self._end()

    def stop(self) -> None:
        """Make `run` end cleanly; callable from any thread and from a signal handler."""
        self._stop.set()
        with suppress(queue.Full):
            self._events.put_nowait(None)

    def _step(self) -> None:
        try:
            event = self._events.get(timeout=TICK_S)
        except queue.Empty:
            event = None
        try:
            if event is not None:
                self._take(event)
            self._tick()
        except StoreError as error:
            log.error("agent.db cannot be written", error=str(error))
            self._troubles.set("agent", "agent.store", state="down", next_step="next.free_disk")
        except Exception:
            # The last fence: a mistake in handling one event must not take the device off the air.
            log.exception("an event could not be handled", event=type(event).__name__)

    def _end(self) -> None:
        self._ops.note("agent.stopped")
        if self._link is not None:
            self._link.stop(encode(self._presence(online=False, reason="stopped")))
        self._content.stop()
        self._hub.stop()
        self._ops.close()
        self._readers.close()
        self._store.close()

    def _take(self, event: Any) -> None:
        match event:
            case LinkUp():
                self._link_came()
            case LinkDown():
                self._link_went(event)
            case LinkMessage():
                self._link_said(event)
            case LinkConfirmed():
                self._outbox.pop(self._unconfirmed.pop(event.number, (b"", "")), None)
            case FaceCame() | FaceSaid() | FaceWent():
                if self._hub.take(event, self._now().mono_ms):
                    self._face_event(event)
            case PairingNews():
                self._pairing_news(event)
            case Paired():
                self._ops.note("agent.paired", tenant=event.welcome.tenant)
                self._enrolled(event.welcome)
                self._take_desired(event.welcome.desired)
            case Renewed():
                self._welcome = event.welcome
                self._troubles.set("certificate", None)
                self._ops.note("certificate.renewed")
                if self._link is not None:
                    self._link.reconnect()
            case RenewFailed():
                self._troubles.set("certificate", "certificate.not_renewed", next_step="next.check_uplink", error=event.detail)
            case ContentReady() | ContentFailed():
                self._content_news(event)

    def _tick(self) -> None:
        now = self._now().mono_ms
        self._orders.tick(now)
        self._watch_face(now)
        self._end_asks()
        if now >= self._journals_due_ms:
            self._journals_due_ms = now + JOURNALS_EVERY_MS
            self._readers.refresh()
            self._name_unreadable()
        self._send_batches(now)
        self._publish_state(now)

    # Enrolment

    def _begin_pairing(self) -> None:
        door = Door(self._config.fleet.url, clock=self._clock)
        arguments = {
            "role": self._config.role,
            "software": self._software,
            "model": self._config.model,
            "on_event": self._events.put,
            "stop": self._stop,
            "backoff_max_s": self._config.agent.backoff_max_s,
        }
        threading.Thread(target=pair, args=(door, self._identity), kwargs=arguments, name="pairing", daemon=True).start()

    def _pairing_news(self, news: PairingNews) -> None:
        if news.detail:
            log.info("pairing", state=news.state, detail=news.detail)
        self._change_view(pairing=news.state, pairing_code=news.code, pairing_expires_ms=news.expires_ms)

    def _enrolled(self, welcome: Welcome) -> None:
        """Begin to talk to the fleet that this device belongs to."""
        self._welcome = welcome
        fleet_key = VerifyKey(welcome.fleet_key)
        self._custody = Custody(
            device=self._identity.device,
            key=signing_key(self._identity.directory),
            fleet_key=fleet_key,
            store=self._store,
            readers=self._readers.all,
            resend_after_ms=round(self._config.agent.resend_after_s * 1_000),
        )
        self._desired = DesiredKeeper(self._config.data_path, device=self._identity.device, fleet_key=fleet_key, store=self._store)
        host, _, port = (self._config.fleet.broker or f"{welcome.broker_host}:{welcome.broker_port}").rpartition(":")
        self._link = Link(
            host=host,
            port=int(port),
            tenant=welcome.tenant,
            device=self._identity.device,
            context=self._tls,
            will=self._will,
            on_event=self._events.put,
            keepalive_s=self._config.agent.keepalive_s,
            backoff_max_s=self._config.agent.backoff_max_s,
        )
        self._link.start()
        if self._config.fleet.url:
            door = Door(self._config.fleet.url, clock=self._clock)
            arguments = {"clock": self._clock, "on_event": self._events.put, "stop": self._stop}
            fresh = threading.Thread(
                target=keep_certificate_fresh, args=(door, self._identity, welcome), kwargs=arguments, name="renewal", daemon=True
            )
            fresh.start()
        self._change_view(pairing="paired", pairing_code="", pairing_expires_ms=0)
        self._apply()

    def _tls(self) -> Any:
        assert self._welcome is not None
        return credentials.device_context(
            self._welcome, self._identity, clock=self._clock, system_wall_ms=time.time_ns() // 1_000_000
        )

    # The link

    def _will(self) -> bytes:
        # The number grows before each attempt, so no two connections ever share one; the clock's seconds keep it growing
        # even when agent.db was lost.
        self._connection = self._store.add("connection", 1, at_least=self._now().wall_ms // 1_000)
        return encode(self._presence(online=False, reason="lost"))

    def _presence(self, *, online: bool, reason: str = "") -> Presence:
        return Presence(online=online, connection=self._connection, since_ms=self._now().wall_ms, reason=reason)

    def _link_came(self) -> None:
        assert self._custody is not None
        assert self._link is not None
        now = self._now()
        self._link_is_up = True
        self._troubles.set("link", None)
        if self._link_noted_ms is None or now.mono_ms - self._link_noted_ms > NOTE_LINK_EVERY_MS:
            self._link_noted_ms = now.mono_ms
            self._ops.note("link.up", down_s=(now.mono_ms - self._link_down_since_ms) // 1_000)
        self._link.publish("presence", encode(self._presence(online=True)))
        self._readers.refresh()
        self._link.publish("hello", self._custody.hello(now.mono_ms))
        self._last_state = None
        for key in list(self._outbox):
            self._send_from_outbox(key)
        self._change_view(link="up", link_since_ms=now.wall_ms)

    def _link_went(self, event: LinkDown) -> None:
        log.info("no link", reason=event.reason, detail=event.detail)
        self._troubles.set("link", event.reason, state="down", next_step="next.check_uplink")
        if not self._link_is_up:
            self._change_view()
            return
        self._link_is_up = False
        self._link_down_since_ms = self._now().mono_ms
        self._unconfirmed.clear()
        if self._custody is not None:
            self._custody.disconnected()
        self._change_view(link="down", link_since_ms=self._now().wall_ms)

    def _link_said(self, message: LinkMessage) -> None:
        try:
            match message.channel:
                case "custody":
                    self._take_reply(message.payload)
                case "desired":
                    self._take_desired(message.payload)
                case "command":
                    self._orders.take(message.payload)
                case "answer":
                    self._take_answer(message)
                case "beacon":
                    self._take_beacon(message.payload)
        except (WireError, OSError) as error:
            log.warning("a message cannot be used", channel=message.channel, error=str(error))
            self._ops.note("message.refused", channel=message.channel, error=str(error))

    def _take_beacon(self, data: bytes) -> None:
        assert self._custody is not None
        assert self._welcome is not None
        outer = decode(data, Signed)
        verify(VerifyKey(self._welcome.fleet_key), "beacon", outer.signed, outer.signature)
        beacon = decode(outer.signed, Beacon)
        is_new = self._custody.beacon != beacon.incarnation and self._store.get("incarnation") != beacon.incarnation
        self._custody.beacon = beacon.incarnation
        if is_new and self._link is not None:
            self._ops.note("fleet.incarnation", incarnation=beacon.incarnation.hex())
            self._link.publish("hello", self._custody.hello(self._now().mono_ms))

    def _publish(self, channel: Channel, payload: bytes) -> int | None:
        return self._link.publish(channel, payload) if self._link is not None and self._link_is_up else None

    # Custody

    def _send_batches(self, now_ms: int) -> None:
        if self._custody is None or not self._link_is_up:
            return
        for _ in range(8):
            batch, events = self._custody.next_batch(now_ms)
            for event in events:
                self._custody_event(event)
            if batch is None:
                return
            self._publish("journal", batch.payload)

    def _take_reply(self, data: bytes) -> None:
        assert self._custody is not None
        for event in self._custody.take_reply(data, self._now().mono_ms):
            self._custody_event(event)
        self._learn_time(self._custody.fleet_ms)

    def _custody_event(self, event: Event) -> None:
        name = event.journal_id.hex()
        if event.what == "acked":
            self._archived_changed()
            return
        log.info("custody", what=event.what, journal=name, seq=event.seq, detail=event.detail)
        if event.what != "stale":
            self._ops.note(f"custody.{event.what}", journal=name, seq=event.seq, detail=event.detail)
        if event.what == "stopped":
            self._stopped(event)
        elif event.what == "damaged":
            self._troubles.set("journal", "custody.damaged", next_step="next.free_disk", journal=name, seq=str(event.seq))
            self._begin_successor(event.journal_id, event.seq, event.detail)
        if self._custody is not None and not self._custody.stopped():
            self._troubles.set("custody", None)
        self._change_view()

    def _stopped(self, event: Event) -> None:
        reason, _, detail = event.detail.partition(": ")
        self._troubles.set(
            "custody", "custody.stopped", state="down", next_step="next.secure_device",
            journal=event.journal_id.hex(), reason=reason, detail=detail,
        )  # fmt: skip
        mark = self._store.mark(event.journal_id)
        if reason in ("fork", "quarantined", "rewind_beyond") and mark.in_custody:
            # That journal is closed for good at the fleet; what comes next must not wait behind it. A journal of which the
            # fleet took nothing gets no successor: then it is the device that is refused.
            self._begin_successor(event.journal_id, mark.in_custody, f"{reason}: {detail}"[:200])

    def _begin_successor(self, journal_id: bytes, last_good: int, reason: str) -> None:
        current = self._readers.current("evidence")
        if journal_id == self._ops.journal_id:
            self._ops.succeed(journal_id, reason)
        elif current is not None and current.journal_id == journal_id:
            self._hub.send(EvidenceDamaged(journal_id=journal_id, last_good=last_good, reason=reason[:200]))

    def _archived_changed(self) -> None:
        archived = tuple(
            Archived(reader.journal_id, mark.archived)
            for reader in self._readers.all()
            if reader.stream == "evidence" and (mark := self._store.mark(reader.journal_id)).archived
        )[-64:]
        if archived != self._view.archived:
            self._change_view(archived=archived)
        self._ops.apply_archived()

    def _name_unreadable(self) -> None:
        unreadable = self._readers.unreadable
        if unreadable:
            path, why = next(iter(unreadable.items()))
            self._troubles.set("journal", "custody.unreadable", next_step="next.free_disk", file=path.name, error=why[:200])

    def _learn_time(self, fleet_ms: int) -> None:
        """Take the fleet's signed time when this device's own is not to be believed. The system clock is left alone."""
        now = self._now()
        difference = fleet_ms - now.wall_ms
        if now.trust != SYNCED or (self._clock_is_ours and difference > CLOCK_DRIFT_MS):
            self._clock.repair(fleet_ms, now.mono_ms)
            if not self._clock_is_ours:
                self._ops.note("clock.repaired", was_ms=now.wall_ms, difference_ms=difference)
            self._clock_is_ours = True
            self._change_view(true_wall_ms=fleet_ms, true_mono_ms=now.mono_ms)
        elif not self._clock_is_ours:
            # Answers wait at the broker while a device is away, so only a fleet that is ahead tells something.
            reason = "clock.disagrees" if difference > CLOCK_DISAGREES_MS else None
            self._troubles.set("fleet_clock", reason, next_step="next.clock_repairs")

    # Desired configuration and content

    def _take_desired(self, data: bytes) -> None:
        if self._desired is not None and self._desired.take(data):
            assert self._desired.current is not None
            self._ops.note("configuration.taken", version=self._desired.current.version)
            self._apply()

    def _apply(self) -> None:
        desired = self._desired.current if self._desired is not None else None
        if desired is None:
            return
        _, problems = with_overrides(self._config, desired.settings)
        self._troubles.set(
            "configuration", "configuration.partly" if problems else None, next_step="next.look", problems="; ".join(problems)[:200]
        )
        self._change_view(desired=desired)
        self._want_content(desired)

    def _want_content(self, desired: Desired) -> None:
        if desired.content is not None and self._welcome is not None:
            self._content.want(desired.content, self._welcome)
        elif desired.content is None:
            self._troubles.set("content", None)

    def _content_news(self, news: ContentReady | ContentFailed) -> None:
        desired = self._desired.current if self._desired is not None else None
        if desired is None or desired.content != news.ref:
            return
        pulls, self._pulls = self._pulls, []
        if isinstance(news, ContentFailed):
            log.warning("no content", reason=news.reason, detail=news.detail)
            self._troubles.set("content", news.reason, next_step="next.pull_content", error=news.detail)
            for command in pulls:
                self._orders.finish(command, "failed", news.reason, {"error": news.detail})
            return
        self._troubles.set("content", None)
        if self._view.content_path != str(news.path) or self._view.content_version != news.ref.version:
            self._ops.note("content.ready", version=news.ref.version)
        self._change_view(content_path=str(news.path), content_version=news.ref.version)
        for command in pulls:
            self._orders.finish(command, "done", args={"version": news.ref.version})

    def _apply_ordered(self, command: bytes) -> None:
        desired = self._desired.current if self._desired is not None else None
        if desired is None:
            self._orders.finish(command, "failed", "configuration.none")
            return
        self._apply()
        self._orders.finish(command, "done", args={"version": str(desired.version)})

    def _pull_ordered(self, command: bytes) -> None:
        desired = self._desired.current if self._desired is not None else None
        if desired is None or desired.content is None:
            self._orders.finish(command, "failed", "content.none")
            return
        self._pulls.append(command)
        self._want_content(desired)

    # The face

    def _face_event(self, event: FaceCame | FaceSaid | FaceWent) -> None:
        if isinstance(event, FaceCame):
            self._hub.send(self._view)
            self._orders.face_came(event.peer.pid)
        elif isinstance(event, FaceSaid):
            if isinstance(event.message, PictureReply | CommandReply):
                self._orders.face_replied(event.message)
            elif isinstance(event.message, AskRequest):
                self._ask(event.message)

    def _watch_face(self, now_ms: int) -> None:
        condition = self._hub.condition(now_ms)
        if condition == self._face:
            return
        if condition in ("hung", "down"):
            self._ops.note(f"face.{condition}", screen=self._hub.state.screen if self._hub.state else "")
        elif self._face in ("hung", "down") and condition == "up":
            self._ops.note("face.up")
        self._face, self._face_since_ms = condition, self._now().wall_ms

    def _change_view(self, **changes: Any) -> None:
        """Tell the face what is new; keep it on the disk for a face that finds no agent."""
        view = msgspec.structs.replace(self._view, trouble=self._troubles.worst(), **changes)
        if view == self._view and (self._config.data_path / VIEW_FILE).exists():
            return
        self._view = view
        self._hub.send(view)
        try:
            write_private(self._config.data_path / VIEW_FILE, encode(view))
        except OSError as error:
            log.warning("the view cannot be kept", error=str(error))

    # Questions

    def _ask(self, request: AskRequest) -> None:
        ask = Ask(what=request.what, args=request.args, deadline_ms=request.deadline_ms)
        now = self._now()
        left_ms = min(60_000, request.deadline_ms - now.wall_ms)
        is_sent = (
            left_ms > 0
            and self._link is not None
            and self._link_is_up
            and self._link.publish("ask", encode(ask), correlation=request.id) is not None
        )
        if is_sent:
            self._asks[request.id] = now.mono_ms + left_ms
        else:
            self._hub.send(AskAnswer(id=request.id, answer=None))

    def _take_answer(self, message: LinkMessage) -> None:
        answer = decode(message.payload, Answer)
        if self._asks.pop(message.correlation, None) is not None:
            self._hub.send(AskAnswer(id=message.correlation, answer=answer))

    def _end_asks(self) -> None:
        now_ms = self._now().mono_ms
        for ask in [ask for ask, ends_ms in self._asks.items() if now_ms >= ends_ms]:
            del self._asks[ask]
            self._hub.send(AskAnswer(id=ask, answer=None))

    # Reports and state

    def _report(self, report: Report) -> None:
        while len(self._outbox) >= OUTBOX:
            self._outbox.pop(next(iter(self._outbox)))
        key = (report.command, report.state)
        self._outbox[key] = encode(report)
        self._send_from_outbox(key)

    def _send_from_outbox(self, key: tuple[bytes, str]) -> None:
        number = self._publish("report", self._outbox[key])
        if number is not None:
            self._unconfirmed[number] = key

    def _send_picture(self, picture: Picture) -> bool:
        return self._publish("picture", encode(picture)) is not None

    def _publish_state(self, now_ms: int) -> None:
        if not self._link_is_up:
            return
        state = self.state()
        if now_ms < self._state_due_ms and health.same_but_time(state, self._last_state):
            return
        if self._publish("state", encode(state)) is not None:
            self._last_state = state
            self._state_due_ms = now_ms + round(self._config.agent.state_every_s * 1_000)

    def state(self) -> DeviceState:
        """What this device reports of itself now."""
        now = self._now()
        health.clock_trouble(self._troubles, self._clock)
        said = self._hub.state
        parts = health.believed_parts(self._hub.condition(now.mono_ms), said, self._face_since_ms)
        desired = self._view.desired
        return DeviceState(
            role=self._config.role,
            at_ms=now.wall_ms,
            boot_id=now.boot_id,
            clock_trust=now.trust,
            software=self._software,
            face=self._hub.condition(now.mono_ms),
            face_since_ms=self._face_since_ms,
            screen=said.screen if said is not None else "",
            parts=(*parts, *self._troubles.parts()),
            configuration_version=desired.version if desired is not None else 0,
            content_version=self._view.content_version,
            waiting_entries=self._custody.waiting() if self._custody is not None else 0,
            dropped_entries=self._ops.dropped,
            evidence_free=self._evidence_free(),
            levels={**(said.levels if said is not None and self._face == "up" else {}), **health.gauges(self._config.data_path)},
        )

    def _evidence_free(self) -> float:
        current = self._readers.current("evidence")
        if current is None:
            return 1.0
        try:
            return round(current.free_share(self._config.journal.evidence_budget_mb << 20), 4)
        except JournalError:
            return 0.0
