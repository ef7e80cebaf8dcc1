"""A private Mosquitto with TLS as a fleet runs it, its certificate authority, and the fleet's end of it, for tests of devices."""

import datetime
import os
import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from model_fleet import TENANT, ModelFleet
from waiting import until

from wire.topics import BEACON_TOPIC, parse, topic

ONE_DAY = datetime.timedelta(days=1)


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
