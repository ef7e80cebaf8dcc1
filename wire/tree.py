"""The ledger's Merkle tree after RFC 9162 section 2.1: hashes, inclusion and consistency proofs, and checking them.

Pure functions over a `node(height, index)` that gives the hash of the complete subtree of 2**height leaves beginning at
leaf `index << height`. Whoever stores the tree decides how; who checks a proof needs no store at all.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

HASH_BYTES = 32
Node = Callable[[int, int], bytes]
EMPTY_ROOT = hashlib.sha256(b"").digest()


class BadProof(ValueError):
    """A proof does not lead to the root it was given for."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of one entry's exact bytes."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root of a complete subtree from its 2**n hashes of one height."""
    row = hashes
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def root(size: int, node: Node) -> bytes:
    """The root of the first `size` leaves."""
    return _range(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves. Raises ValueError for a leaf that the tree does not have."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves; give 0 to {size - 1}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range(middle, end, node))
            end = middle
        else:
            path.append(_range(start, middle, node))
            start = middle
    return path[::-1]


def consistency_proof(first: int, second: int, node: Node) -> list[bytes]:
    """The proof that the tree of `second` leaves begins with that of `first`. Raises ValueError unless 0 < first <= second."""
    if not 0 < first <= second:
        raise ValueError(f"sizes are {first} and {second}; the first is at least 1 and not beyond the second")
    path: list[bytes] = []
    start, end, is_known = 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_range(middle, end, node))
            end = middle
        else:
            path.append(_range(start, middle, node))
            start, is_known = middle, False
    if not is_known:
        path.append(_range(start, end, node))
    return path[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, proof: Iterable[bytes], root_hash: bytes) -> None:
    """Return when `leaf` (its hash) is number `index` in the tree (RFC 9162, 2.1.3.2). Raises BadProof."""
    if not 0 <= index < size:
        raise BadProof(f"leaf {index} is not in a tree of {size} leaves")
    place, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise BadProof("the inclusion proof is too long")
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    if last or found != root_hash:
        raise BadProof("the inclusion proof does not lead to the root")


def check_consistency(first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes) -> None:
    """Return when the larger tree begins with the smaller (RFC 9162, 2.1.4.2). Raises BadProof."""
    if not 0 <= first <= second:
        raise BadProof(f"a tree of {second} leaves cannot begin with one of {first}")
    if first == 0 or first == second:
        # Every tree begins with the empty one; equal sizes have equal roots, and nothing to prove between them.
        if proof or (first and first_root != second_root) or (not first and first_root != EMPTY_ROOT):
            raise BadProof("two trees of one size have different roots, or the proof should be empty")
        return
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    if not path:
        raise BadProof("the consistency proof is empty")
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            raise BadProof("the consistency proof is too long")
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    if last or old != first_root or new != second_root:
        raise BadProof("the consistency proof does not lead to both roots")


def frontier(size: int, node: Node) -> list[bytes]:
    """The hashes of the complete subtrees that the first `size` leaves fall into, largest first: enough to go on appending."""
    found, start = [], 0
    for height in range(size.bit_length() - 1, -1, -1):
        if size >> height & 1:
            found.append(node(height, start >> height))
            start += 1 << height
    return found


def _split(count: int) -> int:
    """The largest power of two below `count` (at least 2)."""
    return 1 << (count - 1).bit_length() - 1


def _range(start: int, end: int, node: Node) -> bytes:
    """The root over leaves start–end; `start` is a multiple of the power of two that covers them."""
    count = end - start
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return node(height, start >> height)
    middle = start + _split(count)
    return node_hash(node((middle - start).bit_length() - 1, start >> (middle - start).bit_length() - 1), _range(middle, end, node))
