"""Live messages: presence, state, desired configuration, commands, questions. Last value wins; none of them is journaled.

All are maps with named fields, so that either side may be newer: unknown fields are ignored, new ones have defaults.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from wire.entry import Hash, Id16, Millis

Name = Annotated[str, Meta(max_length=200)]
Note = Annotated[str, Meta(max_length=2_000)]
Key = Annotated[str, Meta(min_length=1, max_length=64)]
Words = dict[Literal["zh", "ko", "en"], Name]
"""A short text in the product's languages; `zh` is always there."""


class Presence(Struct, frozen=True, kw_only=True):
    """Retained, and the last will with online=False. `connection` grows with every connection of a device, so that an old will
    cannot overrule a newer birth. `since_ms` is the device's clock."""

    online: bool
    connection: Annotated[int, Meta(ge=0, lt=2**53)]
    since_ms: Millis
    reason: Name = ""


class PartHealth(Struct, frozen=True, kw_only=True):
    """How one part of a device is. `reason` and `next_step` are message ids (docs/messages.md), `args` fill them."""

    part: Key
    state: Literal["ok", "degraded", "down", "unknown", "absent"]
    reason: Key | None = None
    next_step: Key | None = None
    args: dict[str, Name] = {}
    since_ms: Millis


class DeviceState(Struct, frozen=True, kw_only=True):
    """Retained: what a device reports of itself. Republished after the broker lost it."""

    role: Literal["terminal", "evaluator"]
    at_ms: Millis
    boot_id: Id16
    clock_trust: Annotated[int, Meta(ge=0, le=2)]
    software: Name
    face: Literal["up", "down", "hung", "starting"]
    face_since_ms: Millis
    screen: Name = ""
    """The screen shown, by its name; never its content."""
    parts: Annotated[tuple[PartHealth, ...], Meta(max_length=64)] = ()
    configuration_version: Annotated[int, Meta(ge=0)] = 0
    content_version: Name = ""
    waiting_entries: Annotated[int, Meta(ge=0)] = 0
    dropped_entries: Annotated[int, Meta(ge=0)] = 0
    evidence_free: Annotated[float, Meta(ge=0, le=1)] = 1.0
    """Share of the evidence budget that is free; 0 means ratings are paused."""
    levels: dict[Key, float] = {}
    """Consumables and gauges by name, for example paper_m, cpu_temperature_c, disk_free_mb."""


class ContentRef(Struct, frozen=True, kw_only=True):
    """Which content pack a device should show, and how to know that it is the right one."""

    version: Name
    sha256: Hash
    size: Annotated[int, Meta(ge=1, le=2**31)]
    manifest: bytes
    """The signed manifest of the pack (docs/items.md)."""


class Clerk(Struct, frozen=True, kw_only=True):
    """The clerk's card at a window. `photo` is a JPEG or PNG, or empty."""

    number: Name
    name: Name
    post: Words | None = None
    badges: tuple[Words, ...] = ()
    photo: Annotated[bytes, Meta(max_length=49_152)] = b""


class WindowCard(Struct, frozen=True, kw_only=True):
    """What an evaluator shows of its window."""

    number: Name
    business: Words
    place: Words
    state: Literal["serving", "paused", "closed"] = "serving"
    clerk: Clerk | None = None
    ticket: Name = ""


class Placement(Struct, frozen=True, kw_only=True):
    """Where the fleet has put a device."""

    hall: Key
    hall_name: Words
    label: Words
    """How the device is called on its screen, for example 24小时自助服务区 · 1号机."""
    window: Name = ""
    demonstration: bool = False


class Desired(Struct, frozen=True, kw_only=True):
    """Retained: what the fleet wants of one device. A device reports the version it has applied."""

    version: Annotated[int, Meta(ge=1)]
    device: Key
    placement: Placement
    window: WindowCard | None = None
    content: ContentRef | None = None
    settings: dict[Key, str | int | float | bool] = {}
    """Overrides of the device's own configuration file, by dotted name."""
    seal_key: Hash
    """The fleet's X25519 key to which rating contents are sealed."""
    notice: Words | None = None


class SignedDesired(Struct, frozen=True, array_like=True):
    """Exact bytes of a Desired with the fleet's signature (domain `desired`), so that a device may keep and trust it offline."""

    version: Literal[1]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]
    signed: Annotated[bytes, Meta(max_length=131_072)]


class Invitation(Struct, frozen=True, kw_only=True):
    """A service occasion to be rated, as the clerk's side announces it. It carries no personal data."""

    occasion: Id16
    stage: Literal["consult", "accept", "finish", "selfservice"]
    item_code: Name = ""
    item_name: Words | None = None
    case_tail: Annotated[str, Meta(max_length=8)] = ""
    """The last characters of the case number: enough for the citizen to recognise it."""
    ticket: Annotated[str, Meta(max_length=16)] = ""
    clerk_number: Name = ""
    expires_ms: Millis


class Command(Struct, frozen=True, kw_only=True):
    """An order to a device. It is done only when the device says so, and dies at `expires_ms`."""

    id: Id16
    verb: Literal["identify", "restart_face", "picture", "apply_configuration", "pull_content", "invite", "withdraw"]
    issued_ms: Millis
    expires_ms: Millis
    invitation: Invitation | None = None
    occasion: Id16 | None = None
    """For `withdraw`: which invitation is taken back."""


class CommandHead(Struct, frozen=True, kw_only=True):
    """What every version of a Command has: enough to say which one is not understood."""

    id: Id16
    verb: Key


class Report(Struct, frozen=True, kw_only=True):
    """What became of a command. `detail` is a message id, `args` fill it."""

    command: Id16
    state: Literal["received", "running", "done", "failed", "refused", "expired"]
    at_ms: Millis
    detail: Key | None = None
    args: dict[str, Name] = {}


class Picture(Struct, frozen=True, kw_only=True):
    """The masked picture of a screen that a `picture` command asked for. `png` stays below MAX_PICTURE_BYTES."""

    command: Id16
    at_ms: Millis
    screen: Name
    png: bytes


class Ask(Struct, frozen=True, kw_only=True):
    """A question with a deadline. MQTT's response topic and correlation data say where the answer goes; the fleet answers
    only on the asking device's own `answer` channel."""

    what: Literal["help", "help_state"]
    args: dict[Key, Name] = {}
    deadline_ms: Millis


class Answer(Struct, frozen=True, kw_only=True):
    """The answer to an Ask: `unknown` when there is nothing to tell, `refused` with the reason in `note` (a message id)."""

    status: Literal["ok", "unknown", "refused"]
    fields: dict[Key, Name] = {}
    note: Key | None = None


class Beacon(Struct, frozen=True, kw_only=True):
    """Retained on `BEACON_TOPIC`, signed (domain `beacon`) inside wire.custody.Signed: which fleet this is.

    A device that sees another incarnation than before sends its Hello again: a restored fleet then asks for what it lost.
    """

    incarnation: Id16
    software: Name
