"""The ledger's tree against the definitions of RFC 9162 written out naively: every size, every leaf, every damaged proof."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire.tree import (
    BadProof,
    check_consistency,
    check_inclusion,
    consistency_proof,
    fold,
    frontier,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
)

MOST = 70
LEAVES = [leaf_hash(b"%d" % number) for number in range(MOST)]
RFC_6962_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
RFC_6962_INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
"""The roots and inputs that implementations of certificate transparency test themselves with."""


def naive(leaves: list[bytes]) -> bytes:
    """MTH of section 2.1.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(naive(leaves[:k]), naive(leaves[k:]))


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive(leaves[:k])]


def naive_subproof(m: int, leaves: list[bytes], known: bool) -> list[bytes]:
    """SUBPROOF of section 2.1.4.1."""
    if m == len(leaves):
        return [] if known else [naive(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_subproof(m, leaves[:k], known), naive(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive(leaves[:k])]


def node(height: int, index: int) -> bytes:
    return fold(LEAVES[index << height : (index + 1) << height])


sizes = st.integers(1, MOST)


@pytest.mark.parametrize(("size", "wanted"), RFC_6962_ROOTS.items())
def test_roots_are_those_of_the_published_vectors(size: int, wanted: str) -> None:
    leaves = [leaf_hash(bytes.fromhex(each)) for each in RFC_6962_INPUTS[:size]]
    assert root(size, lambda height, index: fold(leaves[index << height : (index + 1) << height])).hex() == wanted


@given(sizes, st.data())
def test_root_and_inclusion_proof_are_those_of_the_definition_and_check(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, node)
    assert root(size, node) == naive(LEAVES[:size])
    assert proof == naive_path(index, LEAVES[:size])
    check_inclusion(LEAVES[index], index, size, proof, root(size, node))


@given(sizes, sizes)
def test_consistency_proof_is_that_of_the_definition_and_checks(one: int, other: int) -> None:
    first, second = sorted((one, other))
    proof = consistency_proof(first, second, node)
    assert proof == naive_subproof(first, LEAVES[:second], True)
    check_consistency(first, second, proof, root(first, node), root(second, node))


@settings(max_examples=300)
@given(sizes, st.data())
def test_a_damaged_inclusion_proof_never_checks(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof, head, leaf = inclusion_proof(index, size, node), root(size, node), LEAVES[index]
    match data.draw(st.sampled_from(["leaf", "index", "step", "short", "long", "root"])):
        case "leaf":
            leaf = leaf_hash(b"another")
        case "index":
            index = data.draw(st.integers(-1, size + 1).filter(lambda other: other != index))
        case "step" if proof:
            proof[data.draw(st.integers(0, len(proof) - 1))] = leaf_hash(b"another")
        case "short" if proof:
            proof.pop()
        case "long":
            proof.append(leaf_hash(b"another"))
        case _:
            head = leaf_hash(b"another")
    with pytest.raises(BadProof):
        check_inclusion(leaf, index, size, proof, head)


@settings(max_examples=300)
@given(sizes, sizes, st.data())
def test_a_rewritten_past_has_no_consistency_proof_that_checks(one: int, other: int, data: st.DataObject) -> None:
    first, second = sorted((one, other))
    proof, heads = consistency_proof(first, second, node), [root(first, node), root(second, node)]
    match data.draw(st.sampled_from(["first", "second", "step", "short", "long"])):
        case "step" if proof:
            proof[data.draw(st.integers(0, len(proof) - 1))] = leaf_hash(b"another")
        case "short" if proof:
            proof.pop()
        case "long":
            proof.append(leaf_hash(b"another"))
        case "second":
            heads[1] = leaf_hash(b"another")
        case _:
            heads[0] = leaf_hash(b"another")
    with pytest.raises(BadProof):
        check_consistency(first, second, proof, heads[0], heads[1])


@given(st.integers(0, MOST))
def test_the_frontier_folds_into_the_root(size: int) -> None:
    parts = frontier(size, node)
    found = parts.pop() if parts else root(0, node)
    while parts:
        found = node_hash(parts.pop(), found)
    assert found == root(size, node)


def test_leaves_outside_the_tree_have_no_proof() -> None:
    for index in (-1, 5, 6):
        with pytest.raises(ValueError, match="not in a tree of 5"):
            inclusion_proof(index, 5, node)
    for first, second in ((0, 5), (6, 5)):
        with pytest.raises(ValueError, match="at least 1"):
            consistency_proof(first, second, node)
