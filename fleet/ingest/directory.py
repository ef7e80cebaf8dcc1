"""Which devices may hand over, and how far backups reach: read from the registry, kept for a moment."""

import time
from collections.abc import Callable

from msgspec import Struct
from nacl.signing import VerifyKey
from sqlalchemy import func, select

from fleet.registry.tables import archives, devices
from fleet.store import Store

REFRESH_S = 1.0
MISS_REFRESH_S = 0.05
"""An unknown name looks again at once, because it may have been paired a moment ago; at most this often."""


class Known(Struct, frozen=True):
    """What ingest needs of a device."""

    tenant: str
    key: VerifyKey
    is_revoked: bool


class Directory:
    """A view of the registry that is at most a second old. `monotonic` counts seconds. Not thread-safe."""

    def __init__(self, store: Store, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._monotonic = monotonic
        self._read_at = float("-inf")
        self._devices: dict[str, Known] = {}
        self._archived: dict[bytes, int] = {}

    def device(self, name: str) -> Known | None:
        """A registered device, revoked or not; None for a stranger."""
        known = self._devices.get(name)
        age = self._monotonic() - self._read_at
        if age > REFRESH_S or (known is None and age > MISS_REFRESH_S):
            self.refresh()
            known = self._devices.get(name)
        return known

    def archived(self, journal_id: bytes) -> int:
        """Through which entry a verified backup holds the journal; 0 when none does."""
        return self._archived.get(journal_id, 0)

    def refresh(self) -> set[bytes]:
        """Read everything again; gives the journals whose archived mark has grown."""
        with self._store.read() as connection:
            rows = connection.execute(select(devices.c.name, devices.c.tenant, devices.c.signing_key, devices.c.revoked_ms)).all()
            reach = select(archives.c.journal_id, func.max(archives.c.through_seq)).group_by(archives.c.journal_id)
            archived = {bytes(journal_id): int(seq) for journal_id, seq in connection.execute(reach)}
        old = self._devices
        self._devices = {name: _known(old.get(name), tenant, key, revoked is not None) for name, tenant, key, revoked in rows}
        grown = {journal_id for journal_id, seq in archived.items() if seq > self._archived.get(journal_id, 0)}
        self._archived = archived
        self._read_at = self._monotonic()
        return grown


def _known(old: Known | None, tenant: str, key: bytes, is_revoked: bool) -> Known:
    # Making a key object costs more than reading its row, and keys hardly ever change.
    if old is not None and bytes(old.key) == key:
        return Known(tenant, old.key, is_revoked)
    return Known(tenant, VerifyKey(key), is_revoked)
