"""What may be taken into custody: pure judgements over a batch and a journal's high-water mark. No database, no network."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec
from msgspec import Struct
from nacl.signing import VerifyKey

from wire.codec import Malformed, TooLarge, WireError, decode
from wire.custody import JournalMark, NackReason, Received
from wire.entry import MAX_HEADER_BYTES, NO_HASH, BodyMismatch, ChainBroken, Header
from wire.kinds import KINDS, JournalOpened, read_body
from wire.signing import BadSignature, verify

YEAR_MS = 366 * 24 * 3600 * 1000
CLOCK_LIMIT_MS = YEAR_MS
"""A device's clock further off than this is taken and noted."""


FindingKind = Literal[
    "bad_signature",
    "broken_chain",
    "clock",
    "fork",
    "gap",
    "lost_by_restore",
    "malformed",
    "no_opening",
    "not_storable",
    "other_version",
    "oversized",
    "revoked_device",
    "rewound",
    "shelved",
    "unknown_device",
    "wrong_body",
    "wrong_identity",
    "wrong_topic",
]
"""What ingest notes in journal.findings; docs/server.md tells what each means and what to do."""


class Mark(Struct):
    """A journal's high-water mark: the only thing that has to be known to judge its next batch. `no` 0 means: never seen."""

    journal_id: bytes
    device: str
    tenant: str
    no: int = 0
    state: str = "open"
    seq: int = 0
    hash: bytes = NO_HASH


class Taken(Struct, frozen=True):
    """Entries in order: header, hash, and the place of salt and body in the message. Empty for a pure duplicate."""

    entries: list[tuple[Header, bytes, int]]


class Refusal(Struct, frozen=True):
    """Nothing is taken. `finding` names the row of journal.findings, None when it is daily business."""

    reason: NackReason
    detail: str
    finding: FindingKind | None
    seq: int | None = None


class Fork(Struct, frozen=True):
    """The device's past differs from ours at `seq`: both are kept, the journal is quarantined."""

    seq: int
    kept_hash: bytes
    other_hash: bytes


Verdict = Taken | Refusal | Fork
StoredHashes = Callable[[int, int, int], dict[int, bytes]]
"""(journal no, first seq, last seq) → hashes of the stored entries in that range."""


def judge(received: Received, mark: Mark, key: VerifyKey, stored_hashes: StoredHashes) -> Verdict:
    """Decide what becomes of a batch whose device is known. Nothing is believed before the signature fits."""
    content = received.content
    try:
        if mark.state != "open" or content.first_seq > mark.seq + 1:
            verify(key, "batch", received.message.signed, received.message.signature)
            return _out_of_place(content.first_seq, mark)
        chain, joint = _chain(received, mark, key)
    except BadSignature as error:
        return Refusal("signature", str(error), "bad_signature", content.first_seq)
    except ChainBroken as error:
        return Refusal("chain", str(error), "broken_chain", content.first_seq)
    except BodyMismatch as error:
        return Refusal("body", str(error), "wrong_body", content.first_seq)
    except Malformed as error:
        return Refusal("unsupported" if "algorithm" in str(error) else "malformed", str(error), "malformed", content.first_seq)
    return _join(chain, joint, mark, stored_hashes)


def _out_of_place(first_seq: int, mark: Mark) -> Refusal:
    if mark.state != "open":
        return Refusal("quarantined", "this journal forked and stays closed; begin a successor", None, first_seq)
    return Refusal("gap", f"entries from {first_seq} came while {mark.seq + 1} is expected", "gap", first_seq)


def _chain(received: Received, mark: Mark, key: VerifyKey) -> tuple[list[tuple[Header, bytes]], bytes]:
    """The checked headers of the batch and the previous hash that the first of them carries."""
    first_seq = received.content.first_seq
    if first_seq == mark.seq + 1:
        try:
            return received.check(key, next_seq=first_seq, prev_hash=mark.hash), mark.hash
        except ChainBroken:
            pass  # Either broken in itself or grown on another past: only the second is a fork.
    first = decode(received.content.headers[0], Header, limit=MAX_HEADER_BYTES)
    return received.check(key, next_seq=first_seq, prev_hash=first.prev_hash), first.prev_hash


