"""The connection to the fleet's broker: MQTT 5 over TLS, for ever reconnecting with jitter. It knows nothing of contents."""

import random
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from wire.codec import MAX_MESSAGE_BYTES
from wire.topics import BEACON_TOPIC, RETAINED, TO_DEVICE, Channel, topic

log = structlog.get_logger("runtime.link")

SESSION_S = 86_400
CONNECT_TIMEOUT_S = 10.0
STEADY_S = 30.0
"""A connection that lasted so long ends a series of failures."""
BACKOFF_MIN_S = 1.0
NOT_WANTED = frozenset(
    {"Not authorized", "Banned", "Bad user name or password", "Bad authentication method", "Client identifier not valid"}
)
"""What a broker says in CONNACK or SUBACK when it means this very device. Every other refusal is about the broker itself."""
CERTIFICATE_ALERTS = frozenset(
    {
        "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_UNKNOWN", "TLSV1_ALERT_UNKNOWN_CA", "TLSV1_ALERT_ACCESS_DENIED",
    }
)  # fmt: skip
"""OpenSSL's names for the alerts by which a server turns a client's certificate down (RFC 8446, 6.2)."""


class LinkUp(NamedTuple):
    """Connected. `session_present` False means that the broker has forgotten this device."""

    session_present: bool


class LinkDown(NamedTuple):
    """Not connected (any more). `reason` is a message id, `detail` what the library said."""

    reason: str
    detail: str


class LinkMessage(NamedTuple):
    """A message for this device. `correlation` is MQTT 5's correlation data."""

    channel: Channel | Literal["beacon"]
    payload: bytes
    correlation: bytes


class LinkConfirmed(NamedTuple):
    """The broker has taken the message that `publish` gave this number."""

    number: int


LinkEvent = LinkUp | LinkDown | LinkMessage | LinkConfirmed


def backoff_s(failures: int, *, most_s: float, draw: Callable[[float, float], float] = random.uniform) -> float:
    """How long to wait after so many failures in a row: full jitter below a doubling limit, so that a hall is never a herd."""
    limit = min(most_s, 4.0 * 2.0 ** min(failures, 16))
    return draw(min(BACKOFF_MIN_S, limit), limit)


class _AlertingSocket(ssl.SSLSocket):
    """Remembers the TLS alert that ended the connection.

    With TLS 1.3 a server judges the client's certificate after the client has finished its handshake: the alert meets the first
    read, where the MQTT library tells no more than that the connection is gone.
    """

    alert = ""

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """As ssl.SSLSocket."""
        try:
            return super().recv(buflen, flags)
        except ssl.SSLError as error:
            self.alert = error.reason or ""
            raise


