"""Every message and every entry body survives the wire, and nothing but itself is read from it."""

import contextlib
from typing import Any

import msgspec
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from wire import custody, kinds, messages, pairing
from wire.codec import MAX_MESSAGE_BYTES, Malformed, TooLarge, WireError, decode, encode
from wire.entry import Header

LIVE = [
    messages.Presence, messages.DeviceState, messages.Desired, messages.SignedDesired, messages.Command, messages.Report,
    messages.Picture, messages.Ask, messages.Answer, messages.Beacon, messages.Invitation,
]  # fmt: skip
CUSTODY = [custody.Signed, custody.BatchSigned, custody.BatchMessage, custody.Ack, custody.Nack, custody.Hello, Header]
PAIRING = [pairing.Offer, pairing.Commit, pairing.Challenge, pairing.Reveal, pairing.PairingState, pairing.Welcome]
EVERY = [*LIVE, *CUSTODY, *PAIRING, *dict.fromkeys(kinds.KINDS.values()), kinds.PressSecret, kinds.CloseSecret]


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_message_round_trips(kind: type[Any]) -> None:
    @settings(max_examples=25, deadline=None)
    @given(strategies.of(kind))
    def check(value: Any) -> None:
        assert decode(encode(value), kind) == value

    check()


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_random_bytes_never_raise_anything_but_a_wire_error(kind: type[Any]) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.binary(max_size=200))
    def check(data: bytes) -> None:
        with contextlib.suppress(WireError):
            decode(data, kind)

    check()


@pytest.mark.parametrize("kind", LIVE, ids=lambda kind: kind.__name__)
def test_a_newer_sender_may_add_fields(kind: type[Any]) -> None:
    if kind.__struct_config__.array_like:
        newer: Any = lambda value: [*msgspec.to_builtins(value, builtin_types=(bytes,)), "a later field"]  # noqa: E731
    else:
        newer = lambda value: {**msgspec.to_builtins(value, builtin_types=(bytes,)), "later": 1}  # noqa: E731

    @settings(max_examples=10, deadline=None)
    @given(strategies.of(kind))
    def check(value: Any) -> None:
        assert decode(msgspec.msgpack.encode(newer(value)), kind) == value

    check()


def test_an_oversized_message_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(TooLarge, match=f"the limit is {MAX_MESSAGE_BYTES}"):
        decode(b"\xc1" * (MAX_MESSAGE_BYTES + 1), messages.Presence)


def test_deep_nesting_is_malformed_and_not_a_crash() -> None:
    with pytest.raises(Malformed):
        decode(b"\x91" * 200_000, messages.Answer)


def test_a_message_that_lacks_a_field_names_it() -> None:
    with pytest.raises(Malformed, match="connection"):
        decode(msgspec.msgpack.encode({"online": True, "since_ms": 1}), messages.Presence)


@pytest.mark.parametrize("bad", [{"level": 6, "secret": bytes(32)}, {"level": 0, "secret": bytes(32)}, {"level": 5, "secret": b""}])
def test_a_level_or_secret_outside_its_range_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        decode(msgspec.msgpack.encode(bad), kinds.PressSecret)


def test_unknown_kinds_and_versions_are_told_apart_from_damaged_ones() -> None:
    assert kinds.read_body("rating.teleported", 1, b"anything") == kinds.Unknown(kind="rating.teleported", kind_version=1)
    assert kinds.read_body("rating.closed", 9, b"anything") == kinds.Unknown(kind="rating.closed", kind_version=9)
    with pytest.raises(Malformed, match="RatingClosed"):
        kinds.read_body("rating.closed", 1, b"anything")


def test_a_body_cannot_be_written_under_another_kind() -> None:
    with pytest.raises(Malformed, match=r"not the body of rating\.closed"):
        kinds.encode_body("rating.closed", kinds.Door(open=True))


def test_every_kind_has_a_documented_struct() -> None:
    for (kind, version), body in kinds.KINDS.items():
        assert f"`{kind}` {version}" in (body.__doc__ or ""), kind
