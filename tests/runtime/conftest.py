"""What the runtime tests share: a fake clock, a device in a directory, a model fleet, a real Mosquitto with TLS, a real door."""

import datetime
import http.server
import os
import queue
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from agent_device import Device
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from nacl.signing import SigningKey, VerifyKey

from runtime import credentials
from runtime.clock import FakeClock
from runtime.identity import Identity, certificate_request, ensure
from runtime.journal import Journal
from wire.codec import WireError, decode, encode
from wire.custody import Ack, Hello, Nack, Signed, make_reply, read_batch
from wire.entry import NO_HASH
from wire.messages import Beacon, Desired, Placement, SignedDesired, Words
from wire.pairing import Challenge, Commit, PairingState, Renewed, Reveal, Welcome, commitment, pairing_code, read_offer
from wire.signing import sign, verify
from wire.topics import BEACON_TOPIC, parse, topic

TENANT = "county"
ONE_DAY = datetime.timedelta(days=1)
SMALL = 4 << 20


def until(condition: Callable[[], Any], what: str, timeout_s: float = 15.0) -> Any:
    """Wait for a condition; fail with `what` when its deadline passes."""
    ends = time.monotonic() + timeout_s
    while time.monotonic() < ends:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {timeout_s} s: {what}")


@pytest.fixture(name="until")
def _until() -> Callable[..., Any]:
    return until


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return ensure(tmp_path / "device")


@pytest.fixture
def open_journal(tmp_path: Path, identity: Identity, clock: FakeClock) -> Iterator[Callable[..., Journal]]:
    """Opens journals below the device's directory and closes them afterwards."""
    opened: list[Journal] = []

    def opener(stream: Any = "evidence", budget_bytes: int = SMALL, **more: Any) -> Journal:
        arguments = {"identity": identity, "clock": clock, "budget_bytes": budget_bytes} | more
        journal = Journal.open(tmp_path / "device", stream, **arguments)
        opened.append(journal)
        return journal

    yield opener
    for journal in opened:
        journal.close()


