"""How a new device and a fleet come to trust each other: commit, challenge, reveal, compare a short code, approve.

The device commits to its keys before it sees the fleet's nonce, so nobody between them can search for keys that give the same
code: a short code is enough. The code binds the device's keys *and* the CA certificate that the device was shown; an
operator who compares the code on the screen with the one in the console authenticates both. Bodies are MessagePack over
HTTPS; from the second request on, the device checks the server against that CA.
"""

import hashlib
from typing import Annotated, Literal

from msgspec import Meta, Struct
from nacl.signing import SigningKey

from wire.codec import decode, encode
from wire.custody import DeviceName
from wire.entry import Hash, Id16, Millis
from wire.messages import Name
from wire.signing import sign, verify, verify_key

PairingId = Id16
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


class Offer(Struct, frozen=True, kw_only=True):
    """What a device is: the part it commits to first and reveals second. `nonce` makes the commitment hiding."""

    device: DeviceName
    role: Literal["terminal", "evaluator"]
    signing_key: Hash
    certificate_request: Annotated[bytes, Meta(max_length=4_096)]
    """PKCS#10, DER; its subject's common name is `device`."""
    software: Name
    model: Name
    nonce: Hash


class Commit(Struct, frozen=True, kw_only=True):
    """POST /pair/commit."""

    commitment: Hash


class Challenge(Struct, frozen=True, kw_only=True):
    """The fleet's reply to Commit. `ca_certificate` is DER."""

    pairing: PairingId
    nonce: Hash
    ca_certificate: Annotated[bytes, Meta(max_length=4_096)]


class Reveal(Struct, frozen=True, kw_only=True):
    """POST /pair/reveal: exact bytes of the Offer that was committed to, signed (domain `pair`) with the key that it names.

    Without the signature anybody who knows a device's public key could ask to be paired under its name.
    """

    pairing: PairingId
    offer: Annotated[bytes, Meta(max_length=8_192)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


class PairingState(Struct, frozen=True, kw_only=True):
    """The reply to Reveal and to POST /pair/state (body: Reveal again). `welcome` holds a Welcome once approved."""

    state: Literal["waiting", "approved", "refused", "expired"]
    expires_ms: Millis
    welcome: Annotated[bytes, Meta(max_length=131_072)] | None = None


class Welcome(Struct, frozen=True, kw_only=True):
    """What an approved device keeps. Certificates are DER; `desired` holds a SignedDesired."""

    tenant: DeviceName
    certificate: bytes
    ca_certificates: tuple[bytes, ...]
    fleet_key: Hash
    """Ed25519: signs acknowledgements, desired configuration, content packs and the beacon."""
    broker_host: Name
    broker_port: Annotated[int, Meta(ge=1, le=65_535)]
    content_url: Name
    """HTTPS base of content packs: GET <content_url>/<sha256 in hex>."""
    desired: bytes


class Renewed(Struct, frozen=True, kw_only=True):
    """The reply to POST /renew (body: wire.custody.Signed over a PKCS#10 request, domain `pair`). The device keeps both members.

    A new root is among `ca_certificates` long before anything is signed with it alone: so roots overlap.
    """

    certificate: Annotated[bytes, Meta(max_length=4_096)]
    ca_certificates: Annotated[tuple[Annotated[bytes, Meta(max_length=4_096)], ...], Meta(min_length=1, max_length=16)]


def make_reveal(pairing: bytes, offer_bytes: bytes, key: SigningKey) -> Reveal:
    """The Reveal of an encoded Offer, signed with the device's signing key."""
    return Reveal(pairing=pairing, offer=offer_bytes, signature=sign(key, "pair", offer_bytes))


def read_offer(reveal: Reveal) -> Offer:
    """The revealed offer. Raises Malformed for bytes that are none, BadSignature when the key it names did not sign it."""
    offer = decode(reveal.offer, Offer)
    verify(verify_key(offer.signing_key), "pair", reveal.offer, reveal.signature)
    return offer


def commitment(offer_bytes: bytes) -> bytes:
    """The commitment to exact offer bytes."""
    return hashlib.sha256(b"nightwindow/1/pair-commit\0" + offer_bytes).digest()


def pairing_code(offer_bytes: bytes, challenge: Challenge) -> str:
    """The code that both screens show, for example `K7Q-M3X`: about 29.7 bits, of no use a second time."""
    number = int.from_bytes(hashlib.sha256(b"nightwindow/1/pair-code\0" + offer_bytes + encode(challenge)).digest()[:16], "big")
    letters = []
    for _ in range(6):
        number, index = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return "".join(letters[:3]) + "-" + "".join(letters[3:])
