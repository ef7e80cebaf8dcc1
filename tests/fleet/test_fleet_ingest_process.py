"""The ingest process at a real Mosquitto: custody over the network, killed, starved of disk, and with a broker that forgot."""

import contextlib
import datetime as dt
import os
import random
import resource
import signal
import subprocess
import sys
import time

import msgspec
import pytest
from fleet_model import ModelDevice, ModelJournal, register
from fleet_mqtt import device_client, fleet_client
from nacl.signing import SigningKey
from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from private_servers import wait_for
from sqlalchemy import func, select

from fleet.config import Ingest
from fleet.ingest.chains import verify_chains
from fleet.ingest.directory import Directory
from fleet.ingest.intake import Intake, Message
from fleet.ingest.worker import Worker
from fleet.ingest_status import INGEST_STATUS_TOPIC, IngestStatus
from fleet.keys import load_keys
from fleet.registry.authority import Authority
from fleet.store import create_store, open_store
from fleet.store.tables import entries, findings
from wire.codec import decode
from wire.custody import Ack, Nack, Signed, read_reply
from wire.messages import Beacon
from wire.signing import verify
from wire.topics import BEACON_TOPIC


class Process:
    """`nw-fleet ingest` as a process of its own."""

    def __init__(self, data):
        self.data = data
        self.start()

    def start(self):
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "fleet.cli", "ingest", "--data", str(self.data)],
            stdout=(self.data.parent / "ingest.log").open("ab"),
            stderr=subprocess.STDOUT,
        )

    def kill(self):
        self.popen.kill()
        self.popen.wait(10)

    def stop(self):
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(20)


class Sender:
    """A device that hands over its journal as the protocol says: one batch in flight, again after a while, rewinding when told."""

    def __init__(self, data, port, store, authority):
        self.device = ModelDevice()
        register(store, self.device)
        issued = authority.issue_device(self.device.request(), device=self.device.name, now=dt.datetime.now(dt.UTC))
        self.connect = lambda: device_client(data, port, self.device, issued.der)
        self.fleet_key = load_keys(data / "keys").signing.verify_key
        self.journal = ModelJournal(self.device)
        self.in_custody = 0
        self.reasons = []
        self.join()

    def join(self):
        self.client = self.connect().wait_up()
        self.client.subscribe(self.device.topic("custody"))

    def send(self, size=20):
        first = self.in_custody + 1
        self.client.mqtt.publish(self.device.topic("journal"), self.journal.batch(first, first + size - 1), qos=1)

    def listen(self):
        while self.client.messages:
            reply = read_reply(self.client.messages.pop(0)[1], self.fleet_key, device=self.device.name)
            if isinstance(reply, Ack):
                self.in_custody = max(self.in_custody, reply.through_seq)
            else:
                self.reasons.append(reply.reason)
                self.in_custody = reply.expected_seq - 1
        return self.in_custody

    def hand_over(self):
        """Everything, however often it takes."""
        until, again = time.monotonic() + 60, 0.0
        while self.listen() < self.journal.seq:
            assert time.monotonic() < until, self.reasons
            if time.monotonic() > again:
                self.send()
                again = time.monotonic() + 1.0
            before = self.in_custody
            try:
                wait_for(lambda before=before: self.listen() != before, deadline_s=0.5)
            except AssertionError:
                continue
            again = 0.0


@pytest.fixture
def rig(data, broker):
    class Rig:
        pass

    rig = Rig()
    rig.data, rig.broker = data, broker
    rig.store = open_store(data, writes="fleet")
    rig.authority = Authority.open(data / "ca")
    rig.process = Process(data)
    rig.watcher = fleet_client(data, broker.port).wait_up()
    rig.watcher.subscribe(INGEST_STATUS_TOPIC, BEACON_TOPIC)
    rig.sender = Sender(data, broker.port, rig.store, rig.authority)
    yield rig
    rig.process.kill()
    rig.sender.client.close()
    rig.watcher.close()
    rig.store.close()


def stored(rig):
    with rig.store.read() as connection:
        return connection.execute(select(func.count()).select_from(entries)).scalar_one()


def status(rig):
    found = rig.watcher.received(INGEST_STATUS_TOPIC)
    return msgspec.msgpack.decode(found[-1], type=IngestStatus) if found else None


def test_a_journal_reaches_the_store_over_the_network(rig):
    rig.sender.journal.grow(99)
    rig.sender.hand_over()
    assert stored(rig) == 100
    assert verify_chains(rig.store).verified == 1


def test_ingest_says_who_it_is_and_how_it_is(rig):
    wait_for(lambda: rig.watcher.received(BEACON_TOPIC) and status(rig), what="beacon and status")
    outer = decode(rig.watcher.received(BEACON_TOPIC)[-1], Signed)
    verify(rig.sender.fleet_key, "beacon", outer.signed, outer.signature)
    assert decode(outer.signed, Beacon).incarnation == rig.store.incarnation
    assert status(rig).state == "taking"
    assert rig.process.stop() == 0
    wait_for(lambda: status(rig).state == "stopped", what="the last word")


def test_a_killed_ingest_is_told_by_its_will(rig):
    wait_for(lambda: status(rig), what="the status")
    rig.process.kill()
    wait_for(lambda: status(rig).state == "stopped", what="the will")


