"""What stands in the log: each entry is one JSON array without spaces, UTF-8, whose first member tells its kind."""

import hashlib
import json
from typing import Any, Literal

from msgspec import Struct

from wire.tree import leaf_hash

Standing = Literal["counted", "apart", "unreadable"]
"""Settled when a rating enters the log, from what does not depend on its level: `apart` was uninvited or repeats another."""


class Entry(Struct, frozen=True, kw_only=True):
    """One entry to append. `data` is public; the rest is what the fleet keeps of a rating to open sums."""

    data: bytes
    leaf: bytes | None = None
    hall: str | None = None
    window: str | None = None
    standing: Standing | None = None
    arrival: int | None = None
    level: int | None = None
    scalar: bytes | None = None

    @property
    def hash(self) -> bytes:
        """Its leaf hash in the tree: a day's entries are sorted by it, so that their order tells nothing."""
        return leaf_hash(self.data)


def rating(
    leaf: bytes, *, hall: str, window: str, standing: Standing, arrival: int, level: int | None, scalar: bytes | None
) -> Entry:
    """`["rating", leaf, hall, window, standing]`: one closed rating."""
    return Entry(
        data=_data("rating", leaf.hex(), hall, window, standing),
        leaf=leaf,
        hall=hall,
        window=window,
        standing=standing,
        arrival=arrival,
        level=level if standing != "unreadable" else None,
        scalar=scalar if standing != "unreadable" else None,
    )


def day(label: str, ratings: int) -> Entry:
    """`["day", date, ratings]`: a day's batch, also when it has no rating, so that no day can be left out quietly."""
    return Entry(data=_data("day", label, ratings))


def head(size: int, root: bytes) -> Entry:
    """`["head", size, root]`: the head before this batch."""
    return Entry(data=_data("head", size, root.hex()))


def services(label: str, hall: str, window: str, count: int) -> Entry:
    """`["services", date, hall, window, count]`: services given that the log did not have yet; below 0 it takes back."""
    return Entry(data=_data("services", label, hall, window, count))


def device(name: str, key: bytes, role: str, state: Literal["paired", "revoked"]) -> Entry:
    """`["device", name, signing key, role, state]`: a device that may hand over ratings, or no longer."""
    return Entry(data=_data("device", name, key.hex(), role, state))


def certificate(serial: str, subject: str, digest: bytes) -> Entry:
    """`["certificate", serial, subject, SHA-256]`: one that the fleet's authority issued."""
    return Entry(data=_data("certificate", serial, subject, digest.hex()))


def cells(month: str, digest: bytes) -> Entry:
    """`["cells", month, SHA-256]`: a month's statement."""
    return Entry(data=_data("cells", month, digest.hex()))


def _data(*members: Any) -> bytes:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def digest(body: bytes) -> bytes:
    """The hash by which the log holds a statement."""
    return hashlib.sha256(body).digest()
