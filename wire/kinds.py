"""The kinds of journal entries and the bodies they carry, each with its version. Bodies are MessagePack maps.

A fleet shelves kinds and versions it does not know and replays them after an upgrade; so adding one here is always safe,
changing the meaning of one never is.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from wire.codec import MAX_BODY_BYTES, Malformed, decode, encode
from wire.entry import Hash, Id16, Seq
from wire.messages import Invitation, Key, Name, Placement

Level = Annotated[int, Meta(ge=1, le=5)]
"""5 非常满意 · 4 满意 · 3 基本满意 · 2 不满意 · 1 非常不满意."""
Sealed = Annotated[bytes, Meta(max_length=16_384)]
"""A libsodium sealed box to the fleet's key; only the fleet opens it, not even the device that made it."""
Point = Annotated[bytes, Meta(min_length=32, max_length=32)]
Language = Literal["zh", "ko", "en"]
Profile = Literal["standard", "elder", "contrast", "keypad"]


class Predecessor(Struct, frozen=True, kw_only=True):
    """The journal before this one. `gap` tells why entries after `last_seq` may be missing; None when nothing is."""

    journal_id: Id16
    last_seq: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    last_hash: Hash
    gap: Name | None = None


class JournalOpened(Struct, frozen=True, kw_only=True):
    """`journal.opened` 1: always entry 1. Names the key that signs this journal's batches."""

    device: Key
    stream: Literal["evidence", "ops"]
    signing_key: Hash
    placement: Placement | None = None
    predecessor: Predecessor | None = None


class PlacementChanged(Struct, frozen=True, kw_only=True):
    """`placement.changed` 1."""

    placement: Placement


class RatingInvited(Struct, frozen=True, kw_only=True):
    """`rating.invited` 1: a service occasion was announced and the screen asked for a rating."""

    invitation: Invitation


class BoxPress(Struct, frozen=True, kw_only=True):
    """Which press of a button box an entry records: a box sends it again until it is recorded, and by this it is recorded once.

    `age_ms` is how long ago it was made when it arrived; None when the box cannot know, because it was without power since.
    """

    box: Key
    number: Annotated[int, Meta(ge=0, lt=2**32)]
    age_ms: Annotated[int, Meta(ge=0, lt=2**53)] | None = None


class RatingPressed(Struct, frozen=True, kw_only=True):
    """`rating.pressed` 1 and `rating.amended` 1: one press. The last one before the close stands.

    `leaf` commits to the level (wire.leaf), `sealed` holds a PressSecret. `occasion` is None for an uninvited press,
    which is kept and never counted in rates. `box` is there when a button box made the press.
    """

    rating: Id16
    occasion: Id16 | None
    via: Literal["touch", "button", "key"]
    leaf: Point
    sealed: Sealed
    box: BoxPress | None = None


class PressSecret(Struct, frozen=True, kw_only=True):
    """What `RatingPressed.sealed` holds: the level and the secret that opens its leaf."""

    level: Level
    secret: Hash


class RatingClosed(Struct, frozen=True, kw_only=True):
    """`rating.closed` 1: the occasion is over. For `rated`, `standing` is the seq of the press that stands and `leaf` its leaf.
    The press is in this journal, or, when a damage came between, in the one before.

    `how` tells what ended it; `recovered` means the device closed it after a restart. `sealed` holds a CloseSecret.
    """

    rating: Id16
    occasion: Id16 | None
    outcome: Literal["rated", "not_rated", "uninvited"]
    how: Literal["done", "skip", "timeout", "withdrawn", "recovered", "left"]
    standing: Seq | None = None
    leaf: Point | None = None
    tag_set: Name = ""
    sealed: Sealed | None = None
    language: Language = "zh"
    profile: Profile = "standard"
    duration_ms: Annotated[int, Meta(ge=0, lt=2**53)] = 0


