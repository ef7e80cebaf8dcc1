"""Who may do what at a real Mosquitto with the configuration the fleet writes: identity, access, limits, revocation."""

import datetime as dt
import ssl

import pytest
from fleet_model import TENANT, ModelDevice, register
from fleet_mqtt import Client, device_client, fleet_client
from private_servers import wait_for

from fleet.app import open_fleet
from fleet.broker import MAX_PACKET_BYTES, BrokerError, plugin_path, reload
from fleet.registry.authority import Authority, make_root
from fleet.registry.pairing import record_certificate
from fleet.setup import prepare
from wire.topics import BEACON_TOPIC, FROM_DEVICE, TO_DEVICE, topic

TAKEN = ("Success", "No matching subscribers")


def is_refused(connect):
    """Whether the broker ends the connection instead of accepting it."""
    try:
        client = connect()
    except (ssl.SSLError, ConnectionError):
        return True
    wait_for(lambda: client.is_up or client.reasons, what="an answer of the broker")
    client.mqtt.loop_stop()
    return not client.is_up


@pytest.fixture
def fleet(data, broker):
    services = open_fleet(data)
    yield services
    services.close()


@pytest.fixture
def joined(data, broker, fleet):
    """Makes registered devices with certificates and connects them; everything is closed at the end."""
    clients = []

    def join(device=None, *, client_id=""):
        device = device or ModelDevice()
        if device.name not in {known.name for known in fleet.registry.devices()}:
            register(fleet.store, device)
        issued = Authority.open(data / "ca").issue_device(device.request(), device=device.name, now=dt.datetime.now(dt.UTC))
        with fleet.store.write() as connection:
            record_certificate(connection, issued)
        clients.append(device_client(data, broker.port, device, issued.der, client_id=client_id))
        clients[-1].certificate = issued.der
        return device, clients[-1]

    yield join
    for client in clients:
        client.close()


@pytest.fixture
def serve(data, broker):
    client = fleet_client(data, broker.port).wait_up()
    yield client
    client.close()


def test_a_device_may_publish_on_its_own_channels_and_on_no_other(joined, serve):
    device, client = joined()
    client.wait_up()
    serve.subscribe("nw/1/#")
    for channel in FROM_DEVICE:
        assert client.publish(device.topic(channel), b"x") in TAKEN
    for channel in TO_DEVICE:
        assert client.publish(device.topic(channel), b"x") == "Not authorized"
    wait_for(lambda: len(serve.messages) >= len(FROM_DEVICE))
    assert {name for name, _ in serve.messages} == {device.topic(channel) for channel in FROM_DEVICE}


def test_a_device_cannot_claim_another_devices_topic(joined, serve):
    device, client = joined()
    other, _ = joined()
    client.wait_up()
    serve.subscribe("nw/1/#")
    for name in (other.topic("journal"), topic(TENANT, "fleet-ingest", "journal"), BEACON_TOPIC, "nw/1/fleet/ingest", "elsewhere"):
        assert client.publish(name, b"x") == "Not authorized"
    assert client.publish(device.topic("journal"), b"mine") in TAKEN
    wait_for(lambda: serve.messages)
    assert serve.messages == [(device.topic("journal"), b"mine")]


def test_a_device_hears_its_own_channels_and_the_beacon_only(joined, serve):
    device, client = joined()
    other, _ = joined()
    client.wait_up().subscribe("#", "$SYS/#", "$CONTROL/#", other.topic("desired"))
    for channel in TO_DEVICE:
        serve.publish(other.topic(channel), b"not yours")
        serve.publish(device.topic(channel), b"yours")
    serve.publish(other.topic("journal"), b"not yours")
    serve.publish("nw/1/fleet/ingest", b"not yours")
    serve.publish(BEACON_TOPIC, b"beacon", retain=True)
    wait_for(lambda: client.received(BEACON_TOPIC))
    assert {name for name, _ in client.messages} == {BEACON_TOPIC, *(device.topic(channel) for channel in TO_DEVICE)}


def test_the_beacon_waits_for_devices_that_connect_later(joined, serve):
    serve.publish(BEACON_TOPIC, b"beacon", retain=True)
    _, client = joined()
    client.wait_up().subscribe(BEACON_TOPIC)
    wait_for(lambda: client.received(BEACON_TOPIC))


def test_the_client_id_is_the_certificates_name_whatever_a_device_says(joined, broker):
    device, first = joined(client_id="fleet-ingest")
    first.wait_up()
    assert f"as {device.name} (" in broker.log
    _, second = joined(device, client_id="something-else")
    second.wait_up()
    wait_for(lambda: first.reasons, what="the takeover of the same identity")