class ModelFleet:
    """A fleet of a few lines: what has to be true of any fleet, kept in dictionaries. Counts what arrives twice."""

    def __init__(self, device_key: bytes, *, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self.key = SigningKey.generate()
        self.device_key = VerifyKey(device_key)
        self.clock_ms = clock_ms
        self.incarnation = os.urandom(16)
        self.hashes: dict[bytes, list[bytes]] = {}
        self.archived: dict[bytes, int] = {}
        self.refused: dict[bytes, str] = {}
        self.entries: dict[tuple[bytes, int], bytes] = {}

    def seq(self, journal_id: bytes) -> int:
        return len(self.hashes.get(journal_id, []))

    def ack(self, device: str, journal_id: bytes) -> bytes:
        held = self.hashes[journal_id]
        archived = self.archived.get(journal_id, 0)
        return make_reply(Ack(1, device, journal_id, len(held), held[-1], archived, self.incarnation, self.clock_ms()), self.key)

    def nack(self, device: str, journal_id: bytes, reason: Any, expected: int | None = None) -> bytes:
        expected = self.seq(journal_id) + 1 if expected is None else expected
        return make_reply(Nack(1, device, journal_id, expected, reason, "model", self.incarnation, self.clock_ms()), self.key)

    def take_hello(self, device: str, data: bytes) -> list[bytes]:
        replies = []
        for mark in decode(data, Hello).journals:
            held = self.hashes.get(mark.journal_id, [])
            if mark.journal_id in self.refused:
                replies.append(self.nack(device, mark.journal_id, self.refused[mark.journal_id]))
            elif mark.in_custody > len(held):
                replies.append(self.nack(device, mark.journal_id, "rewind"))
            elif not held:
                replies.append(self.nack(device, mark.journal_id, "gap"))
            else:
                replies.append(self.ack(device, mark.journal_id))
        return replies

    def take_batch(self, device: str, data: bytes) -> bytes:
        received = read_batch(data)
        content = received.content
        held = self.hashes.setdefault(content.journal_id, [])
        if content.journal_id in self.refused:
            return self.nack(device, content.journal_id, self.refused[content.journal_id])
        if content.first_seq > len(held) + 1:
            return self.nack(device, content.journal_id, "gap")
        before = held[content.first_seq - 2] if content.first_seq > 1 else NO_HASH
        try:
            chain = received.check(self.device_key, next_seq=content.first_seq, prev_hash=before)
        except WireError:
            return self.nack(device, content.journal_id, "chain")
        for (header, digest), body in zip(chain, received.message.bodies, strict=True):
            if header.seq <= len(held):
                if held[header.seq - 1] != digest:
                    return self.nack(device, content.journal_id, "fork")
                continue
            held.append(digest)
            assert (content.journal_id, header.seq) not in self.entries, "an entry was counted twice"
            self.entries[content.journal_id, header.seq] = body
        return self.ack(device, content.journal_id)

    def desired(self, device: str, version: int = 1, *, window_number: str = "3", **more: Any) -> bytes:
        words: Words = {"zh": "厅"}
        placement = Placement(hall="hall1", hall_name=words, label=words, window=window_number)
        data = encode(Desired(version=version, device=device, placement=placement, seal_key=bytes(32), **more))
        return encode(SignedDesired(1, sign(self.key, "desired", data), data))

    def beacon(self) -> bytes:
        data = encode(Beacon(incarnation=self.incarnation, software="model"))
        return encode(Signed(1, sign(self.key, "beacon", data), data))


@pytest.fixture
def model_fleet(identity: Identity, clock: FakeClock) -> ModelFleet:
    return ModelFleet(identity.signing_key, clock_ms=lambda: clock.wall_ms)


class Authority:
    """A certificate authority for one test."""

    def __init__(self, name_of_root: str = "test CA") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name_of_root)])
        self.certificate = self._builder(name, name, self.key.public_key(), -ONE_DAY, 10 * ONE_DAY).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        ).sign(self.key, hashes.SHA256())  # fmt: skip
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)

    @staticmethod
    def _builder(subject: Any, issuer: Any, key: Any, begins: Any, ends: Any) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
        )

    def issue(self, public_key: Any, name: str, *, server: bool = False, begins: Any = -ONE_DAY, ends: Any = ONE_DAY) -> bytes:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        use = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = self._builder(subject, self.certificate.subject, public_key, begins, ends)
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        if server:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def revoke(self, der: bytes) -> str:
        """A revocation list (PEM) with this one certificate."""
        now = datetime.datetime.now(datetime.UTC)
        serial = x509.load_der_x509_certificate(der).serial_number
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - ONE_DAY).build()
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(now - ONE_DAY).next_update(now + ONE_DAY).add_revoked_certificate(revoked)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def issue_request(self, request: bytes, **more: Any) -> bytes:
        csr = x509.load_der_x509_csr(request)
        return self.issue(csr.public_key(), str(csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value), **more)

    def write_pair(self, directory: Path, name: str, **more: Any) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, private = directory / f"{name}.pem", directory / f"{name}.key"
        certificate.write_text(ssl.DER_cert_to_PEM_cert(self.issue(key.public_key(), name, **more)))
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        private.write_bytes(key.private_bytes(*form))
        return certificate, private


def make_welcome(authority: Authority, identity: Identity, fleet: ModelFleet, *, port: int, request: bytes, **more: Any) -> Welcome:
    values = {
        "tenant": TENANT,
        "certificate": authority.issue_request(request),
        "ca_certificates": (authority.der,),
        "fleet_key": bytes(fleet.key.verify_key),
        "broker_host": "localhost",
        "broker_port": port,
        "content_url": "https://localhost:1/content",
        "desired": fleet.desired(identity.device),
    }
    return Welcome(**(values | more))


