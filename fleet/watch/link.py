"""The serve process's own MQTT connection: hostile bytes in, checked messages out, and publishing for the other features.

Every message is acknowledged after its handler is done, so that a crash makes the broker send it again; one that cannot be read is
noted and acknowledged, because sending it again would never help.
"""

from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from msgspec import Struct
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from fleet.ingest_status import INGEST_STATUS_TOPIC, IngestStatus
from fleet.watch.broker_log import LOG_TOPICS, Refused, read_log
from wire.codec import MAX_MESSAGE_BYTES, MAX_PICTURE_BYTES, WireError, decode, encode
from wire.messages import Answer, Ask, DeviceState, Picture, Presence, Report
from wire.topics import Channel, every_device, parse, topic

log = structlog.get_logger("fleet.watch")

KEEPALIVE_S = 20
SESSION_EXPIRY_S = 3_600
CHANNELS: tuple[Channel, ...] = ("presence", "state", "report", "picture", "ask")
_KINDS: dict[str, Any] = {"presence": Presence, "state": DeviceState, "report": Report, "picture": Picture, "ask": Ask}
_LIMITS = {"picture": MAX_PICTURE_BYTES + 4_096}
MAX_PENDING = 1_000
"""Messages to publish that may wait for the broker; what is more is refused (commands then stay queued, and expire)."""


class Handlers(Struct, frozen=True, kw_only=True):
    """Who takes what devices send. All are called from the link's thread with a device that is registered and not revoked."""

    known: Callable[[str, str], bool]
    """Whether (tenant, device) may speak."""
    connected: Callable[[bool], None]
    presence: Callable[[str, Presence, bool], None]
    state: Callable[[str, DeviceState, bool], None]
    report: Callable[[str, Report], None]
    picture: Callable[[str, Picture], None]
    ask: Callable[[str, Ask], Answer]
    ingest: Callable[[IngestStatus], None]
    trouble: Callable[[str, str], None]
    """(device, what was wrong): a message that could not be read."""
    refused: Callable[[Refused], None]
    """The broker refused a connection or a packet by itself."""


class Link:
    """One connection that comes back by itself, 1 to 30 s apart. `client` is not connected yet and acknowledges by hand.

    The broker keeps the session for an hour, so that reports sent while the fleet restarts are not lost.
    """

    def __init__(self, handlers: Handlers, client: mqtt.Client, *, host: str, port: int) -> None:
        self._handlers = handlers
        self._address = (host, port)
        self._sent: dict[int, Callable[[], object]] = {}
        self._client = client
        client.reconnect_delay_set(1, 30)
        client.max_queued_messages_set(MAX_PENDING)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish

    @property
    def is_up(self) -> bool:
        """Whether the broker is connected now."""
        return self._client.is_connected()

    def start(self) -> None:
        """Connect in the background; a broker that is away is tried again for ever."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        host, port = self._address
        self._client.connect_async(host, port, KEEPALIVE_S, clean_start=False, properties=properties)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, name: str, payload: bytes, *, retain: bool = False) -> bool:
        """Publish on a topic that is not a device's; False when the broker is away."""
        return self.is_up and self._client.publish(name, payload, qos=1, retain=retain).rc == mqtt.MQTT_ERR_SUCCESS

    def publish(
        self,
        tenant: str,
        device: str,
        channel: Channel,
        payload: bytes,
        *,
        retain: bool = False,
        expires_s: int | None = None,
        correlation: bytes | None = None,
        on_sent: Callable[[], object] | None = None,
    ) -> bool:
        """Publish at QoS 1; False when the broker is away or too much is waiting. `on_sent` is called once the broker has it."""
        if not self.is_up:
            return False
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if expires_s is not None:
            properties.MessageExpiryInterval = max(1, expires_s)
        if correlation is not None:
            properties.CorrelationData = correlation
        info = self._client.publish(topic(tenant, device, channel), payload, qos=1, retain=retain, properties=properties)
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            return False
        if on_sent is not None:
            self._sent[info.mid] = on_sent
            # The acknowledgement may have come before the line above; then nobody else will call it.
            if info.is_published() and (late := self._sent.pop(info.mid, None)) is not None:
                late()
        return True

    def _on_publish(self, _client: Any, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        if (on_sent := self._sent.pop(mid, None)) is not None:
            self._guard("publish", on_sent)

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.error(
                "the broker refuses the fleet", reason=str(reason), remedy="check the broker's configuration and certificates"
            )
            return
        names = [INGEST_STATUS_TOPIC, *LOG_TOPICS, *(every_device(channel) for channel in CHANNELS)]
        client.subscribe([(name, SubscribeOptions(qos=1)) for name in names])
        self._guard("connected", lambda: self._handlers.connected(True))

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._sent.clear()
        log.warning("the fleet has lost its broker", reason=str(reason))
        self._guard("disconnected", lambda: self._handlers.connected(False))

    def _on_message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._guard(message.topic, lambda: self._take(message))
        client.ack(message.mid, message.qos)

    def _take(self, message: mqtt.MQTTMessage) -> None:
        if message.topic == INGEST_STATUS_TOPIC:
            self._handlers.ingest(decode(message.payload, IngestStatus))
            return
        if message.topic in LOG_TOPICS:
            if (refused := read_log(bytes(message.payload))) is not None:
                self._handlers.refused(refused)
            return
        try:
            place = parse(message.topic)
        except WireError as error:
            self._handlers.trouble("", str(error))
            return
        if not message.payload:
            return  # A retained message was cleared.
        if not self._handlers.known(place.tenant, place.device):
            return  # Not registered, or revoked: the broker's own records of it are of no interest.
        try:
            value = decode(message.payload, _KINDS[place.channel], limit=_LIMITS.get(place.channel, MAX_MESSAGE_BYTES))
        except WireError as error:
            self._handlers.trouble(place.device, f"{place.channel}: {error}")
            return
        match place.channel:
            case "presence":
                self._handlers.presence(place.device, value, message.retain)
            case "state":
                self._handlers.state(place.device, value, message.retain)
            case "report":
                self._handlers.report(place.device, value)
            case "picture":
                self._handlers.picture(place.device, value)
            case "ask":
                self._reply(place.tenant, place.device, value, message)

    def _reply(self, tenant: str, device: str, ask: Ask, message: mqtt.MQTTMessage) -> None:
        """Answer on the asking device's own channel, whatever response topic it named."""
        correlation = getattr(message.properties, "CorrelationData", None)
        if correlation is None or len(correlation) > 64:
            self._handlers.trouble(device, "ask: without correlation data of 1–64 bytes it cannot be answered")
            return
        answer = self._handlers.ask(device, ask)
        self.publish(tenant, device, "answer", encode(answer), correlation=correlation, expires_s=60)

    def _guard(self, what: str, act: Callable[[], object]) -> None:
        """Run a handler; its failure must not end the link's thread."""
        try:
            act()
        except Exception:
            log.exception("a handler failed", what=what)
