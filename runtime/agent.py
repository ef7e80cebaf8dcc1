"""The agent: one thread that owns all decisions, fed by a queue of events from the link, the face and slow workers.

Read `Agent.run` first. Threads around it only move bytes; what is decided, is decided here, in order.
"""

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from nacl.signing import VerifyKey

from runtime import credentials, health
from runtime.clock import Clock
from runtime.config import DeviceConfig
from runtime.door import Door
from runtime.enrolment import (
    ContentFailed,
    ContentReady,
    Paired,
    PairingNews,
    Renewed,
    RenewFailed,
    start_pairing,
    start_renewing,
)
from runtime.facehub import FaceCame, FaceSaid, FaceWent
from runtime.guard import Guard
from runtime.identity import Identity
from runtime.link import LinkConfirmed, LinkDown, LinkMessage, LinkUp
from runtime.local import AskRequest, CommandReply, PictureReply
from runtime.orders import Orders
from runtime.parts import Bond, Parts
from runtime.store import StoreError
from runtime.systemd import Notifier
from wire.codec import WireError, encode
from wire.messages import DeviceState, Picture
from wire.pairing import Welcome

log = structlog.get_logger("runtime.agent")

TICK_S = 0.25
JOURNALS_EVERY_MS = 500


class Agent:
    """Everything of a device that is neither pixels nor pins. `run` returns after `stop`."""

    def __init__(
        self,
        config: DeviceConfig,
        *,
        identity: Identity,
        clock: Clock,
        software: str,
        content_check: Callable[[Path, bytes], None] | None = None,
        notifier: Notifier | None = None,
    ) -> None:
        """Open what is on the disk; touches no network.

        `content_check` gets a pack and the fleet's key, and raises for a pack that is not to be shown. `notifier` speaks to
        systemd; by default as this process's environment says.

        Raises IdentityError, StoreError.
        """
        self._config, self._identity, self._clock, self._software = config, identity, clock, software
        self._events: queue.Queue[Any] = queue.Queue(maxsize=10_000)
        self._stop = threading.Event()
        self._welcome = credentials.load_welcome(identity)
        self._parts = Parts(
            config, identity=identity, clock=clock, software=software, on_event=self._events.put, content_check=content_check
        )
        self._notifier = notifier or Notifier()
        self._guard = Guard(
            self._parts.hub, self._notifier, end_after_ms=round(config.agent.end_hung_after_s * 1_000),
            starve_after_ms=round(config.agent.reboot_after_s * 1_000), note=self._parts.ops.note,
        )  # fmt: skip
        self._orders = self._new_orders()
        self._bond: Bond | None = None
        self._failure: StoreError | None = None
        self._journals_due_ms = 0

    def _new_orders(self) -> Orders:
        return Orders(
            store=self._parts.store,
            clock=self._clock,
            face=self._parts.hub,
            report=self._parts.reports.add,
            picture=self._send_picture,
            apply=lambda command: self._bond.wishes.apply_ordered(command) if self._bond else None,
            pull=lambda command: self._bond.wishes.pull_ordered(command) if self._bond else None,
            terminate_after_ms=round(self._config.agent.terminate_after_s * 1_000),
        )

    def run(self) -> None:
        """Work until `stop`. Trouble on the way is noted and survived.

        Raises LocalError when the socket cannot be had, StoreError when agent.db was damaged meanwhile: start again then.
        """
        self._parts.hub.start()
        self._parts.content.start()
        self._parts.ops.note("agent.started", software=self._software)
        if self._parts.store.was_unreadable:
            self._parts.ops.note("agent.store_lost")
        self._orders.abandon_earlier()
        if self._welcome is not None:
            self._enrolled(self._welcome)
        elif self._config.fleet.url:
            self._begin_pairing()
        else:
            self._parts.view.change(pairing="none")
        self._notifier.tell("READY=1")
        try:
            while not self._stop.is_set():
                self._step()
                # After the fence: while this loop turns, the agent lives, whatever a single event did to it.
                self._guard.tick(self._clock.now().mono_ms)
        finally:
            self._end()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Make `run` end cleanly; callable from any thread and from a signal handler."""
        # Nothing is put into the queue here: a signal may come while this very thread holds the queue's lock.
        self._stop.set()

    def _step(self) -> None:
        event = None
        with suppress(queue.Empty):
            event = self._events.get(timeout=TICK_S)
        try:
            if event is not None:
                self._take(event)
            self._tick()
        except StoreError as error:
            log.error("agent.db cannot be used", error=str(error))
            self._parts.troubles.set("agent", "agent.store", state="down", next_step="next.free_disk")
            if error.is_damage:
                # The next start puts the file aside and makes it anew; the supervisor sees to that start.
                self._failure = error
                self._stop.set()
        except Exception:
            # The last fence: a mistake in handling one event must not take the device off the air.
            log.exception("an event could not be handled", event_type=type(event).__name__)

    def _end(self) -> None:
        self._notifier.tell("STOPPING=1")
        self._parts.ops.note("agent.stopped")
        self._parts.connection.end()
        self._parts.content.stop()
        self._parts.hub.stop()
        self._parts.ops.close()
        self._parts.readers.close()
        self._parts.store.close()

    def _take(self, event: Any) -> None:
        match event:
            case LinkUp():
                self._link_came()
            case LinkDown():
                self._link_went(event)
            case LinkMessage():
                self._link_said(event)
            case LinkConfirmed():
                self._parts.reports.confirmed(event.number)
            case FaceCame() | FaceSaid() | FaceWent():
                if self._parts.hub.take(event, self._clock.now().mono_ms):
                    self._face_event(event)
            case ContentReady() | ContentFailed():
                if self._bond is not None:
                    self._bond.wishes.content_came(event)
            case _:
                self._enrolment_event(event)

    def _tick(self) -> None:
        now = self._clock.now().mono_ms
        self._orders.tick(now)
        self._parts.questions.tick(now)
        if now >= self._journals_due_ms:
            self._journals_due_ms = now + JOURNALS_EVERY_MS
            self._parts.readers.refresh()
        if self._bond is not None and self._parts.connection.is_up:
            self._bond.handover.send_batches(now)
        self._parts.reporter.tick(now, waiting=self._waiting(), is_up=self._parts.connection.is_up)

    def _waiting(self) -> int:
        return self._bond.handover.waiting() if self._bond is not None else 0

    def state(self) -> DeviceState:
        """What this device reports of itself now."""
        return self._parts.reporter.state(self._waiting())

    # Enrolment

    def _begin_pairing(self) -> None:
        self._parts.view.change(pairing="unreachable")
        start_pairing(
            self._config, self._identity, clock=self._clock, software=self._software, on_event=self._events.put, stop=self._stop
        )

    def _enrolment_event(self, event: Any) -> None:
        match event:
            case PairingNews():
                if event.detail:
                    log.info("pairing", state=event.state, detail=event.detail)
                self._parts.view.change(pairing=event.state, pairing_code=event.code, pairing_expires_ms=event.expires_ms)
            case Paired():
                self._parts.ops.note("agent.paired", tenant=event.welcome.tenant)
                self._enrolled(event.welcome)
                assert self._bond is not None
                self._bond.wishes.take(event.welcome.desired)
            case Renewed():
                self._welcome = event.welcome
                self._parts.troubles.set("certificate", None)
                self._parts.ops.note("certificate.renewed")
                self._parts.connection.renewed(event.welcome)
            case RenewFailed():
                self._parts.troubles.set(
                    "certificate", "certificate.not_renewed", next_step="next.check_uplink", error=event.detail
                )

    def _enrolled(self, welcome: Welcome) -> None:
        """Begin to talk to the fleet that this device belongs to."""
        self._welcome = welcome
        self._bond = self._parts.bond(VerifyKey(welcome.fleet_key), welcome=self._present_welcome, finish=self._orders.finish)
        self._parts.connection.begin(welcome)
        if self._config.fleet.url:
            door = Door(self._config.fleet.url, clock=self._clock)
            start_renewing(door, self._identity, welcome, clock=self._clock, on_event=self._events.put, stop=self._stop)
        self._parts.view.change(pairing="paired", pairing_code="", pairing_expires_ms=0, fleet_key=welcome.fleet_key)
        self._bond.wishes.apply()

    def _present_welcome(self) -> Welcome:
        assert self._welcome is not None
        return self._welcome

    # The link

    def _send_picture(self, picture: Picture) -> bool:
        return self._parts.connection.publish("picture", encode(picture)) is not None

    def _link_came(self) -> None:
        assert self._bond is not None
        self._parts.connection.came()
        self._bond.handover.connected()
        self._parts.reporter.connected()
        self._parts.reports.connected()

    def _link_went(self, event: LinkDown) -> None:
        if self._parts.connection.went(event) and self._bond is not None:
            self._bond.handover.disconnected()

    def _link_said(self, message: LinkMessage) -> None:
        assert self._bond is not None
        try:
            match message.channel:
                case "custody":
                    self._bond.handover.take_reply(message.payload)
                case "desired":
                    self._bond.wishes.take(message.payload)
                case "command":
                    self._orders.take(message.payload)
                case "answer":
                    self._parts.questions.answered(message.payload, message.correlation)
                case "beacon":
                    self._bond.handover.take_beacon(message.payload)
        except (WireError, OSError) as error:
            log.warning("a message cannot be used", channel=message.channel, error=str(error))
            self._parts.ops.note("message.refused", channel=message.channel, error=str(error))
            self._parts.troubles.set(
                "messages", "message.refused", next_step="next.check_fleet_certificates", for_ms=health.FORGED_KEPT_MS,
                channel=message.channel, error=str(error)[:200],
            )  # fmt: skip

    # The face

    def _face_event(self, event: FaceCame | FaceSaid | FaceWent) -> None:
        if isinstance(event, FaceCame):
            self._parts.hub.send(self._parts.view.view)
            self._orders.face_came(event.peer.pid)
            if self._bond is not None:
                self._bond.handover.face_came()
        elif isinstance(event, FaceSaid) and isinstance(event.message, PictureReply | CommandReply):
            self._orders.face_replied(event.message)
        elif isinstance(event, FaceSaid) and isinstance(event.message, AskRequest):
            self._parts.questions.ask(event.message)
