"""The seal at the end of a pack file: manifest, signature, footer. Open this to verify or write packs elsewhere.

A pack is a SQLite database with a trailer, which SQLite ignores:

    database | manifest (msgpack map) | signature (64 bytes) | manifest length (u32, big endian) | b"NWPACK1\\n"

The signature is the fleet's own (wire.signing, domain `pack`) over the manifest's exact bytes: devices hold its key since they
were paired. The manifest states the database's size and SHA-256, so one signature covers the file. docs/items.md has a vector.
"""

import hashlib
import struct
from typing import Annotated, BinaryIO

import msgspec
from msgspec import Meta, Struct
from nacl.signing import SigningKey, VerifyKey

from pack.errors import PackDamaged, PackForged, PackTooNew, PackTruncated
from wire import signing

SCHEMA = 1
MAGIC = b"NWPACK1\n"
KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_FOOTER = struct.Struct(">I8s")
_MANIFEST_LIMIT = 4096


class PackManifest(Struct, frozen=True, kw_only=True):
    """What a signature vouches for. Readers ignore map keys they do not know."""

    hall: Annotated[str, Meta(min_length=1, max_length=64)]
    version: Annotated[str, Meta(min_length=1, max_length=64)]
    """Orders by time when compared as text, unless the builder was given another."""
    built_at_ms: Annotated[int, Meta(ge=0)]
    """Unix time in milliseconds, UTC."""
    schema: Annotated[int, Meta(ge=1)]
    size: Annotated[int, Meta(ge=1)]
    """Length of the database in bytes, without the trailer."""
    sha256: Annotated[bytes, Meta(min_length=32, max_length=32)]
    """Of the database's bytes."""


_decoder = msgspec.msgpack.Decoder(PackManifest)


def trailer(manifest: PackManifest, signer: bytes) -> bytes:
    """The bytes to append to the database; `signer` is a raw 32-byte Ed25519 seed."""
    if len(signer) != KEY_BYTES:
        raise ValueError(f"the signing key has {len(signer)} bytes; give the raw {KEY_BYTES}-byte Ed25519 seed")
    body = msgspec.msgpack.encode(manifest)
    try:
        _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise ValueError(f"no reader would accept this manifest ({error}); correct the hall code or version") from None
    signature = signing.sign(SigningKey(signer), "pack", body)
    return body + signature + _FOOTER.pack(len(body), MAGIC)


def _read_trailer(file: BinaryIO, path: str) -> tuple[bytes, bytes, int]:
    """Manifest bytes, signature, and the length that the database must have."""
    size = file.seek(0, 2)
    if size < _FOOTER.size + _SIGNATURE_BYTES:
        raise PackTruncated(f"{path} has only {size} bytes, so it is not a whole pack; fetch it again")
    file.seek(size - _FOOTER.size)
    length, magic = _FOOTER.unpack(file.read(_FOOTER.size))
    if magic != MAGIC:
        if magic[:6] == MAGIC[:6]:
            raise PackTooNew(f"{path} has seal format {magic!r}; this software reads {MAGIC!r}: update the software")
        raise PackTruncated(f"{path} does not end with a pack's seal: it is cut short or no pack; fetch it again")
    start = size - _FOOTER.size - _SIGNATURE_BYTES - length
    if length > _MANIFEST_LIMIT or start < 0:
        raise PackTruncated(f"{path} states a manifest of {length} bytes, which cannot be; fetch it again")
    file.seek(start)
    return file.read(length), file.read(_SIGNATURE_BYTES), start


def verify(file: BinaryIO, *, path: str, verify_key: bytes | None) -> PackManifest:
    """Check signature, then schema, then the whole database's hash. Reads the whole file.

    Args:
        path: named in errors only.
        verify_key: raw 32-byte Ed25519 public key; None checks that the file is whole, not who made it.

    Raises:
        PackTruncated, PackForged, PackTooNew, PackDamaged: each says what to do.
    """
    body, signature, length = _read_trailer(file, path)
    if verify_key is not None:
        if len(verify_key) != KEY_BYTES:
            raise ValueError(f"the verify key has {len(verify_key)} bytes; give the raw {KEY_BYTES}-byte public key")
        try:
            signing.verify(VerifyKey(verify_key), "pack", body, signature)
        except signing.BadSignature:
            raise PackForged(
                f"{path} was not signed with the fleet's key {verify_key.hex()[:16]}…; "
                "do not use it, and fetch the pack from this hall's fleet server"
            ) from None
    try:
        manifest = _decoder.decode(body)
    except msgspec.DecodeError as error:
        raise PackDamaged(f"{path} has an unreadable manifest ({error}); fetch it again") from None
    if manifest.schema > SCHEMA:
        raise PackTooNew(f"{path} has schema {manifest.schema}; this software reads up to {SCHEMA}: update the software")
    if manifest.size != length:
        raise PackTruncated(f"{path} holds {length} bytes of content but its manifest states {manifest.size}; fetch it again")
    file.seek(0)
    digest = hashlib.sha256()
    left = length
    while left > 0 and (block := file.read(min(left, 1 << 20))):
        digest.update(block)
        left -= len(block)
    if digest.digest() != manifest.sha256:
        raise PackDamaged(f"{path} does not have the content hash in its manifest: it was altered; fetch it again")
    return manifest
