"""Which devices may hand over, and how far backups reach: read from the registry, kept for a moment."""

import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from nacl.signing import VerifyKey
from sqlalchemy import func, select

from fleet.registry.tables import archives, devices
from fleet.store import Store

REFRESH_S = 1.0
COLUMNS = (devices.c.name, devices.c.tenant, devices.c.signing_key, devices.c.revoked_ms)


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
        """A registered device, revoked or not; None for a stranger.

        A name that is not known is looked up each time: it may have been paired a moment ago, and to be called a stranger
        then would send a technician back to the device. Only holders of a certificate of this fleet can ask.
        """
        if self._monotonic() - self._read_at > REFRESH_S:
            self.refresh()
        if name not in self._devices:
            with self._store.read() as connection:
                row = connection.execute(select(*COLUMNS).where(devices.c.name == name)).one_or_none()
            if row is not None:
                self._devices[name] = _known(None, row)
        return self._devices.get(name)

    def archived(self, journal_id: bytes) -> int:
        """Through which entry a verified backup holds the journal; 0 when none does."""
        return self._archived.get(journal_id, 0)

    def refresh(self) -> set[bytes]:
        """Read everything again; gives the journals whose archived mark has grown."""
        with self._store.read() as connection:
            rows = connection.execute(select(*COLUMNS)).all()
            reach = select(archives.c.journal_id, func.max(archives.c.through_seq)).group_by(archives.c.journal_id)
            archived = {bytes(journal_id): int(seq) for journal_id, seq in connection.execute(reach)}
        old = self._devices
        self._devices = {row.name: _known(old.get(row.name), row) for row in rows}
        grown = {journal_id for journal_id, seq in archived.items() if seq > self._archived.get(journal_id, 0)}
        self._archived = archived
        self._read_at = self._monotonic()
        return grown


def _known(old: Known | None, row: Any) -> Known:
    # Making a key object costs more than reading its row, and keys hardly ever change.
    is_same = old is not None and bytes(old.key) == row.signing_key
    return Known(row.tenant, old.key if old is not None and is_same else VerifyKey(row.signing_key), row.revoked_ms is not None)
