"""Handing journal entries to the fleet: signed batches one way, signed acknowledgements the other.

Custody passes with an acknowledgement that the fleet signs after its own commit, never with the broker's PUBACK.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct
from nacl.signing import SigningKey, VerifyKey

from wire.codec import MAX_BODY_BYTES, MAX_MESSAGE_BYTES, Malformed, decode, encode
from wire.entry import MAX_HEADER_BYTES, Entry, Hash, Header, Id16, Millis, Seq, check_body, follow
from wire.signing import ED25519_SHA256, SIGNATURE_BYTES, sign, verify

MAX_BATCH_ENTRIES = 1_000
MAX_BATCH_BYTES = 196_608
"""Where a sender closes a batch; leaves room below MAX_MESSAGE_BYTES for one largest body."""

Signature = Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]
DeviceName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class Signed(Struct, frozen=True, array_like=True):
    """Exact bytes with their signature: the outer form of acknowledgements and of everything signed but batches."""

    version: Literal[1]
    signature: Signature
    signed: Annotated[bytes, Meta(max_length=MAX_MESSAGE_BYTES)]


class BatchSigned(Struct, frozen=True, array_like=True):
    """The signed part of a batch: contiguous exact headers of one journal."""

    algorithm: Literal[1]
    device: DeviceName
    journal_id: Id16
    first_seq: Seq
    headers: Annotated[list[Annotated[bytes, Meta(max_length=MAX_HEADER_BYTES)]], Meta(min_length=1, max_length=MAX_BATCH_ENTRIES)]


class BatchMessage(Struct, frozen=True, array_like=True):
    """A batch on the wire. Salts and bodies stand outside the signed bytes (the headers bind them), so that erasing one
    leaves the signature valid. `salts` and `bodies` have one member a header; both are empty for an erased entry."""

    version: Literal[1]
    signature: Signature
    signed: Annotated[bytes, Meta(max_length=MAX_MESSAGE_BYTES)]
    salts: Annotated[list[Annotated[bytes, Meta(max_length=16)]], Meta(max_length=MAX_BATCH_ENTRIES)]
    bodies: Annotated[list[Annotated[bytes, Meta(max_length=MAX_BODY_BYTES)]], Meta(max_length=MAX_BATCH_ENTRIES)]


class Received(Struct, frozen=True):
    """A decoded batch whose signature and chain have yet to be checked."""

    message: BatchMessage
    content: BatchSigned

    def check(self, key: VerifyKey, *, next_seq: int, prev_hash: bytes) -> list[tuple[Header, bytes]]:
        """Verify signature, chain and bodies; give each header with its hash.

        Raises BadSignature, ChainBroken, BodyMismatch or Malformed; nothing of the batch may be used then.
        """
        verify(key, "batch", self.message.signed, self.message.signature)
        chain = follow(self.content.headers, journal_id=self.content.journal_id, next_seq=next_seq, prev_hash=prev_hash)
        for (header, _), salt, body in zip(chain, self.message.salts, self.message.bodies, strict=True):
            check_body(header, salt, body)
        return chain


def make_batch(entries: Sequence[Entry], *, device: str, journal_id: bytes, first_seq: int, key: SigningKey) -> bytes:
    """The message that hands over contiguous entries, the first being `first_seq`."""
    signed = encode(BatchSigned(1, device, journal_id, first_seq, [entry.header_bytes for entry in entries]))
    return encode(
        BatchMessage(1, sign(key, "batch", signed), signed, [entry.salt for entry in entries], [entry.body for entry in entries])
    )


def read_batch(data: bytes) -> Received:
    """Decode a batch, trusting nothing. Raises TooLarge or Malformed."""
    message = decode(data, BatchMessage)
    content = decode(message.signed, BatchSigned)
    if not len(content.headers) == len(message.salts) == len(message.bodies):
        raise Malformed(
            f"a batch of {len(content.headers)} headers has {len(message.salts)} salts and {len(message.bodies)} bodies"
        )
    return Received(message, content)


class Ack(Struct, frozen=True, array_like=True, tag=0):
    """Custody passed: everything through `through_seq` (whose hash is `through_hash`) is committed at the fleet.

    `archived_through` is what a verified backup holds; a device may prune that far and no further. 0 means nothing.
    """

    algorithm: Literal[1]
    device: DeviceName
    journal_id: Id16
    through_seq: Seq
    through_hash: Hash
    archived_through: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    incarnation: Id16
    fleet_ms: Millis


NackReason = Literal[
    "gap", "rewind", "chain", "signature", "body", "unknown_journal", "fork", "quarantined", "unsupported", "malformed"
]


class Nack(Struct, frozen=True, array_like=True, tag=1):
    """Nothing was taken: send again from `expected_seq`, or, for a reason other than gap and rewind, stop and tell a person.

    A `rewind` comes from a server restored from a backup (another incarnation): entries from `expected_seq` on were lost there.
    """

    algorithm: Literal[1]
    device: DeviceName
    journal_id: Id16
    expected_seq: Seq
    reason: NackReason
    detail: Annotated[str, Meta(max_length=500)]
    incarnation: Id16
    fleet_ms: Millis


RETRY_REASONS: frozenset[NackReason] = frozenset({"gap", "rewind"})


def make_reply(reply: Ack | Nack, key: SigningKey) -> bytes:
    """The signed message that answers a batch or a hello."""
    signed = encode(reply)
    return encode(Signed(1, sign(key, "ack", signed), signed))


def read_reply(data: bytes, key: VerifyKey, *, device: str) -> Ack | Nack:
    """Check signature and addressee of an acknowledgement before reading it.

    Raises TooLarge, Malformed, BadSignature (a forged one), or Malformed when it names another device.
    """
    outer = decode(data, Signed)
    verify(key, "ack", outer.signed, outer.signature)
    reply: Ack | Nack = decode(outer.signed, Ack | Nack)  # type: ignore[arg-type]
    if reply.device != device:
        raise Malformed(f"an acknowledgement for {reply.device} reached {device}")
    if reply.algorithm != ED25519_SHA256:
        raise Malformed(f"an acknowledgement uses algorithm {reply.algorithm}")
    return reply


class JournalMark(Struct, frozen=True, array_like=True):
    """Where one journal of a device stands, as the device sees it."""

    journal_id: Id16
    first_held: Seq
    last_seq: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    in_custody: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    custody_hash: Hash
    archived: Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Hello(Struct, frozen=True, array_like=True):
    """Sent on every connection: the fleet answers each journal with an Ack or Nack, which finds rewinds and forks early."""

    version: Literal[1]
    incarnation: Annotated[bytes, Meta(max_length=16)]
    journals: Annotated[list[JournalMark], Meta(max_length=1_000)]