class CloseSecret(Struct, frozen=True, kw_only=True):
    """What `RatingClosed.sealed` holds: the reasons chosen, by id of the tag set."""

    reasons: Annotated[tuple[Key, ...], Meta(max_length=32)] = ()


class SessionOpened(Struct, frozen=True, kw_only=True):
    """`session.opened` 1: a visitor began at a terminal. It says nothing of who."""

    session: Id16


class SessionClosed(Struct, frozen=True, kw_only=True):
    """`session.closed` 1: and everything personal of it is gone."""

    session: Id16
    how: Literal["done", "timeout", "door", "power", "restart", "face_lost"]
    matters: Annotated[tuple[Key, ...], Meta(max_length=64)] = ()
    """What was done, by kind: guide, notice, scenario, search, help."""
    duration_ms: Annotated[int, Meta(ge=0, lt=2**53)] = 0


class PrintFinished(Struct, frozen=True, kw_only=True):
    """`print.finished` 1: what became of one print job, and how that is known."""

    job: Key
    what: Literal["notice", "scenario_notice", "receipt", "test"]
    outcome: Literal["printed", "not_printed", "unknown"]
    reason: Key | None = None
    evidence: Name = ""
    item_codes: Annotated[tuple[Name, ...], Meta(max_length=32)] = ()
    session: Id16 | None = None


class PrintAsked(Struct, frozen=True, kw_only=True):
    """`print.asked` 1: committed before the printer gets a byte, so that a cut leaves a job with unknown outcome, not none."""

    job: Key
    what: Literal["notice", "scenario_notice", "receipt", "test"]
    session: Id16 | None = None


class Door(Struct, frozen=True, kw_only=True):
    """`security.door` 1: a contact of the cabinet, a door or one against tampering, was opened or closed again.

    `contact` is its section in hal: door, door_back, tamper.
    """

    open: bool
    contact: Key = "door"


class PowerChanged(Struct, frozen=True, kw_only=True):
    """`power.changed` 1: where the device's power comes from now, as its UPS says. `low`: it shuts down."""

    state: Literal["mains", "battery", "low", "unknown"]
    charge: Annotated[int, Meta(ge=0, le=100)] | None = None
    runtime_s: Annotated[int, Meta(ge=0, lt=2**53)] | None = None


class OpsNote(Struct, frozen=True, kw_only=True):
    """`ops.note` 1: something an agent saw: `what` is a message id (docs/messages.md), `args` fill it."""

    what: Key
    args: dict[str, Name] = {}


class Unknown(Struct, frozen=True, kw_only=True):
    """A body of a kind or version this release does not know: shelved as it is."""

    kind: str
    kind_version: int


KINDS: dict[tuple[str, int], type[Struct]] = {
    ("journal.opened", 1): JournalOpened,
    ("placement.changed", 1): PlacementChanged,
    ("rating.invited", 1): RatingInvited,
    ("rating.pressed", 1): RatingPressed,
    ("rating.amended", 1): RatingPressed,
    ("rating.closed", 1): RatingClosed,
    ("session.opened", 1): SessionOpened,
    ("session.closed", 1): SessionClosed,
    ("print.asked", 1): PrintAsked,
    ("print.finished", 1): PrintFinished,
    ("security.door", 1): Door,
    ("power.changed", 1): PowerChanged,
    ("ops.note", 1): OpsNote,
}


def encode_body(kind: str, body: Struct, *, version: int = 1) -> bytes:
    """The bytes of a body. Raises Malformed when `body` is not of that kind and version."""
    if KINDS.get((kind, version)) is not type(body):
        raise Malformed(f"{type(body).__name__} is not the body of {kind} version {version}")
    return encode(body)


def read_body(kind: str, version: int, body: bytes) -> Any:
    """The decoded body, or `Unknown` for a kind or version of another release.

    Raises Malformed when the kind is known and the bytes are not one of it.
    """
    known = KINDS.get((kind, version))
    if known is None:
        return Unknown(kind=kind, kind_version=version)
    return decode(body, known, limit=MAX_BODY_BYTES)