def _join(chain: list[tuple[Header, bytes]], joint: bytes, mark: Mark, stored_hashes: StoredHashes) -> Verdict:
    """Compare the part we already hold; what is left is new."""
    first_seq = chain[0][0].seq
    if first_seq == 1 and joint != NO_HASH:
        return Refusal("chain", "entry 1 carries the hash of an entry before it", "broken_chain", 1)
    if first_seq == mark.seq + 1:
        if joint != mark.hash:
            return Fork(mark.seq, mark.hash, joint)
        return Taken([(header, digest, index) for index, (header, digest) in enumerate(chain)])
    if chain[-1][0].seq >= mark.seq and chain[mark.seq - first_seq][1] == mark.hash:
        # Each hash covers all before it: where the marks agree, the whole past does, and nothing has to be looked up.
        return Taken([(header, digest, index) for index, (header, digest) in enumerate(chain) if header.seq > mark.seq])
    held = stored_hashes(mark.no, max(1, first_seq - 1), min(mark.seq, chain[-1][0].seq))
    if first_seq > 1 and held[first_seq - 1] != joint:
        return Fork(first_seq - 1, held[first_seq - 1], joint)
    for header, digest in chain:
        if header.seq <= mark.seq and held[header.seq] != digest:
            return Fork(header.seq, held[header.seq], digest)
    return Taken([(header, digest, index) for index, (header, digest) in enumerate(chain) if header.seq > mark.seq])


def judge_hello(claim: JournalMark, mark: Mark, stored_hashes: StoredHashes) -> Verdict:
    """Compare what a device says about one of its journals with what we hold; an empty Taken means: acknowledge."""
    if mark.state != "open":
        return Refusal("quarantined", "this journal forked and stays closed; begin a successor", None)
    if claim.in_custody > mark.seq:
        if claim.first_held > mark.seq + 1:
            detail = (
                f"the fleet lost entries {mark.seq + 1} to {claim.first_held - 1} and the device has pruned them; "
                "restore a newer backup, only that one can have them"
            )
            return Refusal("rewind", detail, "lost_by_restore", mark.seq + 1)
        detail = f"the fleet holds {mark.seq} of the {claim.in_custody} entries it once took; it was restored from a backup"
        return Refusal("rewind", detail, "rewound", mark.seq + 1)
    if claim.in_custody:
        last = claim.in_custody
        kept = mark.hash if last == mark.seq else stored_hashes(mark.no, last, last)[last]
        if kept != claim.custody_hash:
            return Fork(claim.in_custody, kept, claim.custody_hash)
    if claim.last_seq < mark.seq:
        return Fork(mark.seq, mark.hash, b"")
    if mark.seq == 0:
        return Refusal("gap", "the fleet has no entry of this journal yet", None)
    return Taken([])


def opening(received: Received, header: Header) -> JournalOpened | None:
    """The body of entry 1, or None when it is erased, of a later release, or not an opening."""
    if header.kind != "journal.opened":
        return None
    try:
        body = read_body(header.kind, header.kind_version, received.message.bodies[0])
    except WireError:
        return None
    return body if isinstance(body, JournalOpened) else None


def is_known(header: Header) -> bool:
    """Whether this release can read the entry; others are shelved."""
    return (header.kind, header.kind_version) in KINDS and header.version == 1


def explain_unreadable(data: bytes, error: WireError) -> tuple[NackReason, FindingKind]:
    """Why bytes are no batch: (reason, name of the finding). Another version is told apart from noise."""
    if isinstance(error, TooLarge):
        return "malformed", "oversized"
    outer = _loose(data)
    inner = _loose(outer[2]) if len(outer) > 2 and isinstance(outer[2], bytes) else []
    if (outer and isinstance(outer[0], int) and outer[0] != 1) or (inner and isinstance(inner[0], int) and inner[0] != 1):
        return "unsupported", "other_version"
    return "malformed", "malformed"


def guess_journal(data: bytes) -> bytes | None:
    """The journal id in a batch that cannot be read otherwise, so that the answer can name it; never trusted further."""
    outer = _loose(data)
    inner = _loose(outer[2]) if len(outer) > 2 and isinstance(outer[2], bytes) else []
    if len(inner) > 2 and isinstance(inner[2], bytes) and len(inner[2]) == 16:
        return inner[2]
    return None


def _loose(data: bytes) -> list[Any]:
    try:
        value = msgspec.msgpack.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return []
    return value if isinstance(value, list) else []
