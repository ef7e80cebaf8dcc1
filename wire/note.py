"""Signed notes and checkpoints as C2SP writes them: https://c2sp.org/signed-note, tlog-checkpoint and tlog-cosignature.

A note is text that ends with a newline, an empty line, and one line a signature. A checkpoint is a note whose text is
origin, size and root of a log. A cosignature v1 signs a checkpoint together with the time at which it was seen.
"""

import base64
import binascii
import hashlib
from typing import NamedTuple

from msgspec import Struct
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from wire.codec import Malformed
from wire.signing import BadSignature

ED25519, COSIGNATURE = 1, 4
MAX_NOTE_BYTES = 65_536
_DASH = "— "


class Signature(NamedTuple):
    """One signature line: the signer's name, the four bytes that tell its key, and what follows them."""

    name: str
    key_id: bytes
    data: bytes


class Note(Struct, frozen=True):
    """A note's text, its final newline included, and its signatures; reading one checks no signature."""

    text: str
    signatures: tuple[Signature, ...]


class Checkpoint(Struct, frozen=True):
    """What a log's head says."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def key_id(name: str, key: bytes, *, kind: int = ED25519) -> bytes:
    """Which key signed: a hint that signatures carry. `kind` is ED25519 for a log, COSIGNATURE for a witness."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def verifier_key(name: str, key: bytes, *, kind: int = ED25519) -> str:
    """A public key as people pass it on: `name+hash+base64`."""
    return f"{name}+{key_id(name, key, kind=kind).hex()}+{base64.b64encode(bytes([kind]) + key).decode()}"


def read_verifier_key(text: str) -> tuple[str, int, bytes]:
    """Name, kind and 32 key bytes of a verifier key. Raises Malformed when it is none, or its hash does not fit."""
    name, _, rest = text.strip().partition("+")
    digest, _, encoded = rest.partition("+")
    raw = _base64(encoded)
    if not _is_name(name) or len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE):
        raise Malformed(f"{text[:80]!r} is no verifier key; it is written name+8 hexadecimal digits+base64 of kind and key")
    if key_id(name, raw[1:], kind=raw[0]).hex() != digest.lower():
        raise Malformed(f"the verifier key of {name} has a mistake in it: its hash does not fit")
    return name, raw[0], raw[1:]


def sign_note(text: str, name: str, key: SigningKey) -> str:
    """The note: text, empty line, signature line. Raises ValueError for text without a final newline or an impossible name."""
    if not text.endswith("\n") or not _is_name(name):
        raise ValueError("a note's text ends with a newline, and a signer's name has neither spaces nor plus signs")
    return f"{text}\n{_line(name, key_id(name, bytes(key.verify_key)), key.sign(text.encode()).signature)}"


def read_note(note: str) -> Note:
    """Text and signatures. Raises Malformed for anything else."""
    if len(note.encode()) > MAX_NOTE_BYTES:
        raise Malformed(f"a note has at most {MAX_NOTE_BYTES} bytes, this one {len(note.encode())}")
    text, middle, lines = note.rpartition("\n\n")
    if not middle or not lines.endswith("\n"):
        raise Malformed("a note is text, an empty line and signature lines; each line ends with a newline")
    return Note(text + "\n", tuple(_read_line(line) for line in lines[:-1].split("\n")))


def check_note(note: Note, name: str, key: bytes) -> None:
    """Return when `name` signed the text with `key`. Raises BadSignature."""
    wanted = key_id(name, key)
    for each in note.signatures:
        if each.name == name and each.key_id == wanted:
            _verify(name, key, note.text.encode(), each.data)
            return
    raise BadSignature(f"{name}: the note has no signature by this key")


def read_checkpoint(text: str) -> Checkpoint:
    """Origin, size and root of a note's text; further lines are extensions and passed over. Raises Malformed."""
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or not lines[1].isascii() or not lines[1].isdecimal() or str(int(lines[1])) != lines[1]:
        raise Malformed("a checkpoint's text is origin, size in decimal and root in base64, each on a line")
    root = _base64(lines[2])
    if len(root) != 32:
        raise Malformed(f"a root has 32 bytes, this one {len(root)}")
    return Checkpoint(lines[0], int(lines[1]), root)


def cosign(text: str, name: str, key: SigningKey, *, seconds: int) -> str:
    """The cosignature line of a witness that saw a checkpoint's text at `seconds` since 1970 and found it consistent."""
    signature = key.sign(_cosigned(text, seconds)).signature
    identity = key_id(name, bytes(key.verify_key), kind=COSIGNATURE)
    return _line(name, identity, seconds.to_bytes(8, "big") + signature)


def check_cosignature(line: str, text: str, name: str, key: bytes) -> int:
    """When the witness saw the checkpoint, in seconds since 1970. Raises Malformed or BadSignature."""
    each = _read_line(line.rstrip("\n"))
    if each.name != name or each.key_id != key_id(name, key, kind=COSIGNATURE) or len(each.data) != 72:
        raise BadSignature(f"{name}: this is no cosignature by this key")
    seconds = int.from_bytes(each.data[:8], "big")
    _verify(name, key, _cosigned(text, seconds), each.data[8:])
    return seconds


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _verify(name: str, key: bytes, message: bytes, signature: bytes) -> None:
    try:
        VerifyKey(key).verify(message, signature)
    except (BadSignatureError, ValueError, TypeError) as error:
        raise BadSignature(f"{name}: the signature does not match; the text was changed or another key signed it") from error


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(letter.isspace() for letter in name)


def _line(name: str, identity: bytes, data: bytes) -> str:
    return f"{_DASH}{name} {base64.b64encode(identity + data).decode()}\n"


def _read_line(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    raw = _base64(encoded)
    if not line.startswith(_DASH) or not _is_name(name) or len(raw) < 5:
        raise Malformed("a signature line is a dash, a name, and base64 of key id and signature")
    return Signature(name, raw[:4], raw[4:])


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return b""
