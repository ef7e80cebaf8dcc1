"""Ed25519 signatures over exact bytes, each with a domain of its own so that a signature for one purpose fits no other."""

from typing import Literal

from nacl.bindings import crypto_sign_BYTES, crypto_sign_PUBLICKEYBYTES
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from wire.codec import Malformed, WireError

Domain = Literal["batch", "ack", "pack", "pair", "desired", "beacon"]
SIGNATURE_BYTES: int = crypto_sign_BYTES
KEY_BYTES: int = crypto_sign_PUBLICKEYBYTES

ED25519_SHA256 = 1
"""Algorithm id of signatures and hashes. Another suite (SM2/SM3) gets another number, never another meaning."""


class BadSignature(WireError):
    """The signature does not belong to these bytes, this purpose and this key."""


def sign(key: SigningKey, domain: Domain, data: bytes) -> bytes:
    """The 64-byte signature of `data` for one purpose."""
    return key.sign(_prefix(domain) + data).signature


def verify(key: VerifyKey, domain: Domain, data: bytes, signature: bytes) -> None:
    """Return when the signature is right. Raises BadSignature when it is not, whatever the reason."""
    try:
        key.verify(_prefix(domain) + data, signature)
    except (BadSignatureError, ValueError, TypeError) as error:
        raise BadSignature(f"{domain}: the signature does not match; the bytes were changed or another key signed them") from error


def verify_key(raw: bytes) -> VerifyKey:
    """A public key from its 32 bytes. Raises Malformed for another length."""
    if len(raw) != KEY_BYTES:
        raise Malformed(f"a public signing key has {KEY_BYTES} bytes, this one {len(raw)}")
    return VerifyKey(raw)


def _prefix(domain: Domain) -> bytes:
    return b"nightwindow/1/" + domain.encode() + b"\0"
