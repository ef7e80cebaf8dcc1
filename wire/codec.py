"""How messages become bytes: MessagePack through msgspec, with a size limit before decoding and one error for all that fails."""

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

MAX_MESSAGE_BYTES = 262_144
"""The largest message but pictures; a batch stays below it."""
MAX_PICTURE_BYTES = 1_048_576
MAX_BODY_BYTES = 65_536
"""The largest body of one journal entry."""

_encoder = msgspec.msgpack.Encoder()
_decoders: dict[Any, msgspec.msgpack.Decoder[Any]] = {}


class WireError(Exception):
    """Base of everything that can be wrong with bytes from outside."""


class Malformed(WireError, ValueError):
    """The bytes are not what their place says they are."""


class TooLarge(WireError, ValueError):
    """More bytes than the limit of this message."""


def encode(value: Any) -> bytes:
    """The MessagePack bytes of a message struct. Raises nothing for the types of this room."""
    return _encoder.encode(value)


def decode(data: bytes | bytearray | memoryview, kind: type[T], *, limit: int = MAX_MESSAGE_BYTES) -> T:
    """Read one message, checking size before anything else and every field's type and range.

    Raises:
        TooLarge: more than `limit` bytes.
        Malformed: not MessagePack, or not a `kind`; the message names the field.
    """
    if len(data) > limit:
        raise TooLarge(f"{kind.__name__} has {len(data)} bytes; the limit is {limit}. Send less at a time")
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.msgpack.Decoder(kind)
    try:
        return decoder.decode(data)  # type: ignore[no-any-return]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Malformed(f"not a valid {kind.__name__}: {error}") from error