class Link:
    """Keeps one connection. `will` is asked before each attempt for the last will; events go to `on_event` from other threads."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        tenant: str,
        device: str,
        context: Callable[[], ssl.SSLContext],
        will: Callable[[], bytes],
        on_event: Callable[[LinkEvent], None],
        keepalive_s: int = 30,
        backoff_max_s: float = 60.0,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._host, self._port, self._tenant, self._device = host, port, tenant, device
        self._context, self._will, self._on_event = context, will, on_event
        self._keepalive_s, self._backoff_max_s = keepalive_s, backoff_max_s
        self._wait, self._draw = wait, draw
        self._stop = threading.Event()
        self._over = threading.Event()
        self._client: paho.Client | None = None
        self._channels: dict[str, Channel] = {topic(tenant, device, each): each for each in TO_DEVICE}
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self, farewell: bytes | None = None, timeout_s: float = 3.0) -> None:
        """Disconnect and end. `farewell` is published on `presence` first: a clean end sends no will."""
        client = self._client
        if farewell is not None and client is not None and client.is_connected():
            info = client.publish(topic(self._tenant, self._device, "presence"), farewell, qos=1, retain=True)
            try:
                info.wait_for_publish(timeout_s)
            except (RuntimeError, ValueError) as error:
                log.debug("the farewell did not leave", error=str(error))
        self._stop.set()
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s + CONNECT_TIMEOUT_S)

    def reconnect(self) -> None:
        """End the present connection, if any; a new one is made with a new TLS context."""
        self._over.set()

    def publish(self, channel: Channel, payload: bytes, *, correlation: bytes | None = None) -> int | None:
        """Hand a message to the broker (QoS 1, retained where the channel is).

        None when there is no connection; nothing is queued then. Otherwise the number that LinkConfirmed will carry.
        """
        client = self._client
        if client is None or not client.is_connected():
            return None
        properties = None
        if correlation is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.CorrelationData = correlation
            properties.ResponseTopic = topic(self._tenant, self._device, "answer")
        name = topic(self._tenant, self._device, channel)
        info = client.publish(name, payload, qos=1, retain=channel in RETAINED, properties=properties)
        return info.mid if info.rc == paho.MQTT_ERR_SUCCESS else None

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            self._over.clear()
            try:
                was_steady = self._one_connection()
            except Exception as error:
                # The top of this thread: whatever went wrong, the device has to try again.
                log.exception("the connection could not be made")
                self._on_event(LinkDown("link.credentials", str(error)[:200]))
                was_steady = False
            failures = 0 if was_steady else failures + 1
            self._wait(self._stop, backoff_s(failures, most_s=self._backoff_max_s, draw=self._draw))

    def _one_connection(self) -> bool:
        """Connect once and stay until it is over. Whether it lasted. A client of its own, so that nothing old is repeated."""
        client = self._new_client()
        attempt = _Attempt(client, topics=[*self._channels, BEACON_TOPIC], on_event=self._on_event, over=self._over)
        try:
            client.connect(self._host, self._port, keepalive=self._keepalive_s, clean_start=False, properties=_session())
            self._client = client
            client.loop_start()
            self._over.wait()
        except (OSError, ssl.SSLError, ValueError) as error:
            attempt.end(_reason(error), str(error))
        finally:
            self._client = None
            client.disconnect()
            client.loop_stop()
        return attempt.lasted_s() >= STEADY_S

    def _new_client(self) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self._device, protocol=paho.MQTTv5, reconnect_on_failure=False)
        context = self._context()
        context.sslsocket_class = _AlertingSocket
        client.tls_set_context(context)
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.will_set(topic(self._tenant, self._device, "presence"), self._will(), qos=1, retain=True)
        client.on_message = self._received
        client.on_publish = lambda _client, _data, number, _code, _properties: self._on_event(LinkConfirmed(number))
        return client

    def _received(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        channel = "beacon" if message.topic == BEACON_TOPIC else self._channels.get(message.topic)
        if channel is None or len(message.payload) > MAX_MESSAGE_BYTES:
            log.warning("a message was dropped", topic=message.topic[:120], size=len(message.payload))
            return
        correlation = getattr(message.properties, "CorrelationData", b"") or b""
        self._on_event(LinkMessage(channel, bytes(message.payload), correlation))


class _Attempt:
    """One connection from its handshake to its end: LinkUp once the broker has given it its topics, and one LinkDown with why."""

    def __init__(
        self, client: paho.Client, *, topics: list[str], on_event: Callable[[LinkEvent], None], over: threading.Event
    ) -> None:
        self._topics, self._on_event, self._over = topics, on_event, over
        self._has_session, self._has_ended, self._alert = False, False, ""
        self._up_s: float | None = None
        client.on_connect, client.on_subscribe = self._answered, self._subscribed
        client.on_disconnect, client.on_socket_close = self._disconnected, self._closing

    def lasted_s(self) -> float:
        """Seconds since the broker took this device; 0 when it did not."""
        return 0.0 if self._up_s is None else time.monotonic() - self._up_s

    def end(self, reason: str, detail: str) -> None:
        """Tell why there is no connection; only the first reason counts."""
        if not self._has_ended:
            self._has_ended = True
            self._on_event(LinkDown(reason, detail[:200]))
        self._over.set()

    def _answered(self, client: paho.Client, _data: Any, flags: paho.ConnectFlags, code: ReasonCode, _properties: Any) -> None:
        if code.is_failure:
            self.end(_refusal(code), str(code))
            return
        self._has_session = flags.session_present
        client.subscribe([(name, 1) for name in self._topics])

    def _subscribed(self, _client: paho.Client, _data: Any, _number: int, codes: list[ReasonCode], _properties: Any) -> None:
        refused = next((code for code in codes if code.is_failure), None)
        if refused is not None:
            self.end(_refusal(refused), f"the broker refuses the device's own topics: {refused}")
            return
        self._up_s = time.monotonic()
        self._on_event(LinkUp(self._has_session))

    def _closing(self, _client: paho.Client, _data: Any, connection: Any) -> None:
        if isinstance(connection, _AlertingSocket):
            self._alert = connection.alert

    def _disconnected(self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if self._alert in CERTIFICATE_ALERTS:
            self.end("link.refused", f"TLS alert {self._alert}")
        else:
            # A connection that ends before the broker has answered proves nothing about this device: a firewall that cuts after
            # the TLS handshake and a broker that stops look the same from here.
            self.end("link.cut" if self._up_s is None else "link.lost", self._alert or str(code))


def _refusal(code: ReasonCode) -> str:
    return "link.refused" if str(code) in NOT_WANTED else "link.unavailable"


def _session() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_S
    properties.MaximumPacketSize = MAX_MESSAGE_BYTES + 4_096
    return properties


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "link.not_our_fleet"
    if isinstance(error, ssl.SSLError):
        return "link.refused" if error.reason in CERTIFICATE_ALERTS else "link.tls"
    if isinstance(error, socket.gaierror):
        return "link.no_name"
    return "link.unreachable"