def test_nothing_is_lost_or_doubled_when_ingest_is_killed_at_random(rig):
    rig.sender.journal.grow(300)
    chance = random.Random(1)
    for _ in range(4):
        rig.sender.send(chance.randint(1, 30))
        before = rig.sender.in_custody
        with contextlib.suppress(AssertionError):
            wait_for(lambda before=before: rig.sender.listen() != before, deadline_s=chance.uniform(0.0, 1.5))
        rig.process.kill()
        rig.process.start()
    rig.sender.hand_over()
    assert stored(rig) == 301
    assert verify_chains(rig.store).faults == []


def test_a_broker_that_lost_its_state_costs_nothing(rig):
    rig.sender.journal.grow(50)
    rig.sender.send()
    rig.broker.stop(kill=True)
    (rig.data / "broker" / "data" / "mosquitto.db").unlink(missing_ok=True)
    rig.broker.start()
    rig.sender.client.close()
    rig.sender.join()
    rig.sender.hand_over()
    assert stored(rig) == 51


def test_a_full_disk_takes_nothing_says_so_and_goes_on_when_there_is_room(rig):
    rig.sender.journal.grow(20)
    rig.sender.hand_over()
    size = max(path.stat().st_size for path in rig.data.glob("entries.db*"))
    resource.prlimit(rig.process.popen.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    rig.sender.journal.grow(600)

    def refuses():
        rig.sender.listen()
        if status(rig).state == "store_refuses":
            return True
        rig.sender.send(200)
        return False

    wait_for(refuses, what="the refusal")
    assert "full" in status(rig).detail or "I/O" in status(rig).detail
    held = rig.sender.listen()
    assert stored(rig) >= held
    resource.prlimit(rig.process.popen.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    rig.sender.hand_over()
    assert stored(rig) == 621
    wait_for(lambda: status(rig).state == "taking", what="the recovery")


def test_noise_on_the_network_does_not_hold_up_a_journal(rig):
    wait_for(lambda: status(rig), what="ingest")
    for _ in range(50):
        rig.sender.client.mqtt.publish(rig.sender.device.topic("journal"), os.urandom(200), qos=1)
        rig.sender.client.mqtt.publish(rig.sender.device.topic("hello"), os.urandom(200), qos=1)
    rig.sender.journal.grow(10)
    replies = []

    def answered():
        replies.extend(rig.sender.client.messages)
        rig.sender.client.messages.clear()
        return len(replies) >= 50

    wait_for(answered, what="the refusals")
    read = [read_reply(payload, rig.sender.fleet_key, device=rig.sender.device.name) for _, payload in replies]
    assert {type(reply) for reply in read} == {Nack}
    rig.sender.hand_over()
    assert stored(rig) == 11


def test_a_device_that_was_offline_is_told_by_its_hello(rig):
    rig.sender.journal.grow(5)
    rig.sender.hand_over()
    rig.sender.client.close()
    rig.sender.join()
    rig.sender.client.publish(*rig.sender.device.hello(rig.sender.journal.mark(3)))
    wait_for(lambda: rig.sender.client.messages, what="the answer")
    reply = read_reply(rig.sender.client.messages[0][1], rig.sender.fleet_key, device=rig.sender.device.name)
    assert (type(reply), reply.through_seq) == (Ack, 6)


class _Broken(Intake):
    """An intake with a defect: one kind of message makes it fail."""

    def take(self, messages):
        if any(b"defect" in message.payload for message in messages):
            raise ZeroDivisionError("a defect")
        return super().take(messages)


class _Wire:
    """Stands in for the MQTT client: hands over messages once, collects what is acknowledged and published."""

    def __init__(self, messages):
        self.pending = list(enumerate(messages, 1))
        self.acknowledged, self.published = [], []
        self.on_message = None

    def loop(self, _timeout):
        if not self.pending:
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        mid, message = self.pending.pop(0)
        arrived = MQTTMessage(mid=mid, topic=message.topic.encode())
        arrived.payload, arrived.qos = message.payload, 1
        self.on_message(self, None, arrived)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def ack(self, mid, _qos):
        self.acknowledged.append(mid)

    def publish(self, name, payload, **_):
        self.published.append((name, payload))

    def max_queued_messages_set(self, _count): ...

    def max_inflight_messages_set(self, _count): ...

    def will_set(self, *_, **__): ...


def test_a_message_that_breaks_ingest_itself_does_not_hold_up_the_others(tmp_path):
    create_store(tmp_path)
    store, fleet = open_store(tmp_path, writes="journal"), open_store(tmp_path, writes="fleet")
    device, key = ModelDevice(), SigningKey.generate()
    register(fleet, device)
    journal = ModelJournal(device)
    journal.grow(3)
    wire = _Wire([journal.message(1, 2), Message(device.topic("journal"), b"defect"), journal.message(3)])
    directory = Directory(store)
    worker = Worker(wire, _Broken(store, directory, key), directory, Ingest(), connect=lambda _: None, beacon=b"")
    worker.step()
    assert wire.acknowledged == [1, 2, 3]
    answers = [read_reply(payload, key.verify_key, device=device.name) for _, payload in wire.published]
    assert [(type(a), getattr(a, "through_seq", None)) for a in answers] == [(Ack, 2), (Nack, None), (Ack, 4)]
    with store.read() as connection:
        assert connection.execute(select(findings.c.kind)).scalars().all() == ["not_storable"]
        assert connection.execute(select(func.count()).select_from(entries)).scalar_one() == 4
