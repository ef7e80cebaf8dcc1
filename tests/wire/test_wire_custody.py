"""The chain, batches and acknowledgements: what is signed holds, and every change of it is noticed."""

import os
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from wire.codec import MAX_BODY_BYTES, Malformed, TooLarge, WireError, decode, encode
from wire.custody import Ack, BatchMessage, Nack, make_batch, make_reply, read_batch, read_reply
from wire.entry import NO_HASH, BodyMismatch, ChainBroken, Entry, check_body, follow, make_entry
from wire.signing import BadSignature, Domain, sign, verify, verify_key
from wire.topics import CHANNELS, every_device, parse, topic

JOURNAL = bytes(range(16))
DEVICE = SigningKey(b"\x01" * 32)
FLEET = SigningKey(b"\x02" * 32)


def entries(bodies: list[bytes], *, first: int = 1, prev: bytes = NO_HASH, journal: bytes = JOURNAL) -> list[Entry]:
    """A chain with these bodies."""
    made = []
    for seq, body in enumerate(bodies, first):
        made.append(
            make_entry(
                journal_id=journal, seq=seq, kind="ops.note", kind_version=1, wall_ms=1_790_000_000_000 + seq, clock_trust=2,
                boot_id=b"b" * 16, mono_ms=seq, prev_hash=prev, salt=os.urandom(16), body=body,
            )
        )  # fmt: skip
        prev = made[-1].hash
    return made


def batch(made: list[Entry], key: SigningKey = DEVICE, first: int = 1) -> bytes:
    return make_batch(made, device="nw1", journal_id=JOURNAL, first_seq=first, key=key)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_a_batch_arrives_as_it_was_sent(bodies: list[bytes]) -> None:
    made = entries(bodies)
    received = read_batch(batch(made))
    chain = received.check(DEVICE.verify_key, next_seq=1, prev_hash=NO_HASH)
    assert [digest for _, digest in chain] == [entry.hash for entry in made]
    assert received.message.bodies == bodies


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_no_changed_byte_of_a_batch_goes_unnoticed(data: st.DataObject) -> None:
    raw = bytearray(batch(entries([b"one", b"two"])))
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(WireError):
        read_batch(bytes(raw)).check(DEVICE.verify_key, next_seq=1, prev_hash=NO_HASH)


def test_a_batch_signed_by_another_key_is_refused() -> None:
    with pytest.raises(BadSignature):
        read_batch(batch(entries([b"x"]), key=FLEET)).check(DEVICE.verify_key, next_seq=1, prev_hash=NO_HASH)


def test_a_signature_for_one_purpose_fits_no_other() -> None:
    signature = sign(FLEET, "ack", b"data")
    verify(FLEET.verify_key, "ack", b"data", signature)
    for domain in set(get_args(Domain)) - {"ack"}:
        with pytest.raises(BadSignature):
            verify(FLEET.verify_key, domain, b"data", signature)


@pytest.mark.parametrize("signature", [b"", b"short", bytes(64), bytes(65)])
def test_a_signature_of_any_wrong_shape_is_a_bad_signature(signature: bytes) -> None:
    with pytest.raises(BadSignature):
        verify(FLEET.verify_key, "ack", b"data", signature)


def test_a_key_of_the_wrong_length_is_named() -> None:
    with pytest.raises(Malformed, match="32 bytes, this one 5"):
        verify_key(b"12345")


def test_an_erased_body_leaves_signature_and_chain_valid() -> None:
    made = entries([b"public", b"personal"])
    erased = [made[0], Entry(made[1].header_bytes, b"", b"")]
    assert erased[1].is_erased
    chain = read_batch(batch(erased)).check(DEVICE.verify_key, next_seq=1, prev_hash=NO_HASH)
    assert chain[-1][1] == made[1].hash


def test_a_body_put_in_place_of_another_is_noticed() -> None:
    made = entries([b"good", b"bad"])
    with pytest.raises(BodyMismatch, match="entry 1"):
        check_body(made[0].header, made[0].salt, b"bad")
    with pytest.raises(BodyMismatch):
        check_body(made[0].header, b"", b"good")


