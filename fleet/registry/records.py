"""What the registry hands out: halls, windows, staff, devices, placements, pairings."""

from typing import Literal

from msgspec import Struct

from wire.messages import Words

Role = Literal["terminal", "evaluator"]


class RegistryError(Exception):
    """Base of what can be wrong with a request to the registry; the message is fit for an operator."""


class NotKnown(RegistryError, LookupError):
    """There is no such tenant, hall, window, device or pairing."""


class Refused(RegistryError, ValueError):
    """The request contradicts what is registered."""


class Tenant(Struct, frozen=True, kw_only=True):
    """One county, usually the only one."""

    name: str
    title: Words


class Area(Struct, frozen=True, kw_only=True):
    """An administrative area, by its official code."""

    code: str
    tenant: str
    title: Words
    parent: str | None = None


class Hall(Struct, frozen=True, kw_only=True):
    """A service hall. `timezone` is an IANA name."""

    code: str
    tenant: str
    title: Words
    area: str | None = None
    timezone: str = "Asia/Shanghai"
    demonstration: bool = False


class Window(Struct, frozen=True, kw_only=True):
    """A service window; `place` is floor and zone as on the signs."""

    hall: str
    number: str
    business: Words
    place: Words
    department: str = ""


class Person(Struct, frozen=True, kw_only=True):
    """A clerk as the citizen sees him; `photo` is JPEG or PNG bytes or empty."""

    hall: str
    number: str
    name: str
    post: Words | None = None
    photo: bytes = b""


class Device(Struct, frozen=True, kw_only=True):
    """A paired device. Revoked ones stay, because their entries do."""

    name: str
    tenant: str
    role: Role
    signing_key: bytes
    model: str
    software: str
    paired_ms: int
    paired_by: str
    revoked_ms: int | None = None
    revoked_by: str | None = None
    revoked_why: str | None = None

    @property
    def is_revoked(self) -> bool:
        """Whether the fleet refuses this device."""
        return self.revoked_ms is not None


class Placing(Struct, frozen=True, kw_only=True):
    """Where a device stood during [from_ms, until_ms); `until_ms` None means still. `window` is empty for terminals."""

    device: str
    hall: str
    window: str
    label: Words
    from_ms: int
    until_ms: int | None
    by: str


class Pairing(Struct, frozen=True, kw_only=True):
    """An enrolment that an operator decides. `code` must equal the one on the device's screen; `peer` is its network address."""

    id: bytes
    state: Literal["committed", "waiting", "approved", "refused", "expired"]
    device: str
    role: Role
    model: str
    software: str
    code: str
    peer: str
    made_ms: int
    expires_ms: int
    decided_by: str | None = None
    decided_ms: int | None = None
