"""Ledger leaves hide their level, bind to it, and add up; receipt codes survive people."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.public import PrivateKey

from wire.codec import Malformed
from wire.kinds import CloseSecret, PressSecret
from wire.leaf import LEVELS, leaf, new_secret, opens, read_receipt_code, receipt_code, scalar, seal, unseal

KEY = PrivateKey(b"\x03" * 32)


@given(st.lists(st.sampled_from(LEVELS), min_size=1, max_size=30))
@settings(max_examples=25, deadline=None)
def test_a_cell_opens_to_its_counts_and_to_no_others(levels: list[int]) -> None:
    secrets = [new_secret() for _ in levels]
    leaves = [leaf(level, secret) for level, secret in zip(levels, secrets, strict=True)]
    counts = {level: levels.count(level) for level in LEVELS}
    scalars = [scalar(secret) for secret in secrets]
    assert opens(leaves, counts, scalars)
    lifted = dict(counts)
    lifted[levels[0]] -= 1
    lifted[5 if levels[0] != 5 else 4] += 1
    assert not opens(leaves, lifted, scalars)
    assert not opens(leaves[1:], counts, scalars)


def test_the_same_level_gives_another_leaf_each_time() -> None:
    assert leaf(5, new_secret()) != leaf(5, new_secret())


def test_a_point_that_is_none_never_opens() -> None:
    assert not opens([b"\xff" * 32], {5: 1}, [bytes(32)])


@pytest.mark.parametrize("level", [0, 6, -1])
def test_there_is_no_leaf_outside_the_five_levels(level: int) -> None:
    with pytest.raises(Malformed):
        leaf(level, new_secret())


def test_a_sealed_press_has_one_size_whatever_the_level() -> None:
    fleet = bytes(KEY.public_key)
    assert len({len(seal(PressSecret(level=level, secret=new_secret()), fleet)) for level in LEVELS}) == 1


@given(st.lists(st.text("abcdefghijklmnopqrstuvwxyz_.", min_size=4, max_size=20), max_size=6, unique=True))
@settings(deadline=None)
def test_sealed_reasons_have_one_size_whichever_and_however_many_they_are(chosen: list[str]) -> None:
    fleet = bytes(KEY.public_key)
    sealed = seal(CloseSecret(reasons=tuple(chosen)), fleet)
    assert len(sealed) == len(seal(CloseSecret(), fleet))
    assert unseal(sealed, KEY, CloseSecret) == CloseSecret(reasons=tuple(chosen))


def test_only_the_fleet_opens_what_was_sealed_to_it() -> None:
    sealed = seal(CloseSecret(reasons=("lv2.no_list",)), bytes(KEY.public_key))
    assert unseal(sealed, KEY, CloseSecret) == CloseSecret(reasons=("lv2.no_list",))
    with pytest.raises(Malformed, match="another fleet"):
        unseal(sealed, PrivateKey.generate(), CloseSecret)
    with pytest.raises(Malformed):
        unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), KEY, CloseSecret)


@given(st.binary(min_size=32, max_size=32))
@settings(deadline=None)
def test_a_receipt_code_is_read_however_it_is_typed(point: bytes) -> None:
    code = receipt_code(point)
    assert read_receipt_code(code) == code
    assert read_receipt_code(f"  {code.lower().replace('-', ' ')} ") == code
    assert read_receipt_code(code.replace("0", "O").replace("1", "l")) == code


def test_every_one_wrong_character_is_noticed() -> None:
    plain = receipt_code(b"any leaf").replace("-", "")
    for position in range(9):
        for letter in "0123456789ABCDEFGHJKMNPQRSTVWXYZ":
            if letter != plain[position]:
                with pytest.raises(Malformed, match="mistake"):
                    read_receipt_code(plain[:position] + letter + plain[position + 1 :])


@given(st.binary(min_size=32, max_size=32), st.integers(0, 7))
@settings(max_examples=200, deadline=None)
def test_two_exchanged_neighbours_are_noticed(point: bytes, position: int) -> None:
    plain = receipt_code(point).replace("-", "")
    swapped = plain[:position] + plain[position + 1] + plain[position] + plain[position + 2 :]
    if swapped != plain:
        with pytest.raises(Malformed, match="mistake"):
            read_receipt_code(swapped)


@pytest.mark.parametrize(("text", "reason"), [("ABC", "9 characters"), ("7K3M-P0XW-U", "never has"), ("", "9 characters")])
def test_a_code_that_cannot_be_one_is_explained(text: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        read_receipt_code(text)