@pytest.fixture(name="make_welcome")
def _make_welcome() -> Callable[..., Welcome]:
    return make_welcome


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def new_authority() -> type[Authority]:
    return Authority


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """A private Mosquitto: TLS, client certificates, a device's name forced to be its client id."""

    def __init__(self, directory: Path, authority: Authority) -> None:
        self.directory, self.port = directory, free_port()
        directory.mkdir()
        directory.chmod(0o755)
        (directory / "ca.pem").write_text(ssl.DER_cert_to_PEM_cert(authority.der))
        authority.write_pair(directory, "server", server=True)
        authority.write_pair(directory, "fleet")
        (directory / "broker.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\nrequire_certificate true\nuse_identity_as_username true\n"
            f"cafile {directory}/ca.pem\ncertfile {directory}/server.pem\nkeyfile {directory}/server.key\n"
            f"user root\nlog_type all\nlog_dest file {directory}/log\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
        assert program, "install Debian's mosquitto"
        self._process = subprocess.Popen([program, "-c", str(self.directory / "broker.conf")])
        until(self._listens, "mosquitto listens")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


@pytest.fixture
def broker(tmp_path: Path, authority: Authority) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker", authority)
    broker.start()
    yield broker
    broker.kill()


class FleetClient:
    """The fleet's end of the broker: a model fleet that answers, and everything that arrived, by channel."""

    def __init__(self, broker: Broker, fleet: ModelFleet) -> None:
        self.fleet, self.answers, self.is_mute = fleet, True, False
        self.arrived: dict[str, list[bytes]] = {}
        self.retained: dict[str, list[bool]] = {}
        self._ready = threading.Event()
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=f"fleet-{os.urandom(4).hex()}", protocol=paho.MQTTv5)
        directory = broker.directory
        client.tls_set(str(directory / "ca.pem"), str(directory / "fleet.pem"), str(directory / "fleet.key"))
        client.reconnect_delay_set(0.1, 0.2)  # type: ignore[arg-type]
        client.on_connect = lambda *_: client.subscribe("nw/1/+/+/+", qos=1)
        client.on_subscribe = lambda *_: self._ready.set()
        client.on_message = self._take
        self.client = client
        client.connect("localhost", broker.port)
        client.loop_start()
        assert self._ready.wait(10), "the fleet's client could not subscribe"

    def _take(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        where = parse(message.topic)
        self.arrived.setdefault(where.channel, []).append(message.payload)
        self.retained.setdefault(where.channel, []).append(bool(message.retain))
        if self.is_mute:
            return
        replies: list[bytes] = []
        if where.channel == "hello":
            replies = self.fleet.take_hello(where.device, message.payload)
        elif where.channel == "journal":
            replies = [self.fleet.take_batch(where.device, message.payload)]
        for reply in replies:
            self.send(where.device, "custody", reply)
        if where.channel == "ask":
            self.client.publish(message.properties.ResponseTopic, self.answer, qos=1, properties=self._with(message.properties))  # type: ignore[union-attr]

    answer = b""

    @staticmethod
    def _with(given: Any) -> Any:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties = Properties(PacketTypes.PUBLISH)
        properties.CorrelationData = given.CorrelationData
        return properties

    def send(self, device: str, channel: Any, payload: bytes, *, retain: bool = False) -> None:
        self.client.publish(topic(TENANT, device, channel), payload, qos=1, retain=retain)

    def send_beacon(self) -> None:
        self.client.publish(BEACON_TOPIC, self.fleet.beacon(), qos=1, retain=True).wait_for_publish(5)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def fleet_client(broker: Broker, identity: Identity) -> Iterator[FleetClient]:
    client = FleetClient(broker, ModelFleet(identity.signing_key))
    yield client
    client.close()


class DoorServer:
    """A door over real HTTPS that keeps the pairing protocol; approves when told."""

    def __init__(self, authority: Authority, directory: Path, fleet: ModelFleet, broker_port: int = 1) -> None:
        self.authority, self.fleet, self.broker_port = authority, fleet, broker_port
        self.state = "waiting"
        self.code = ""
        self.packs: dict[str, bytes] = {}
        self.renewals = 0
        self.renews_with: Authority | None = None
        self.renewed_roots: tuple[bytes, ...] | None = None
        self.welcome_changes: dict[str, Any] = {}
        self.offered_ca = authority.der
        self.asked: queue.Queue[str] = queue.Queue()
        self._commit: Commit | None = None
        self._challenge: Challenge | None = None
        directory.mkdir(exist_ok=True)
        certificate, key = authority.write_pair(directory, "door", server=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        door = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self._give(*door.post(self.path, self.rfile.read(int(self.headers["content-length"]))))

            def do_GET(self) -> None:
                data = door.packs.get(self.path.rpartition("/")[2])
                self._give(404 if data is None else 200, data or b"")

            def _give(self, status: int, data: bytes) -> None:
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        self.asked.put(path)
        if path == "/pair/commit":
            self._commit = decode(body, Commit)
            self._challenge = Challenge(pairing=os.urandom(16), nonce=os.urandom(32), ca_certificate=self.offered_ca)
            return 200, encode(self._challenge)
        if path in ("/pair/reveal", "/pair/state"):
            return self._pairing(decode(body, Reveal))
        if path == "/renew":
            outer = decode(body, Signed)
            verify(self.fleet.device_key, "pair", outer.signed, outer.signature)
            self.renewals += 1
            issuer = self.renews_with or self.authority
            roots = (issuer.der, self.authority.der) if self.renewed_roots is None else self.renewed_roots
            return 200, encode(Renewed(certificate=issuer.issue_request(outer.signed), ca_certificates=roots))
        return 404, b"no such page"

    def _pairing(self, reveal: Reveal) -> tuple[int, bytes]:
        assert self._commit is not None
        assert self._challenge is not None
        if commitment(reveal.offer) != self._commit.commitment:
            return 403, b"the offer is not the one that was committed to"
        self.code = pairing_code(reveal.offer, self._challenge)
        offer = read_offer(reveal)
        welcome = None
        if self.state == "approved":
            identity = Identity(offer.device, offer.signing_key, Path())
            welcome = encode(
                make_welcome(
                    self.authority,
                    identity,
                    self.fleet,
                    port=self.broker_port,
                    request=offer.certificate_request,
                    **({"content_url": f"{self.url}/content"} | self.welcome_changes),
                )
            )
        return 200, encode(PairingState(state=self.state, expires_ms=2**50, welcome=welcome))  # type: ignore[arg-type]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def door(authority: Authority, tmp_path: Path, fleet_client: FleetClient, broker: Broker) -> Iterator[DoorServer]:
    """A door of the same fleet as `fleet_client`."""
    server = DoorServer(authority, tmp_path / "door", fleet_client.fleet, broker.port)
    yield server
    server.close()


@pytest.fixture
def lone_door(authority: Authority, tmp_path: Path, model_fleet: ModelFleet) -> Iterator[DoorServer]:
    """A door without a broker behind it."""
    server = DoorServer(authority, tmp_path / "door", model_fleet)
    yield server
    server.close()


@pytest.fixture
def device(tmp_path: Path, identity: Identity, until: Callable[..., Any], door: Any) -> Iterator[Device]:
    device = Device(tmp_path / "device", identity, door.url, until)
    yield device
    device.stop()


@pytest.fixture
def paired(device: Device, authority: Any, fleet_client: Any, broker: Any, make_welcome: Any, door: Any) -> Device:
    """A device that was paired before."""
    welcome = make_welcome(
        authority,
        device.identity,
        fleet_client.fleet,
        port=broker.port,
        request=certificate_request(device.identity),
        content_url=f"{door.url}/content",
    )
    credentials.save_welcome(welcome, device.identity)
    return device
