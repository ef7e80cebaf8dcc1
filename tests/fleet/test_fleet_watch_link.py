"""The serve process on a real broker: what devices send arrives checked, hostile bytes harm nothing, lost state is sent again."""

import datetime as dt
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fleet_model import ModelDevice, register
from fleet_mqtt import Client, device_client, fleet_client
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from private_servers import PrivateBroker, wait_for
from sqlalchemy import select

from demo.seed.device import state_of
from fleet.app import open_fleet
from fleet.broker import INGEST, MAX_PACKET_BYTES, SERVE, reload, write_revocation_list
from fleet.link import make_client
from fleet.registry.authority import Authority, make_root
from fleet.registry.records import Hall, Window
from fleet.registry.service import now_ms
from fleet.serving import Serving
from fleet.watch.broker_log import Refused, read_log
from fleet.watch.tables import heard as heard_table
from wire.codec import MAX_MESSAGE_BYTES, decode, encode
from wire.messages import Answer, Ask, Command, Presence, Report, SignedDesired
from wire.topics import topic


class Place:
    """A fleet that serves, and devices with certificates."""

    def __init__(self, data, broker: PrivateBroker) -> None:
        self.data, self.broker = data, broker
        self.fleet = open_fleet(data)
        self.fleet.registry.put(Hall(code="yunxi", tenant="county", title={"zh": "云溪"}))
        self.fleet.registry.put(Window(hall="yunxi", number="12", business={"zh": "不动产"}, place={"zh": "二楼"}))
        self.serving = Serving(self.fleet, make_client(data, SERVE, manual_ack=True))
        self.clients: list[Client] = []

    def start(self) -> None:
        self.serving.start()
        wait_for(lambda: self.fleet.watch.broker_up, what="the fleet's link")

    def device(self, *, placed: bool = True) -> tuple[ModelDevice, Client]:
        model = ModelDevice()
        register(self.fleet.store, model)
        if placed:
            self.fleet.registry.place(model.name, hall="yunxi", window="12", label={"zh": "评价器"}, by="test")
        issued = Authority.open(self.data / "ca").issue_device(model.request(), device=model.name, now=dt.datetime.now(dt.UTC))
        client = device_client(self.data, self.broker.port, model, issued.der).wait_up()
        client.certificate = issued.der
        client.subscribe(*(topic("county", model.name, channel) for channel in ("answer", "command", "desired")))
        self.clients.append(client)
        return model, client

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.serving.stop()
        self.fleet.close()


@pytest.fixture
def place(data, broker) -> Iterator[Place]:
    made = Place(data, broker)
    yield made
    made.close()


def known(place: Place, model: ModelDevice):
    return place.fleet.watch.device(model.name)


def send(client: Client, model: ModelDevice, channel: str, message, *, retain: bool = False) -> None:
    payload = message if isinstance(message, bytes) else encode(message)
    assert client.publish(topic("county", model.name, channel), payload, retain=retain) == "Success"


def test_presence_and_state_of_a_device_arrive(place):
    place.start()
    model, client = place.device()
    send(client, model, "presence", Presence(online=True, connection=1, since_ms=0), retain=True)
    send(client, model, "state", state_of("evaluator", now_ms()), retain=True)
    wait_for(lambda: known(place, model).seen == "online" and known(place, model).state, what="presence and state")


@pytest.mark.parametrize(
    ("channel", "payload"),
    [
        ("state", b"\xc1"),
        ("state", b"\x81" * 50_000),
        ("presence", encode({"online": "yes", "connection": 1, "since_ms": 0})),
        ("presence", encode({"online": True, "connection": -1, "since_ms": 0})),
        ("report", b"x" * (MAX_MESSAGE_BYTES + 1)),
        ("picture", encode({"command": b"short"})),
        ("ask", encode({"what": "everything", "deadline_ms": 1})),
    ],
)
def test_hostile_bytes_become_an_incident_and_the_next_message_is_still_read(place, channel, payload):
    place.start()
    model, client = place.device()
    send(client, model, channel, payload)
    send(client, model, "presence", Presence(online=True, connection=1, since_ms=0))
    wait_for(lambda: known(place, model).seen == "online", what="the good message after the bad one")
    place.fleet.watch.review()
    (incident,) = [each for each in place.fleet.watch.incidents.list() if each.reason == "message.malformed"]
    assert incident.devices == (model.name,)
    assert channel in incident.args["detail"]


