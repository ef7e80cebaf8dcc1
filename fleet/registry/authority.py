"""The fleet's certificate authority: issues certificates to devices, broker, door and the fleet's own processes.

Roots overlap: `<data>/ca` keeps root-1, root-2 …; all are trusted until they expire. The newest signs devices' certificates; the
fleet's own are signed by the oldest that outlives them, because every device that checks them knows that one already.
"""

import datetime as dt
import ipaddress
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from fleet.keys import read_private, write_private
from fleet.registry.records import Refused

ROOT_YEARS, SERVER_DAYS, DEVICE_DAYS = 20, 730, 365
_DAY = dt.timedelta(days=1)
_PEM, _DER = serialization.Encoding.PEM, serialization.Encoding.DER
OVERLAP = dt.timedelta(days=SERVER_DAYS + DEVICE_DAYS)
"""So long before a root ends the next one is made: until the old one signs no server any more, every device has renewed once."""


class Issued(Struct, frozen=True):
    """A certificate with what the registry records of it. `serial` is hexadecimal."""

    der: bytes
    serial: str
    subject: str
    issued_ms: int
    expires_ms: int


class Authority:
    """All roots and their keys. Made by `Authority.open`; never changes files but in `make_root`."""

    def __init__(self, roots: list[x509.Certificate], keys: list[ec.EllipticCurvePrivateKey]) -> None:
        self._roots, self._keys = roots, keys

    @classmethod
    def open(cls, folder: Path) -> "Authority":
        """Read all roots. Raises KeysError when a key is missing or may be read by others."""
        certificates, keys = [], []
        for path in sorted(folder.glob("root-*.pem"), key=lambda p: int(p.stem.split("-")[1])):
            certificates.append(x509.load_pem_x509_certificate(path.read_bytes()))
            key = serialization.load_pem_private_key(read_private(path.with_suffix(".key")), None)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            keys.append(key)
        if not keys:
            read_private(folder / "root-1.key")  # Raises, and names the file that is missing.
        return cls(certificates, keys)

    def roots_der(self) -> tuple[bytes, ...]:
        """All trusted roots, the newest first."""
        return tuple(root.public_bytes(_DER) for root in reversed(self._roots))

    def root_of(self, certificate: x509.Certificate) -> bytes:
        """The root (DER) that issued a certificate. Raises Refused when none of these did."""
        for root in self._roots:
            try:
                certificate.verify_directly_issued_by(root)
            except (ValueError, InvalidSignature):
                continue
            return root.public_bytes(_DER)
        raise Refused("the certificate was issued by none of this fleet's roots; run nw-fleet init again")

    def roots_pem(self) -> bytes:
        """All trusted roots in one file."""
        return b"".join(root.public_bytes(_PEM) for root in self._roots)

    def issue_device(self, request: bytes, *, device: str, now: dt.datetime) -> Issued:
        """A client certificate for the key in a PKCS#10 request (DER) whose common name is `device`.

        Raises Refused for a request that cannot be read, is not signed by its own key, names another device, or has a key that
        is not EC P-256. Extensions a device asks for are ignored.
        """
        key = request_key(request, device=device)
        return self._issue(-1, key, device, now, days=DEVICE_DAYS, server_names=())

    def issue_own(self, folder: Path, name: str, *, server_names: Iterable[str] = (), now: dt.datetime) -> Issued:
        """Make key and certificate of one of the fleet's own processes: `<name>.key` and `<name>.pem` in `folder`."""
        key = ec.generate_private_key(ec.SECP256R1())
        until = now + SERVER_DAYS * _DAY
        root = next((n for n, each in enumerate(self._roots) if each.not_valid_after_utc >= until), -1)
        issued = self._issue(root, key.public_key(), name, now, days=SERVER_DAYS, server_names=tuple(server_names))
        folder.mkdir(parents=True, exist_ok=True)
        write_private(folder / f"{name}.key", _key_pem(key))
        (folder / f"{name}.pem").write_bytes(x509.load_der_x509_certificate(issued.der).public_bytes(_PEM))
        return issued

    def revocation_list(self, revoked: Iterable[tuple[str, int]], *, now: dt.datetime) -> bytes:
        """PEM lists of revoked (serial, revoked_ms), one for each root, because Mosquitto wants one for every issuer.

        They do not run out before the roots do: they are renewed with every revocation, and an expired list would lock all out.
        """
        entries = [
            x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(_instant(at_ms)).build()
            for serial, at_ms in revoked
        ]
        lists = []
        for root, key in zip(self._roots, self._keys, strict=True):
            builder = x509.CertificateRevocationListBuilder(revoked_certificates=entries).issuer_name(root.subject)
            builder = builder.last_update(now - _DAY).next_update(root.not_valid_after_utc)
            lists.append(builder.sign(key, hashes.SHA256()).public_bytes(_PEM))
        return b"".join(lists)

    def _issue(
        self, root: int, key: ec.EllipticCurvePublicKey, name: str, now: dt.datetime, *, days: int, server_names: tuple[str, ...]
    ) -> Issued:
        issuer, issuer_key = self._roots[root], self._keys[root]
        until = min(now + days * _DAY, issuer.not_valid_after_utc)
        builder = _builder(name, issuer.subject, key, now - _DAY, until)
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server_names else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        if server_names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_alternative(each) for each in server_names]), critical=False
            )
        made = builder.sign(issuer_key, hashes.SHA256())
        der = made.public_bytes(_DER)
        return Issued(der, f"{made.serial_number:x}", name, _millis(made.not_valid_before_utc), _millis(made.not_valid_after_utc))


def make_root(folder: Path, *, tenant: str, now: dt.datetime, another: bool = False) -> bool:
    """Make the first root when there is none, and one more when the newest ends within OVERLAP or `another` is wanted.

    Gives whether one was made.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    there = {int(path.stem.split("-")[1]): path for path in folder.glob("root-*.pem")}
    newest = max(there, default=0)
    if newest and not another:
        ends = x509.load_pem_x509_certificate(there[newest].read_bytes()).not_valid_after_utc
        if ends - now > OVERLAP:
            return False
    number = newest + 1
    key = ec.generate_private_key(ec.SECP256R1())
    name = f"Nightwindow {tenant} root {number}"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _builder(name, subject, key.public_key(), now - _DAY, now + ROOT_YEARS * 365 * _DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    write_private(folder / f"root-{number}.key", _key_pem(key))
    (folder / f"root-{number}.pem").write_bytes(certificate.public_bytes(_PEM))
    return True


def request_key(request: bytes, *, device: str) -> ec.EllipticCurvePublicKey:
    """The public key of a device's certificate request; raises Refused as `Authority.issue_device` tells."""
    try:
        parsed = x509.load_der_x509_csr(request)
        key = parsed.public_key()
        good = parsed.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise Refused("the certificate request is not PKCS#10 in DER; make it anew on the device") from error
    names = [attribute.value for attribute in parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [device]:
        raise Refused(f"the certificate request names {names}, not {device}")
    if not good:
        raise Refused("the certificate request is not signed by its own key")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Refused("the certificate request has a key that is not EC P-256")
    return key


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, since: dt.datetime, until: dt.datetime
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(since).not_valid_after(until)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _millis(when: dt.datetime) -> int:
    return int(when.timestamp() * 1000)


def _instant(at_ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC)
