"""Test vectors for other implementations: `python -m fleet.ratings.ledger.vectors > docs/ledger-vectors.json`.

Everything is made from fixed seeds, so the same bytes come out forever; a changed vector is a broken format.
"""

import hashlib
import json
from typing import Any

from nacl.signing import SigningKey

from fleet.ratings.ledger import entries
from fleet.ratings.ledger.cells import ORDER, commitment
from fleet.ratings.ledger.partition import partition
from wire.leaf import leaf, receipt_code, scalar
from wire.note import COSIGNATURE, Checkpoint, cosign, sign_note, verifier_key
from wire.tree import consistency_proof, fold, inclusion_proof, root

FLEET_SEED, WITNESS_SEED = b"\x02" * 32, b"\x03" * 32
ORIGIN, WITNESS, SEEN_S = "nightwindow/county", "example-witness", 1_790_000_000
LEVELS = (5, 5, 4, 3, 5, 2, 1, 4, 5, 5)
WAITING = {("yunxi", "01"): 23, ("yunxi", "02"): 7, ("yunxi", "03"): 5, ("niuhe", "01"): 9, ("niuhe", "02"): 4}


def vectors() -> dict[str, Any]:
    """All vectors, bytes as lower-case hex."""
    fleet, witness = SigningKey(FLEET_SEED), SigningKey(WITNESS_SEED)
    secrets = [hashlib.sha256(b"ledger vector %d" % number).digest() for number in range(len(LEVELS))]
    leaves = [leaf(level, secret) for level, secret in zip(LEVELS, secrets, strict=True)]
    batch = [entries.rating(each, hall="yunxi", window="01", standing="counted", arrival=0, level=5, scalar=b"") for each in leaves]
    batch += [
        entries.day("2026-11-22", len(leaves)),
        entries.services("2026-11-22", "yunxi", "01", 31),
        entries.device("nwexampledevice001", bytes(32), "evaluator", "paired"),
        entries.certificate("2a", "nwexampledevice001", bytes(32)),
        entries.cells("2026-10", bytes(32)),
        entries.head(7, bytes(32)),
    ]
    batch.sort(key=lambda entry: entry.hash)
    hashes = [entry.hash for entry in batch]

    def node(height: int, index: int) -> bytes:
        return fold(hashes[index << height : (index + 1) << height])

    head = Checkpoint(ORIGIN, len(batch), root(len(batch), node))
    total = sum(int.from_bytes(scalar(secret), "little") for secret in secrets) % ORDER
    return {
        "about": "See docs/ledger.md. Keys are Ed25519 seeds; entries stand in the order of the log.",
        "keys": {
            "fleet_seed": FLEET_SEED.hex(),
            "fleet": verifier_key(ORIGIN, bytes(fleet.verify_key)),
            "witness_seed": WITNESS_SEED.hex(),
            "witness": verifier_key(WITNESS, bytes(witness.verify_key), kind=COSIGNATURE),
        },
        "entries": [{"data": entry.data.decode(), "hash": entry.hash.hex()} for entry in batch],
        "roots": [root(size, node).hex() for size in range(len(batch) + 1)],
        "inclusion_of_each": [[step.hex() for step in inclusion_proof(at, len(batch), node)] for at in range(len(batch))],
        "consistency_from_each": [
            [step.hex() for step in consistency_proof(size, len(batch), node)] for size in range(1, len(batch) + 1)
        ],
        "checkpoint": sign_note(head.text, ORIGIN, fleet),
        "cosignature": cosign(head.text, WITNESS, witness, seconds=SEEN_S),
        "cell": {
            "leaves": [each.hex() for each in leaves],
            "receipts": [receipt_code(each) for each in leaves],
            "n": len(LEVELS),
            "levels": {str(level): LEVELS.count(level) for level in (5, 4, 3, 2, 1)},
            "sum": total.to_bytes(32, "little").hex(),
        },
        "partition": {
            "waiting": [[*place, count] for place, count in WAITING.items()],
            "cells": [{"kind": part.kind, "places": [list(place) for place in part.places]} for part in partition(WAITING)],
        },
        "exclusion": {"salt": bytes(16).hex(), "leaf": leaves[0].hex(), "commitment": commitment(bytes(16), leaves[0]).hex()},
    }


if __name__ == "__main__":
    print(json.dumps(vectors(), ensure_ascii=False, indent=1))