def test_a_question_is_answered_on_the_asking_device_s_own_channel_only(place):
    place.start()
    model, client = place.device()
    _, other = place.device()
    properties = Properties(PacketTypes.PUBLISH)
    properties.CorrelationData = b"q1"
    properties.ResponseTopic = topic("county", "nwsomebodyelse", "answer")
    ask = encode(Ask(what="help", args={"call": "1", "where": "一楼"}, deadline_ms=now_ms() + 10_000))
    client.mqtt.publish(topic("county", model.name, "ask"), ask, qos=1, properties=properties)
    wait_for(lambda: client.received(topic("county", model.name, "answer")), what="the answer")
    answer = decode(client.received(topic("county", model.name, "answer"))[0], Answer)
    assert answer.fields == {"state": "nobody"}
    assert [name for name, _ in other.messages if name.endswith("/answer")] == []


def test_a_call_for_help_that_nobody_made_is_unknown(place):
    place.start()
    model, client = place.device()
    properties = Properties(PacketTypes.PUBLISH)
    properties.CorrelationData = b"q1"
    ask = encode(Ask(what="help_state", args={"call": "never made"}, deadline_ms=now_ms() + 10_000))
    client.mqtt.publish(topic("county", model.name, "ask"), ask, qos=1, properties=properties)
    wait_for(lambda: client.received(topic("county", model.name, "answer")), what="the answer")
    assert decode(client.received(topic("county", model.name, "answer"))[0], Answer).status == "unknown"


def test_a_command_goes_out_and_its_report_comes_back(place):
    place.start()
    model, client = place.device()
    order = place.fleet.control.orders.give(model.name, "identify", by="anna")
    wait_for(lambda: client.received(topic("county", model.name, "command")), what="the command")
    wait_for(lambda: place.fleet.control.orders.get(order).state == "sent", what="the broker's word")
    command = decode(client.received(topic("county", model.name, "command"))[0], Command)
    send(client, model, "report", Report(command=command.id, state="done", at_ms=now_ms()))
    wait_for(lambda: place.fleet.control.orders.get(order).state == "done", what="the device's word")


def test_a_broker_that_lost_its_state_gets_what_is_wanted_again(place):
    place.start()
    model, client = place.device()
    place.fleet.control.refresh(model.name)
    wanted = topic("county", model.name, "desired")
    wait_for(lambda: client.received(wanted), what="the desired configuration")
    before = place.fleet.control.refresh(model.name)
    place.broker.stop(kill=True)
    (place.data / "broker" / "data" / "mosquitto.db").unlink(missing_ok=True)
    wait_for(lambda: not place.fleet.watch.broker_up, what="the fleet noticing")
    place.broker.start()
    wait_for(lambda: place.fleet.watch.broker_up, what="the fleet's link")
    again = device_client(place.data, place.broker.port, model, _certificate(place, model)).wait_up()
    place.clients.append(again)
    again.subscribe(wanted)
    wait_for(lambda: again.received(wanted), what="the retained configuration after the loss")
    assert again.received(wanted)[0] == before
    decode(before, SignedDesired)


def _certificate(place: Place, model: ModelDevice) -> bytes:
    pem = (place.data.parent / "devices" / f"{model.name}.pem").read_bytes()
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def test_the_fleet_starts_and_says_so_while_there_is_no_broker(place):
    place.broker.stop()
    place.serving.start()
    model = ModelDevice()
    register(place.fleet.store, model)
    place.fleet.registry.place(model.name, hall="yunxi", window="12", label={"zh": "x"}, by="test")
    wait_for(lambda: place.fleet.watch.incidents.list(), what="the incident")
    assert place.fleet.watch.incidents.list()[0].reason == "broker.down"
    assert known(place, model).seen == "unknown"
    place.broker.start()
    wait_for(lambda: place.fleet.watch.broker_up, what="the link")


