"""What a paired device holds: its certificate, the fleet's CAs and key, and the TLS it builds from them."""

import ssl
import tempfile
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from runtime.clock import Clock
from runtime.identity import Identity, IdentityError, write_private
from wire.codec import Malformed, WireError, decode
from wire.entry import SYNCED
from wire.pairing import Renewed, Welcome

NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME; the ssl module hands it on, but has no name for it."""
CLOCK_TOLERANCE_MS = 300_000
RENEW_SHARE = 1 / 3
"""A certificate is renewed when less than this share of its life is left."""


def welcome_path(identity: Identity) -> Path:
    """Where the welcome lies."""
    return identity.directory / "welcome.msgpack"


def load_welcome(identity: Identity) -> Welcome | None:
    """The kept welcome, or None while the device is not paired.

    Raises IdentityError when the file is there and of no use.
    """
    path = welcome_path(identity)
    try:
        return checked_welcome(path.read_bytes(), identity)
    except FileNotFoundError:
        return None
    except (OSError, WireError) as error:
        raise IdentityError(f"{path} cannot be used ({error}); remove it and pair the device again") from error


def checked_welcome(data: bytes, identity: Identity, *, ca: bytes | None = None) -> Welcome:
    """Decode a welcome and check that it is for this device's keys, from the fleet whose `ca` was seen when pairing.

    Raises Malformed with what is wrong.
    """
    welcome = decode(data, Welcome)
    if ca is not None and ca not in welcome.ca_certificates:
        raise Malformed("the welcome does not hold the CA certificate that was seen when pairing")
    check_certificate(welcome.certificate, identity)
    for each in welcome.ca_certificates:
        _certificate(each)
    if not welcome.ca_certificates:
        raise Malformed("the welcome holds no CA certificate")
    return welcome


def renewed(welcome: Welcome, reply: Renewed, identity: Identity) -> Welcome:
    """The welcome with the certificate and the CA roots of a renewal. Raises Malformed when they do not fit each other."""
    certificate = check_certificate(reply.certificate, identity)
    roots = [_certificate(each) for each in reply.ca_certificates]
    if not any(_has_issued(root, certificate) for root in roots):
        raise Malformed("the renewed certificate was issued by none of the CA roots that came with it")
    return msgspec.structs.replace(welcome, certificate=reply.certificate, ca_certificates=reply.ca_certificates)


def check_certificate(der: bytes, identity: Identity) -> x509.Certificate:
    """The certificate, when it is for this device's name and TLS key. Raises Malformed."""
    certificate = _certificate(der)
    names = [str(each.value) for each in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    if names != [identity.device]:
        raise Malformed(f"the certificate is for {', '.join(names) or 'nobody'}, this device is {identity.device}")
    key = serialization.load_pem_private_key((identity.directory / "tls.key").read_bytes(), password=None)
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        raise Malformed("the certificate is for another key than this device's")
    return certificate


def save_welcome(welcome: Welcome, identity: Identity) -> None:
    """Keep a welcome, durably. Raises OSError."""
    write_private(welcome_path(identity), msgspec.msgpack.encode(welcome))


def renewal_is_due(certificate: x509.Certificate, now_ms: int) -> bool:
    """Whether less than RENEW_SHARE of the certificate's life is left at `now_ms` (UTC)."""
    begins = certificate.not_valid_before_utc.timestamp()
    ends = certificate.not_valid_after_utc.timestamp()
    return now_ms / 1_000 > ends - (ends - begins) * RENEW_SHARE


def certificate_of(welcome: Welcome) -> x509.Certificate:
    """The device's own certificate."""
    return _certificate(welcome.certificate)


def _certificate(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise Malformed(f"not a certificate: {error}") from error


def _has_issued(ca: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def server_context(ca_certificates: tuple[bytes, ...], *, clock: Clock, system_wall_ms: int) -> ssl.SSLContext:
    """TLS that accepts only servers under these CAs with the right name.

    OpenSSL checks dates against the system clock. Unless that clock is known to be right (the device's own clock is SYNCED
    and agrees with it), everything is checked but the dates; the fleet always checks its side.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata="".join(ssl.DER_cert_to_PEM_cert(each) for each in ca_certificates))
    now = clock.now()
    if now.trust != SYNCED or abs(now.wall_ms - system_wall_ms) > CLOCK_TOLERANCE_MS:
        context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    return context


def device_context(welcome: Welcome, identity: Identity, *, clock: Clock, system_wall_ms: int) -> ssl.SSLContext:
    """server_context with the device's own certificate. Raises IdentityError when key and certificate cannot be loaded."""
    context = server_context(welcome.ca_certificates, clock=clock, system_wall_ms=system_wall_ms)
    with tempfile.NamedTemporaryFile("w", suffix=".pem", encoding="ascii") as file:
        file.write(ssl.DER_cert_to_PEM_cert(welcome.certificate))
        file.flush()
        try:
            context.load_cert_chain(file.name, str(identity.directory / "tls.key"))
        except (ssl.SSLError, OSError) as error:
            raise IdentityError(f"certificate and TLS key do not load ({error}); pair the device again") from error
    return context
