"""The ingest process: reads MQTT, commits, and only then acknowledges, in one thread so that order needs no locks."""

import random
import time
from collections.abc import Callable
from typing import Protocol

import structlog
from msgspec import Struct
from paho.mqtt import client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.subscribeoptions import SubscribeOptions
from sqlalchemy.exc import OperationalError

from fleet.config import Ingest as Settings
from fleet.ingest.directory import REFRESH_S, Directory
from fleet.ingest.intake import Intake, Message, Reply
from fleet.ingest_status import INGEST_STATUS_TOPIC, STATUS_EVERY_S, IngestStatus
from wire.codec import encode
from wire.topics import BEACON_TOPIC, every_device

log = structlog.get_logger("ingest")

IDLE_S = 0.2
RETRY_FIRST_S, RETRY_MOST_S = 0.5, 5.0


class _Unacknowledged(Struct, frozen=True):
    message: Message
    mid: int
    qos: int


class Connect(Protocol):
    """Connects the client or raises OSError."""

    def __call__(self, client: mqtt.Client) -> None: ...


class Worker:
    """Runs `intake` behind an MQTT client made with manual acknowledgement. `step` is one round; `run` repeats it."""

    def __init__(
        self,
        client: mqtt.Client,
        intake: Intake,
        directory: Directory,
        settings: Settings,
        *,
        connect: Connect,
        beacon: bytes,
        monotonic: Callable[[], float] = time.monotonic,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._client, self._intake, self._directory, self._settings = client, intake, directory, settings
        self._connect, self._beacon = connect, beacon
        self._monotonic, self._clock_ms = monotonic, clock_ms
        self._waiting: list[_Unacknowledged] = []
        self._retry_s, self._retry_at = RETRY_FIRST_S, float("-inf")
        self._connect_s, self._is_up = RETRY_FIRST_S, False
        self._refresh_at = self._status_at = float("-inf")
        self._status = IngestStatus(state="taking", since_ms=clock_ms(), at_ms=clock_ms())
        client.on_message = self._on_message
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.max_queued_messages_set(0)
        client.max_inflight_messages_set(1_000)
        stopped = IngestStatus(state="stopped", since_ms=0, at_ms=0)
        client.will_set(INGEST_STATUS_TOPIC, encode(stopped), qos=1, retain=True)

    def run(self, *, is_stopping: Callable[[], bool]) -> None:
        """Work until `is_stopping`, reconnecting with full jitter; then leave the broker in good order."""
        while not is_stopping():
            if self._client.socket() is None:
                self._reconnect()
            self.step()
        if self._is_up:
            now = self._clock_ms()
            self._client.publish(INGEST_STATUS_TOPIC, encode(IngestStatus(state="stopped", since_ms=now, at_ms=now)), 1, True)
            self._client.loop(0.1)
        self._client.disconnect()

    def step(self) -> None:
        """Receive for a moment, commit what came, acknowledge it, and tell how it goes."""
        self._receive()
        now = self._monotonic()
        if self._waiting and now >= self._retry_at:
            self._commit()
        if now - self._refresh_at >= REFRESH_S:
            self._refresh_at = now
            self._refresh()
        if self._is_up and now - self._status_at >= STATUS_EVERY_S:
            self._tell()

    def _receive(self) -> None:
        """Gather messages until enough are there, or the first has waited its time."""
        until = self._monotonic() + IDLE_S
        while len(self._waiting) < self._settings.batch_messages:
            left = until - self._monotonic()
            if left <= 0:
                return
            count = len(self._waiting)
            if self._client.loop(left) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if count == 0 and self._waiting:
                until = self._monotonic() + self._settings.batch_wait_ms / 1000

    def _commit(self) -> None:
        batch = self._waiting
        try:
            replies = self._intake.take([each.message for each in batch])
        except OperationalError as error:
            self._store_refuses(str(error.orig))
            return
        except Exception:
            # A message that breaks the transaction, or us, must not come again and again in front of all others.
            log.exception("transaction_failed", messages=len(batch))
            try:
                replies = self._one_by_one()
            except OperationalError as error:
                self._store_refuses(str(error.orig))
                return
        self._waiting = []
        self._retry_s, self._retry_at = RETRY_FIRST_S, float("-inf")
        self._answer(replies)
        for each in batch:
            self._client.ack(each.mid, each.qos)
        before = self._status
        since_ms = before.since_ms if before.state == "taking" else self._clock_ms()
        self._status = IngestStatus(state="taking", since_ms=since_ms, at_ms=since_ms, messages=before.messages + len(batch))
        if before.state != "taking":
            log.info("store_takes_again")
            self._tell()

    def _one_by_one(self) -> list[Reply]:
        """Find the message that the store cannot keep, so that it does not hold up the others."""
        replies: list[Reply] = []
        for each in self._waiting:
            try:
                replies += self._intake.take([each.message])
            except OperationalError:
                raise
            except Exception as error:
                replies += self._intake.refuse(each.message, f"this message cannot be kept: {error}")
        return replies

    def _store_refuses(self, why: str) -> None:
        """Nothing was taken or acknowledged: the devices keep their entries. Try again later, every 0.5 to 5 s."""
        now = self._clock_ms()
        if self._status.state != "store_refuses":
            log.error("store_refuses", error=why, waiting=len(self._waiting))
            self._status = IngestStatus(
                state="store_refuses", since_ms=now, at_ms=now, detail=why[:500], messages=self._status.messages
            )
            self._tell()
        self._retry_at = self._monotonic() + self._retry_s
        self._retry_s = min(2 * self._retry_s, RETRY_MOST_S)

    def _refresh(self) -> None:
        try:
            grown = self._directory.refresh()
            replies = self._intake.acknowledge(grown) if grown and self._is_up else []
        except OperationalError as error:
            log.warning("registry_unreadable", error=str(error.orig))
            return
        self._answer(replies)

    def _answer(self, replies: list[Reply]) -> None:
        # QoS 0: an answer that is lost with a connection is asked for again by the next batch or Hello, and a queue of old
        # answers helps nobody. QoS 1 would cost 40 % of this process (docs/decisions/0009-acknowledgements-at-qos-0.md).
        for reply in replies:
            self._client.publish(reply.topic, reply.payload, qos=0)

    def _tell(self) -> None:
        self._status_at = self._monotonic()
        status = IngestStatus(
            state=self._status.state,
            since_ms=self._status.since_ms,
            at_ms=self._clock_ms(),
            detail=self._status.detail,
            messages=self._status.messages,
        )
        self._client.publish(INGEST_STATUS_TOPIC, encode(status), qos=1, retain=True)

    def _reconnect(self) -> None:
        # What waited unacknowledged comes again from the broker, or from the devices themselves.
        self._waiting = []
        try:
            self._connect(self._client)
            self._connect_s = RETRY_FIRST_S
        except OSError as error:
            if self._connect_s == RETRY_FIRST_S:
                log.warning("broker_unreachable", error=str(error))
            time.sleep(random.uniform(0, self._connect_s))
            self._connect_s = min(2 * self._connect_s, RETRY_MOST_S)

    def _on_connect(self, client: mqtt.Client, _data: object, _flags: object, reason: object, _properties: object) -> None:
        if getattr(reason, "is_failure", False):
            log.error("broker_refuses", reason=str(reason))
            return
        log.info("connected")
        self._is_up = True
        options = SubscribeOptions(qos=1)
        client.subscribe([(every_device("journal"), options), (every_device("hello"), options)])
        client.publish(BEACON_TOPIC, self._beacon, qos=1, retain=True)
        self._tell()

    def _on_disconnect(self, *_: object) -> None:
        if self._is_up:
            log.warning("disconnected")
        self._is_up = False

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        # paho hands out undecodable topics only through an exception of its own property.
        try:
            name = message.topic
        except UnicodeDecodeError:
            name = ""
        self._waiting.append(_Unacknowledged(Message(name, bytes(message.payload)), message.mid, message.qos))
