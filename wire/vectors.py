"""Test vectors another implementation can check itself against: `python -m wire.vectors > docs/wire-vectors.json`.

Everything is made from fixed seeds, so the same bytes come out forever; a changed vector is a broken format.
"""

import json
from typing import Any

from nacl.signing import SigningKey

from wire.codec import encode
from wire.custody import Ack, Hello, JournalMark, Nack, make_batch, make_reply
from wire.entry import NO_HASH, Entry, make_entry
from wire.kinds import Door, JournalOpened, OpsNote, encode_body
from wire.leaf import LEVEL_POINTS, leaf, receipt_code, scalar
from wire.pairing import Challenge, commitment, make_reveal, pairing_code

DEVICE_SEED, FLEET_SEED = b"\x01" * 32, b"\x02" * 32
JOURNAL, BOOT, INCARNATION = bytes(range(16)), bytes(range(16, 32)), bytes(range(32, 48))
DEVICE = "nwexampledevice001"
BASE_MS = 1_790_000_000_000


def vectors() -> dict[str, Any]:
    """All vectors, bytes as lower-case hex."""
    device, fleet = SigningKey(DEVICE_SEED), SigningKey(FLEET_SEED)
    entries = _entries(device)
    last = entries[-1].hash
    ack = Ack(1, DEVICE, JOURNAL, 3, last, 2, INCARNATION, BASE_MS + 9)
    nack = Nack(1, DEVICE, JOURNAL, 4, "gap", "entry 6 came where 4 is missing", INCARNATION, BASE_MS + 9)
    hello = Hello(1, INCARNATION, [JournalMark(JOURNAL, 1, 3, 3, last, 2)])
    return {
        "about": "Keys are Ed25519 seeds. Signatures cover b'nightwindow/1/<domain>\\0' + signed bytes. See docs/wire.md.",
        "keys": {
            "device_seed": DEVICE_SEED.hex(),
            "device_public": bytes(device.verify_key).hex(),
            "fleet_seed": FLEET_SEED.hex(),
            "fleet_public": bytes(fleet.verify_key).hex(),
        },
        "entries": [_shown(entry) for entry in entries],
        "batch": make_batch(entries, device=DEVICE, journal_id=JOURNAL, first_seq=1, key=device).hex(),
        "batch_after_erasing_entry_3": make_batch(
            [*entries[:2], Entry(entries[2].header_bytes, b"", b"")], device=DEVICE, journal_id=JOURNAL, first_seq=1, key=device
        ).hex(),
        "ack": make_reply(ack, fleet).hex(),
        "nack": make_reply(nack, fleet).hex(),
        "hello": encode(hello).hex(),
        "pairing": _pairing(device),
        "leaves": _leaves(b"\x05" * 32),
    }


def _pairing(device: SigningKey) -> dict[str, str]:
    offer = b"exact offer bytes"
    challenge = Challenge(pairing=JOURNAL, nonce=b"\x07" * 32, ca_certificate=b"not a certificate, only bytes")
    return {
        "offer": offer.hex(),
        "commitment": commitment(offer).hex(),
        "challenge": encode(challenge).hex(),
        "code": pairing_code(offer, challenge),
        "reveal": encode(make_reveal(JOURNAL, offer, device)).hex(),
    }


def _leaves(secret: bytes) -> dict[str, Any]:
    return {
        "secret": secret.hex(),
        "scalar": scalar(secret).hex(),
        "level_points": {str(level): point.hex() for level, point in LEVEL_POINTS.items()},
        "leaf_of_level": {str(level): leaf(level, secret).hex() for level in LEVEL_POINTS},
        "receipt_of_level_5": receipt_code(leaf(5, secret)),
    }


def _entries(device: SigningKey) -> list[Entry]:
    bodies = [
        ("journal.opened", JournalOpened(device=DEVICE, stream="evidence", signing_key=bytes(device.verify_key))),
        ("ops.note", OpsNote(what="link.up", args={"broker": "中"})),
        ("security.door", Door(open=True)),
    ]
    made: list[Entry] = []
    for seq, (kind, body) in enumerate(bodies, 1):
        made.append(
            make_entry(
                journal_id=JOURNAL,
                seq=seq,
                kind=kind,
                kind_version=1,
                wall_ms=BASE_MS + seq,
                clock_trust=2,
                boot_id=BOOT,
                mono_ms=1_000 * seq,
                prev_hash=made[-1].hash if made else NO_HASH,
                salt=bytes([seq]) * 16,
                body=encode_body(kind, body),
            )
        )
    return made


def _shown(entry: Entry) -> dict[str, str]:
    return {"header": entry.header_bytes.hex(), "salt": entry.salt.hex(), "body": entry.body.hex(), "hash": entry.hash.hex()}


if __name__ == "__main__":
    print(json.dumps(vectors(), ensure_ascii=False, indent=1))
