"""A device as the fleet sees it: makes journals, entries and batches, with every way to do it wrong. Used by tests and benches."""

import os
import random

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nacl.signing import SigningKey
from sqlalchemy import insert

from fleet.ingest.intake import Message
from fleet.registry.pairing import device_name
from fleet.registry.tables import devices, tenants
from fleet.store import Store
from wire.codec import encode
from wire.custody import Hello, JournalMark, make_batch
from wire.entry import NO_HASH, SYNCED, Entry, make_entry
from wire.kinds import JournalOpened, Predecessor, SessionClosed, encode_body
from wire.topics import topic

TENANT = "county"
NOW_MS = 1_790_000_000_000


class ModelJournal:
    """One journal: its entries, and batches of them."""

    def __init__(self, device: "ModelDevice", *, predecessor: Predecessor | None = None) -> None:
        self.device = device
        self.id = os.urandom(16)
        self.entries: list[Entry] = []
        opened = JournalOpened(
            device=device.name, stream="evidence", signing_key=bytes(device.key.verify_key), predecessor=predecessor
        )
        self.append("journal.opened", encode_body("journal.opened", opened))

    @property
    def seq(self) -> int:
        return len(self.entries)

    @property
    def hash(self) -> bytes:
        return self.entries[-1].hash if self.entries else NO_HASH

    def append(self, kind: str = "session.closed", body: bytes | None = None, *, version: int = 1, wall_ms: int = NOW_MS) -> Entry:
        """One more entry."""
        if body is None:
            body = encode_body("session.closed", SessionClosed(session=os.urandom(16), how="done", duration_ms=1_000))
        entry = make_entry(
            journal_id=self.id,
            seq=self.seq + 1,
            kind=kind,
            kind_version=version,
            wall_ms=wall_ms,
            clock_trust=SYNCED,
            boot_id=bytes(16),
            mono_ms=self.seq,
            prev_hash=self.hash,
            salt=random.randbytes(16),
            body=body,
        )
        self.entries.append(entry)
        return entry

    def grow(self, count: int) -> None:
        """Several entries."""
        for _ in range(count):
            self.append()

    def batch(self, first: int = 1, last: int | None = None, *, key: SigningKey | None = None, device: str | None = None) -> bytes:
        """The batch of entries first..last, signed as it should be unless told otherwise."""
        entries = self.entries[first - 1 : last]
        return make_batch(
            entries, device=device or self.device.name, journal_id=self.id, first_seq=first, key=key or self.device.key
        )

    def message(self, first: int = 1, last: int | None = None, **how: object) -> Message:
        """The batch on the device's own topic."""
        return Message(self.device.topic("journal"), self.batch(first, last, **how))  # type: ignore[arg-type]

    def mark(self, in_custody: int, *, first_held: int = 1) -> JournalMark:
        """What a Hello says of this journal."""
        custody_hash = self.entries[in_custody - 1].hash if in_custody else NO_HASH
        return JournalMark(self.id, first_held, self.seq, in_custody, custody_hash, 0)


class ModelDevice:
    """Keys and topics of a device."""

    def __init__(self, *, tenant: str = TENANT) -> None:
        self.key = SigningKey.generate()
        self.name = device_name(bytes(self.key.verify_key))
        self.tenant = tenant
        self.tls_key = ec.generate_private_key(ec.SECP256R1())

    def topic(self, channel: str) -> str:
        return topic(self.tenant, self.name, channel)  # type: ignore[arg-type]

    def hello(self, *marks: JournalMark, incarnation: bytes = b"") -> Message:
        return Message(self.topic("hello"), encode(Hello(1, incarnation, list(marks))))

    def request(self, name: str | None = None, *, key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
        """A PKCS#10 request in DER."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name or self.name)])
        built = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key or self.tls_key, hashes.SHA256())
        return built.public_bytes(serialization.Encoding.DER)

    def tls_key_pem(self) -> bytes:
        return self.tls_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def register(fleet_store: Store, *made: ModelDevice) -> None:
    """Put devices into the registry as if they had been paired."""
    with fleet_store.write() as connection:
        known = {name for (name,) in connection.execute(tenants.select().with_only_columns(tenants.c.name))}
        for tenant in {device.tenant for device in made} - known:
            connection.execute(insert(tenants).values(name=tenant, title={"zh": tenant}))
        connection.execute(
            insert(devices),
            [
                {
                    "name": device.name,
                    "tenant": device.tenant,
                    "role": "evaluator",
                    "signing_key": bytes(device.key.verify_key),
                    "model": "model",
                    "software": "test",
                    "paired_ms": NOW_MS,
                    "paired_by": "test",
                }
                for device in made
            ],
        )
