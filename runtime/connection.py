"""Whether the fleet can be reached, and what it is told of that: presence, last will, and the number of each connection."""

import ssl
import time
from collections.abc import Callable

import structlog

from runtime import credentials
from runtime.clock import Clock
from runtime.config import DeviceConfig
from runtime.health import Troubles
from runtime.identity import Identity
from runtime.journals import OpsJournal
from runtime.link import Link, LinkDown, LinkEvent
from runtime.store import AgentStore, StoreError
from runtime.view import ViewKeeper
from wire.codec import encode
from wire.messages import Presence
from wire.pairing import Welcome
from wire.topics import Channel

log = structlog.get_logger("runtime.connection")

NOTE_LINK_EVERY_MS = 60_000
REFUSALS_THAT_COUNT = 2
"""A broker that has just started may not have its lists of devices yet; one that refuses twice, and never accepts, means it."""


class Connection:
    """The link as the rest of the agent uses it. Belongs to the agent's thread; the link's own thread asks for will and TLS.

    `on_event` is given the link's events, in its thread.
    """

    def __init__(
        self,
        config: DeviceConfig,
        identity: Identity,
        *,
        clock: Clock,
        store: AgentStore,
        troubles: Troubles,
        view: ViewKeeper,
        ops: OpsJournal,
        on_event: Callable[[LinkEvent], None],
    ) -> None:
        self._config, self._identity, self._on_event = config, identity, on_event
        self._clock, self._store, self._troubles, self._view, self._ops = clock, store, troubles, view, ops
        self._link: Link | None = None
        self._welcome: Welcome | None = None
        self.is_up = False
        self._refusals = 0
        self._number = 0
        self._noted_ms: int | None = None
        self._down_since_ms = clock.now().mono_ms

    def begin(self, welcome: Welcome) -> None:
        """Connect to the fleet that this device belongs to, from now on."""
        self._welcome = welcome
        host, _, port = (self._config.fleet.broker or f"{welcome.broker_host}:{welcome.broker_port}").rpartition(":")
        self._link = Link(
            host=host,
            port=int(port),
            tenant=welcome.tenant,
            device=self._identity.device,
            context=self._tls,
            will=self._will,
            on_event=self._on_event,
            keepalive_s=self._config.agent.keepalive_s,
            backoff_max_s=self._config.agent.backoff_max_s,
        )
        self._link.start()

    def renewed(self, welcome: Welcome) -> None:
        """Connect anew, with the certificate and the CA roots that the device has now."""
        self._welcome = welcome
        if self._link is not None:
            self._link.reconnect()

    def end(self) -> None:
        """Say goodbye and disconnect."""
        if self._link is not None:
            self._link.stop(encode(self._presence(online=False, reason="stopped")))

    def publish(self, channel: Channel, payload: bytes, *, correlation: bytes | None = None) -> int | None:
        """See Link.publish; None while there is no connection."""
        if self._link is None or not self.is_up:
            return None
        return self._link.publish(channel, payload, correlation=correlation)

    def came(self) -> None:
        """The broker has accepted this device: tell that it is there."""
        now = self._clock.now()
        self.is_up, self._refusals = True, 0
        self._troubles.set("link", None)
        if self._noted_ms is None or now.mono_ms - self._noted_ms > NOTE_LINK_EVERY_MS:
            self._noted_ms = now.mono_ms
            self._ops.note("link.up", down_s=(now.mono_ms - self._down_since_ms) // 1_000)
        self.publish("presence", encode(self._presence(online=True)))
        self._view.change(pairing="paired", link="up", link_since_ms=now.wall_ms)

    def went(self, event: LinkDown) -> bool:
        """There is no connection, or none could be made; tell whether there was one until now."""
        log.info("no link", reason=event.reason, detail=event.detail)
        self._troubles.set("link", event.reason, state="down", next_step="next.check_uplink")
        self._refusals += event.reason == "link.refused"
        if self._refusals >= REFUSALS_THAT_COUNT:
            self._view.change(pairing="revoked")
        if not self.is_up:
            self._view.change()
            return False
        now = self._clock.now()
        self.is_up, self._down_since_ms = False, now.mono_ms
        self._view.change(link="down", link_since_ms=now.wall_ms)
        return True

    def _presence(self, *, online: bool, reason: str = "") -> Presence:
        return Presence(online=online, connection=self._number, since_ms=self._clock.now().wall_ms, reason=reason)

    def _tls(self) -> ssl.SSLContext:
        assert self._welcome is not None
        system_wall_ms = time.time_ns() // 1_000_000
        return credentials.device_context(self._welcome, self._identity, clock=self._clock, system_wall_ms=system_wall_ms)

    def _will(self) -> bytes:
        # The number grows before each attempt, so no two connections ever share one; the clock's seconds keep it growing
        # even when agent.db was lost.
        least = max(self._number + 1, self._clock.now().wall_ms // 1_000)
        try:
            self._number = self._store.add("connection", 1, at_least=least)
        except StoreError as error:
            # A full disk must not make a device unreachable, which then could not even tell that its disk is full.
            log.error("the connection's number cannot be kept", error=str(error))
            self._number = least
        return encode(self._presence(online=False, reason="lost"))
