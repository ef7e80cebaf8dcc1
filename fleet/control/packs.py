"""Content packs on the server: files kept by their SHA-256, and which one each hall shows."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct
from sqlalchemy import delete, insert, select

from fleet.access import audit
from fleet.control.tables import content_packs
from fleet.store import Store
from wire.messages import ContentRef

MAX_PACK_BYTES = 2**30


class PackRow(Struct, frozen=True, kw_only=True):
    """A published pack."""

    sha256: bytes
    hall: str
    version: str
    size: int
    built_ms: int
    published_ms: int
    published_by: str


class Packs:
    """Published packs. `folder` is what the door serves: one file a pack, named by its SHA-256 in hex."""

    def __init__(self, store: Store, folder: Path, *, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._store = store
        self.folder = folder
        self._clock_ms = clock_ms

    def publish(self, hall: str, file: Path, *, version: str, manifest: bytes, built_ms: int, by: str) -> ContentRef:
        """Keep a built pack and make it the hall's content from now on; publishing the same bytes again is harmless.

        The file is complete on the disk before the store names it. Raises ValueError for an empty or oversized file.
        """
        size = file.stat().st_size
        if not 0 < size <= MAX_PACK_BYTES:
            raise ValueError(f"{file.name} has {size} bytes; a pack has 1 to {MAX_PACK_BYTES}")
        digest = hashlib.sha256()
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{os.getpid()}.new"
        with file.open("rb") as source, draft.open("wb") as target:
            while chunk := source.read(1 << 20):
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        sha256 = digest.digest()
        draft.replace(self.folder / sha256.hex())
        now = self._clock_ms()
        values = {"sha256": sha256, "hall": hall, "version": version, "size": size, "manifest": manifest, "built_ms": built_ms}
        with self._store.write() as connection:
            connection.execute(delete(content_packs).where(content_packs.c.sha256 == sha256))
            connection.execute(insert(content_packs).values(**values, published_ms=now, published_by=by))
            audit.append(
                connection, at_ms=now, actor=by, action="pack.publish", subject=hall, detail=f"{version} {sha256.hex()[:16]}"
            )
        return ContentRef(version=version, sha256=sha256, size=size, manifest=manifest)

    def current(self, hall: str) -> ContentRef | None:
        """What a hall's devices should show, or None while nothing was published."""
        query = select(content_packs).where(content_packs.c.hall == hall).order_by(content_packs.c.published_ms.desc()).limit(1)
        with self._store.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return ContentRef(version=row.version, sha256=bytes(row.sha256), size=row.size, manifest=bytes(row.manifest))

    def history(self, hall: str) -> list[PackRow]:
        """All published packs of a hall, newest first."""
        columns = [content_packs.c[field] for field in PackRow.__struct_fields__]
        query = select(*columns).where(content_packs.c.hall == hall).order_by(content_packs.c.published_ms.desc())
        with self._store.read() as connection:
            return [PackRow(**row) for row in connection.execute(query).mappings()]