def test_a_connection_without_certificate_is_refused(data, broker):
    assert is_refused(lambda: Client(broker.port, ca=data / "broker" / "ca.pem", certificate=None, key=None))


def test_a_certificate_of_another_authority_is_refused(data, broker, tmp_path):
    make_root(tmp_path / "ca", tenant="evil", now=dt.datetime.now(dt.UTC))
    Authority.open(tmp_path / "ca").issue_own(tmp_path, "fleet-ingest", now=dt.datetime.now(dt.UTC))
    assert is_refused(
        lambda: Client(
            broker.port, ca=data / "broker" / "ca.pem", certificate=tmp_path / "fleet-ingest.pem", key=tmp_path / "fleet-ingest.key"
        )
    )


def test_an_expired_certificate_is_refused(data, broker):
    device = ModelDevice()
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=500)
    issued = Authority.open(data / "ca").issue_device(device.request(), device=device.name, now=long_ago)
    assert is_refused(lambda: device_client(data, broker.port, device, issued.der))


def test_an_oversized_packet_closes_the_connection(joined):
    device, client = joined()
    client.wait_up()
    client.mqtt.publish(device.topic("journal"), bytes(MAX_PACKET_BYTES + 1), qos=1)
    wait_for(lambda: client.reasons, what="the disconnect")


def test_revocation_closes_the_connection_at_once(joined, fleet):
    device, client = joined()
    client.wait_up()
    fleet.registry.revoke(device.name, by="test", why="stolen")
    wait_for(lambda: client.reasons, deadline_s=5, what="the kick")


def test_revocation_holds_for_the_same_certificate(joined, fleet, broker, data):
    device, client = joined()
    client.wait_up()
    fleet.registry.revoke(device.name, by="test", why="stolen")
    wait_for(lambda: client.reasons, what="the kick")
    assert is_refused(lambda: device_client(data, broker.port, device, client.certificate))


def test_other_devices_stay_connected_through_a_revocation(joined, fleet):
    device, client = joined()
    other, witness = joined()
    client.wait_up()
    witness.wait_up()
    fleet.registry.revoke(device.name, by="test", why="stolen")
    wait_for(lambda: client.reasons, what="the kick")
    assert witness.publish(other.topic("hello"), b"still here") in TAKEN
    assert not witness.reasons


def test_a_revocation_made_while_the_broker_was_down_holds_when_it_is_back(joined, fleet, broker, data):
    device, client = joined()
    client.wait_up()
    broker.stop()
    fleet.registry.revoke(device.name, by="test", why="stolen")
    broker.start()
    assert is_refused(lambda: device_client(data, broker.port, device, client.certificate))
    fleet_client(data, broker.port).wait_up().close()


def test_a_device_paired_again_after_revocation_gets_in_with_its_new_certificate(joined, fleet):
    device, client = joined()
    client.wait_up()
    fleet.registry.revoke(device.name, by="test", why="lost")
    wait_for(lambda: client.reasons, what="the kick")
    _, again = joined(device)
    again.wait_up()
    assert again.publish(device.topic("hello"), b"back") in TAKEN


def test_reloading_without_a_running_broker_says_so(data):
    assert reload(data / "broker") is False


def test_a_missing_plugin_is_told_with_what_to_install(tmp_path):
    with pytest.raises(BrokerError, match="install Debian's package mosquitto"):
        plugin_path([str(tmp_path)])


def test_preparing_again_keeps_keys_and_the_brokers_own_state(data):
    kept = [*(data / "keys").iterdir(), *(data / "ca").iterdir(), *(data / "broker").glob("*.key")]
    before = {path: path.read_bytes() for path in kept}
    (data / "broker" / "data" / "dynamic-security.json").write_text("{}")
    assert "certificate" not in " ".join(prepare(data, now=dt.datetime.now(dt.UTC)))
    assert {path: path.read_bytes() for path in kept} == before
    assert (data / "broker" / "data" / "dynamic-security.json").read_text() == "{}"


def test_own_certificates_are_renewed_before_they_run_out(data):
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=700)
    assert "certificate issued: server" in prepare(data, now=later)


def test_a_new_name_in_the_configuration_gets_a_new_server_certificate(data):
    path = data / "fleet.toml"
    path.write_text(path.read_text().replace('"localhost"', '"localhost", "hall.example"'))
    assert "certificate issued: server" in prepare(data, now=dt.datetime.now(dt.UTC))


def test_private_files_are_readable_by_their_owner_alone(data):
    private = [*(data / "keys").iterdir(), *(data / "ca").glob("*.key"), *(data / "broker").glob("*.key")]
    assert len(private) >= 7
    assert [path for path in private if path.stat().st_mode & 0o077] == []