def test_messages_of_a_revoked_device_are_not_taken(place):
    place.start()
    model, client = place.device()
    place.fleet.registry.on_revoke = None
    place.fleet.registry.revoke(model.name, by="anna", why="lost")
    send(client, model, "presence", Presence(online=True, connection=1, since_ms=0))
    other, second = place.device()
    send(second, other, "presence", Presence(online=True, connection=1, since_ms=0))
    wait_for(lambda: known(place, other).seen == "online", what="the other device's message")
    place.fleet.watch.flush()
    again = open_fleet(place.data)
    with again.store.read() as connection:
        heard = set(connection.execute(select(heard_table.c.device)).scalars())
    again.close()
    assert heard == {other.name}


def test_after_a_revocation_the_broker_retains_nothing_of_the_device(place):
    place.start()
    model, client = place.device()
    other, _ = place.device()
    for each in (model, other):
        place.fleet.control.refresh(each.name)
    send(client, model, "presence", Presence(online=True, connection=1, since_ms=0), retain=True)
    send(client, model, "state", state_of("evaluator", now_ms()), retain=True)

    def retained() -> set[str]:
        reader = fleet_client(place.data, place.broker.port, name=INGEST).wait_up()
        reader.subscribe("nw/1/#")
        wait_for(lambda: reader.received(topic("county", other.name, "desired")), what="what is retained")
        found = {name for name, payload in reader.messages if payload and f"/{model.name}/" in name}
        reader.close()
        return found

    assert {name.rsplit("/", 1)[1] for name in retained()} == {"desired", "state", "presence"}
    client.close()
    place.fleet.registry.revoke(model.name, by="anna", why="lost")
    place.fleet.control.refresh_all()
    wait_for(lambda: not retained(), what="an empty memory")


def incidents(place: Place, reason: str):
    place.fleet.watch.review()
    return [each for each in place.fleet.watch.incidents.list() if each.reason == reason]


def test_a_packet_the_broker_will_not_carry_is_an_incident_of_its_device(place):
    place.start()
    model, client = place.device()
    client.mqtt.publish(topic("county", model.name, "journal"), bytes(MAX_PACKET_BYTES), qos=1)
    wait_for(lambda: incidents(place, "broker.oversized"), what="the incident")
    (incident,) = incidents(place, "broker.oversized")
    assert (incident.devices, incident.hall) == ((model.name,), "yunxi")


@pytest.mark.parametrize("whose", ["another authority's", "a revoked device's"])
def test_a_connection_the_broker_refuses_is_an_incident(place, tmp_path, whose):
    place.start()
    model, client = place.device()
    if whose == "another authority's":
        make_root(tmp_path / "other", tenant="county", now=dt.datetime.now(dt.UTC))
        authority = Authority.open(tmp_path / "other")
        certificate = authority.issue_device(model.request(), device=model.name, now=dt.datetime.now(dt.UTC)).der
    else:
        serial = format(x509.load_der_x509_certificate(client.certificate).serial_number, "x")
        listed = Authority.open(place.data / "ca").revocation_list([(serial, now_ms())], now=dt.datetime.now(dt.UTC))
        write_revocation_list(place.data / "broker", listed)
        assert reload(place.data / "broker")
        certificate = client.certificate

    def comes_in_and_is_told() -> bool:
        # The broker reads a new list a moment after it was told to.
        stranger = device_client(place.data, place.broker.port, model, certificate)
        wait_for(lambda: stranger.is_up or stranger.reasons, what="an answer")
        stranger.close()
        return bool(incidents(place, "broker.refused"))

    wait_for(comes_in_and_is_told, what="the incident")
    (incident,) = incidents(place, "broker.refused")
    assert incident.next_step == "next.find_device"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"1: Client nwabc disconnected due to oversize packet.", Refused("broker.oversized", device="nwabc")),
        (
            b"1: Client connection from 10.0.0.9 failed: error:0A000086:SSL routines::certificate verify failed.",
            Refused("broker.refused", address="10.0.0.9"),
        ),
        (b"1: OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed", Refused("broker.refused")),
        (b"1: Client connection from 10.0.0.9 failed: error:0A000126:SSL routines::unexpected eof while reading.", None),
        (b"1: Client nwabc closed its connection.", None),
        (b"\xff\xfe", None),
    ],
)
def test_the_brokers_log_is_read_for_what_it_refuses(line, told):
    assert read_log(line) == told
