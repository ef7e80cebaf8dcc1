"""A device's keys: made once on the device, never sent anywhere. The face needs the public part, the agent all of it."""

import base64
import fcntl
import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nacl.signing import SigningKey


class IdentityError(Exception):
    """The device's keys cannot be made or read."""


class Identity(NamedTuple):
    """Who a device is: its name, its public Ed25519 signing key (32 bytes) and where its keys lie."""

    device: str
    signing_key: bytes
    directory: Path


def device_name(signing_key: bytes) -> str:
    """The name that follows from a public signing key: `nw` and 16 lower-case base-32 characters."""
    return "nw" + base64.b32encode(hashlib.sha256(signing_key).digest()[:10]).decode().lower()


def ensure(data_dir: Path) -> Identity:
    """The identity below `data_dir`, made on first use. Several processes may call this at once; all get the same one.

    Writes `identity/signing.key` and `identity/tls.key` (both 0600) when they are missing.

    Raises:
        IdentityError: the directory cannot be written or a key file is damaged; the message says what to do.
    """
    directory = data_dir / "identity"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(directory / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (directory / "signing.key").exists():
                write_private(directory / "signing.key", bytes(SigningKey.generate()))
            if not (directory / "tls.key").exists():
                write_private(directory / "tls.key", _new_tls_key())
    except OSError as error:
        raise IdentityError(
            f"{directory} cannot be used ({error.strerror}); give the service user the right to write there"
        ) from error
    public = bytes(signing_key(directory).verify_key)
    return Identity(device_name(public), public, directory)


def signing_key(directory: Path) -> SigningKey:
    """The private signing key. Raises IdentityError when its file is unreadable or is not 32 bytes."""
    path = directory / "signing.key"
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise IdentityError(f"{path} cannot be read ({error.strerror}); run as the user that owns it") from error
    if len(raw) != 32:
        raise IdentityError(
            f"{path} has {len(raw)} bytes, a signing key has 32: it is damaged. Restore it, or remove {directory} and pair again"
        )
    return SigningKey(raw)


def certificate_request(identity: Identity) -> bytes:
    """A PKCS#10 request (DER) for the device's TLS key, common name = device name. Raises IdentityError for a damaged key."""
    path = identity.directory / "tls.key"
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise IdentityError(f"{path} is not a usable key ({error}); remove the file and pair again") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IdentityError(f"{path} is not an EC key; remove the file and pair again")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity.device)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


def write_private(path: Path, data: bytes) -> None:
    """Replace a file atomically and durably, readable by its owner alone. Raises OSError."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make a created or renamed name in `directory` survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _new_tls_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
