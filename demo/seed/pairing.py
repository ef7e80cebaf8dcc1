"""A new device that asks to be paired."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nacl.signing import SigningKey

from fleet.registry.pairing import device_name
from fleet.services import Fleet
from wire.codec import encode
from wire.pairing import Commit, Offer, commitment, make_reveal


def make_request(name: str) -> bytes:
    """A certificate request as a device makes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


def offer(key: SigningKey, *, role: str = "evaluator", nonce: bytes = bytes(32)) -> bytes:
    """What a new device reveals."""
    name = device_name(bytes(key.verify_key))
    made = Offer(
        device=name,
        role=role,  # type: ignore[arg-type]
        signing_key=bytes(key.verify_key),
        certificate_request=make_request(name),
        software="0.1.0",
        model="Raspberry Pi 5",
        nonce=nonce,
    )
    return encode(made)


def begin_pairing(fleet: Fleet, key: SigningKey, *, role: str = "evaluator") -> str:
    """Let a new device ask to be paired; gives its name."""
    data = offer(key, role=role)
    challenge = fleet.pairings.commit(Commit(commitment=commitment(data)), peer="10.0.3.27")
    fleet.pairings.reveal(make_reveal(challenge.pairing, data, key))
    return device_name(bytes(key.verify_key))