def test_a_gap_a_swap_and_another_journal_break_the_chain() -> None:
    made = [entry.header_bytes for entry in entries([b"1", b"2", b"3"])]
    for wrong in ([made[0], made[2]], [made[1], made[0]], made[1:]):
        with pytest.raises(ChainBroken):
            follow(wrong, journal_id=JOURNAL, next_seq=1, prev_hash=NO_HASH)
    with pytest.raises(ChainBroken, match="belongs to journal"):
        follow(made, journal_id=b"z" * 16, next_seq=1, prev_hash=NO_HASH)
    with pytest.raises(ChainBroken, match="hash of entry"):
        follow(made[1:], journal_id=JOURNAL, next_seq=2, prev_hash=b"h" * 32)


def test_a_rewritten_past_breaks_the_chain() -> None:
    old, new = entries([b"a", b"b"]), entries([b"A", b"b"])
    with pytest.raises(ChainBroken):
        follow([new[0].header_bytes, old[1].header_bytes], journal_id=JOURNAL, next_seq=1, prev_hash=NO_HASH)


def test_a_header_of_a_newer_version_is_followed_by_its_bytes() -> None:
    first = entries([b"x"])[0]
    newer = encode([2, *decode(first.header_bytes, list)[1:], {"later": "field"}])
    [(header, digest)] = follow([newer], journal_id=JOURNAL, next_seq=1, prev_hash=NO_HASH)
    assert header.version == 2
    assert digest != first.hash


def test_an_algorithm_this_version_does_not_know_is_named() -> None:
    fields = decode(entries([b"x"])[0].header_bytes, list)
    with pytest.raises(Malformed, match="algorithm 7"):
        follow([encode([1, 7, *fields[2:]])], journal_id=JOURNAL, next_seq=1, prev_hash=NO_HASH)


def test_a_body_over_the_limit_never_enters_a_journal() -> None:
    with pytest.raises(TooLarge, match=str(MAX_BODY_BYTES)):
        entries([b"x" * (MAX_BODY_BYTES + 1)])


def test_salts_and_bodies_must_be_as_many_as_headers() -> None:
    message = decode(batch(entries([b"a", b"b"])), BatchMessage)
    with pytest.raises(Malformed, match="2 headers has 1 salts"):
        read_batch(encode(BatchMessage(1, message.signature, message.signed, message.salts[:1], message.bodies)))


ACK = Ack(1, "nw1", JOURNAL, 7, b"h" * 32, 5, b"i" * 16, 1_790_000_000_000)
NACK = Nack(1, "nw1", JOURNAL, 3, "gap", "entry 7 came where 3 is missing", b"i" * 16, 1_790_000_000_000)


@pytest.mark.parametrize("reply", [ACK, NACK])
def test_an_acknowledgement_is_read_by_its_device(reply: Ack | Nack) -> None:
    assert read_reply(make_reply(reply, FLEET), FLEET.verify_key, device="nw1") == reply


def test_a_forged_acknowledgement_is_refused() -> None:
    with pytest.raises(BadSignature):
        read_reply(make_reply(ACK, DEVICE), FLEET.verify_key, device="nw1")


def test_an_acknowledgement_for_another_device_is_refused() -> None:
    with pytest.raises(Malformed, match="reached nw2"):
        read_reply(make_reply(ACK, FLEET), FLEET.verify_key, device="nw2")


@pytest.mark.parametrize("channel", CHANNELS)
def test_topics_are_read_as_they_are_written(channel: str) -> None:
    text = topic("county", "nw1", channel)  # type: ignore[arg-type]
    assert parse(text) == ("county", "nw1", channel)
    assert every_device(channel).replace("+", "x") == text.replace("county", "x").replace("nw1", "x")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "+", "#", "a/b", "A", "a b", "-a", "中", "a" * 64])
def test_a_name_that_could_be_a_wildcard_never_becomes_a_topic(name: str) -> None:
    with pytest.raises(Malformed):
        topic("county", name, "journal")


@given(st.text(max_size=60))
def test_strange_topics_are_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        parse(text)
