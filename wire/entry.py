"""Journal entries and their hash chain: the part of Nightwindow that has to stay readable for decades.

An entry is a header (exact bytes, chained), a 16-byte salt and a body. The header holds the hash of the previous header
and the salted hash of the body, so salt and body can be erased later without breaking the chain.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from wire.codec import MAX_BODY_BYTES, Malformed, TooLarge, WireError, decode, encode
from wire.signing import ED25519_SHA256

Id16 = Annotated[bytes, Meta(min_length=16, max_length=16)]
Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
Seq = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Millis = Annotated[int, Meta(ge=0, lt=2**53)]
KindName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9_.]+$")]

NO_HASH = bytes(32)
"""What a journal's first header has in place of a previous hash."""
MAX_HEADER_BYTES = 512

UNTRUSTED, FROM_RTC, SYNCED = 0, 1, 2
"""Trust marks of `wall_ms`: unknown since boot · battery clock · set by the network or the fleet since boot."""


class ChainBroken(WireError):
    """Headers do not follow each other: a gap, another journal, or a changed past."""


class BodyMismatch(WireError):
    """A body is not the one its header was made for."""


class Header(Struct, frozen=True, array_like=True):
    """What the chain covers. Later versions append fields; a reader takes the ones it knows and hashes all bytes.

    `seq` counts from 1 without gaps. `wall_ms` is UTC since 1970 with `clock_trust`; `mono_ms` counts since the boot `boot_id`.
    """

    version: Annotated[int, Meta(ge=1, lt=2**31)]
    algorithm: Annotated[int, Meta(ge=1, lt=2**31)]
    journal_id: Id16
    seq: Seq
    kind: KindName
    kind_version: Annotated[int, Meta(ge=1, lt=2**31)]
    wall_ms: Millis
    clock_trust: Annotated[int, Meta(ge=0, le=255)]
    boot_id: Id16
    mono_ms: Millis
    prev_hash: Hash
    body_hash: Hash


class Entry(Struct, frozen=True, array_like=True):
    """One entry as it travels and is kept: exact header bytes, salt and body (both empty once erased)."""

    header_bytes: Annotated[bytes, Meta(max_length=MAX_HEADER_BYTES)]
    salt: Annotated[bytes, Meta(max_length=16)]
    body: Annotated[bytes, Meta(max_length=MAX_BODY_BYTES)]

    @property
    def header(self) -> Header:
        """The decoded header. Raises Malformed when the bytes are none."""
        return decode(self.header_bytes, Header, limit=MAX_HEADER_BYTES)

    @property
    def hash(self) -> bytes:
        """The entry's hash, which the next header carries."""
        return header_hash(self.header_bytes)

    @property
    def is_erased(self) -> bool:
        """Whether salt and body were taken out; the header stays."""
        return not self.salt


def header_hash(header_bytes: bytes) -> bytes:
    """The hash that identifies an entry: SHA-256 over a domain and the exact header bytes."""
    return hashlib.sha256(b"nightwindow/1/entry\0" + header_bytes).digest()


def body_hash(salt: bytes, body: bytes) -> bytes:
    """The salted hash of a body, as its header carries it."""
    return hashlib.sha256(b"nightwindow/1/body\0" + salt + body).digest()


def make_entry(
    *,
    journal_id: bytes,
    seq: int,
    kind: str,
    kind_version: int,
    wall_ms: int,
    clock_trust: int,
    boot_id: bytes,
    mono_ms: int,
    prev_hash: bytes,
    salt: bytes,
    body: bytes,
) -> Entry:
    """Build an entry after the one whose hash is `prev_hash`. Raises TooLarge for a body over MAX_BODY_BYTES."""
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"{kind} has a body of {len(body)} bytes; the limit is {MAX_BODY_BYTES}")
    header = Header(
        1,
        ED25519_SHA256,
        journal_id,
        seq,
        kind,
        kind_version,
        wall_ms,
        clock_trust,
        boot_id,
        mono_ms,
        prev_hash,
        body_hash(salt, body),
    )
    return Entry(encode(header), salt, body)


def follow(headers: Iterable[bytes], *, journal_id: bytes, next_seq: int, prev_hash: bytes) -> list[tuple[Header, bytes]]:
    """Check that headers continue a chain; give each with its hash.

    Raises:
        Malformed: a header cannot be read, or names an algorithm this version does not know.
        ChainBroken: wrong journal, a gap, or a previous hash that is not the one before.
    """
    result: list[tuple[Header, bytes]] = []
    for raw in headers:
        header = decode(raw, Header, limit=MAX_HEADER_BYTES)
        if header.algorithm != ED25519_SHA256:
            raise Malformed(
                f"entry {header.seq} uses algorithm {header.algorithm}; this version knows {ED25519_SHA256}. Upgrade the fleet"
            )
        if header.journal_id != journal_id:
            raise ChainBroken(f"entry {header.seq} belongs to journal {header.journal_id.hex()}, not {journal_id.hex()}")
        if header.seq != next_seq:
            raise ChainBroken(f"entry {header.seq} stands where {next_seq} must follow")
        if header.prev_hash != prev_hash:
            raise ChainBroken(f"entry {header.seq} does not carry the hash of entry {header.seq - 1}")
        prev_hash = header_hash(raw)
        next_seq += 1
        result.append((header, prev_hash))
    return result


def check_body(header: Header, salt: bytes, body: bytes) -> None:
    """Return when salt and body are the header's own or were erased. Raises BodyMismatch otherwise."""
    if not salt and not body:
        return
    if len(salt) != 16 or body_hash(salt, body) != header.body_hash:
        raise BodyMismatch(f"the body of entry {header.seq} ({header.kind}) is not the one its header was made for")
