"""All journals of a device as its agent sees them: the face's, read only, and its own for operations."""

import contextlib
from pathlib import Path

import structlog

from runtime import journalfile
from runtime.clock import Clock
from runtime.identity import Identity
from runtime.journal import Journal
from runtime.journalfile import JournalError, JournalFull, JournalReader
from runtime.store import AgentStore, StoreError
from wire.kinds import OpsNote
from wire.messages import Placement

log = structlog.get_logger("runtime.journals")

OPS_FILES = 4
"""The ops budget is spread over so many journals; the oldest one goes as a whole when there is no room."""
MIN_FREE_SHARE = 0.05


class Readers:
    """The open journal files of the device, evidence first, each stream oldest first."""

    def __init__(self, data_dir: Path, identity: Identity) -> None:
        self._data_dir, self._identity = data_dir, identity
        self._open: dict[Path, JournalReader] = {}
        self.unreadable: dict[Path, str] = {}

    def refresh(self) -> None:
        """Look for files that came or went. Unreadable ones are named in `unreadable`."""
        paths = [path for stream in ("evidence", "ops") for path in journalfile.files(self._data_dir, stream)]
        for gone in set(self._open) - set(paths):
            self._open.pop(gone).close()
        self.unreadable = {path: why for path, why in self.unreadable.items() if path in paths}
        for path in paths:
            if path not in self._open:
                try:
                    self._open[path] = JournalReader(path)
                    self.unreadable.pop(path, None)
                except JournalError as error:
                    if path not in self.unreadable:
                        log.warning("a journal cannot be opened", path=str(path), error=str(error))
                    self.unreadable[path] = str(error)

    def all(self) -> list[JournalReader]:
        """Those whose batches this device can sign: journals of another key are history."""
        mine = [reader for reader in self._open.values() if reader.signing_key == self._identity.signing_key]
        return sorted(mine, key=lambda reader: (reader.stream != "evidence", journalfile.file_number(reader.path)))

    def current(self, stream: str) -> JournalReader | None:
        """The stream's newest journal."""
        found = [reader for reader in self.all() if reader.stream == stream]
        return found[-1] if found else None

    def let_go(self, path: Path) -> None:
        """Close one file, because it is about to be deleted."""
        if reader := self._open.pop(path, None):
            reader.close()

    def close(self) -> None:
        """Close all."""
        for reader in self._open.values():
            reader.close()
        self._open.clear()


class OpsJournal:
    """What the agent notes. It never fails its caller: without room its oldest journal is dropped, counted and declared."""

    def __init__(
        self, data_dir: Path, *, identity: Identity, clock: Clock, store: AgentStore, readers: Readers, budget_bytes: int
    ) -> None:
        self._data_dir, self._identity, self._clock = data_dir, identity, clock
        self._store, self._readers = store, readers
        self._budget_bytes = budget_bytes // OPS_FILES
        self._journal: Journal | None = None
        self._uncounted = 0

    @property
    def dropped(self) -> int:
        """How many entries were dropped before the fleet had them, since the device was made."""
        return self._store.number("dropped") + self._uncounted

    @property
    def journal_id(self) -> bytes | None:
        """The current journal, None while none can be written."""
        return self._journal.journal_id if self._journal else None

    def note(self, what: str, **args: object) -> None:
        """Commit one `ops.note`. One that cannot be written counts as dropped."""
        body = OpsNote(what=what, args={name: str(value)[:200] for name, value in args.items()})
        try:
            self._ready().append("ops.note", body)
        except JournalError as error:
            log.warning("a note could not be kept", what=what, error=str(error))
            self._count(1)

    def note_placement(self, placement: Placement) -> None:
        """Record where the device stands, when that is new. One that cannot be written now is when it is next applied."""
        try:
            self._ready().note_placement(placement)
        except JournalError as error:
            log.warning("the placement could not be kept", error=str(error))

    def _count(self, dropped: int) -> None:
        """Keep the count; in memory while the disk does not take it."""
        self._uncounted += dropped
        try:
            self._store.add("dropped", self._uncounted)
        except StoreError as error:
            log.warning("the count of dropped entries cannot be kept", error=str(error))
        else:
            self._uncounted = 0

    def _ready(self) -> Journal:
        if self._journal is None:
            self._journal = self._opened()
        if self._journal.budget_free_share < MIN_FREE_SHARE:
            dropped = self._make_room()
            self._journal.rotate()
            if dropped:
                self._journal.append("ops.note", OpsNote(what="ops.dropped", args={"entries": str(dropped)}))
        return self._journal

    def _opened(self) -> Journal:
        with contextlib.suppress(JournalFull):
            return self._open_once()
        self._make_room()
        return self._open_once()

    def _open_once(self) -> Journal:
        return Journal.open(self._data_dir, "ops", identity=self._identity, clock=self._clock, budget_bytes=self._budget_bytes)

    def _make_room(self) -> int:
        """Delete the oldest journals until OPS_FILES - 1 are left; give how many entries went that the fleet does not have."""
        self._readers.refresh()
        total = 0
        for path in journalfile.files(self._data_dir, "ops")[: 1 - OPS_FILES]:
            dropped = 0
            with contextlib.suppress(JournalError), JournalReader(path) as reader:
                dropped = max(0, reader.last_seq() - self._store.mark(reader.journal_id).in_custody)
            self._delete(path)
            if dropped:
                total += dropped
                self._count(dropped)
                log.warning("operations entries were dropped for space", entries=dropped)
        return total

    def _delete(self, path: Path) -> None:
        self._readers.let_go(path)
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    def apply_archived(self) -> None:
        """Prune what the fleet has archived."""
        if self._journal is None:
            return
        archived = [(reader.journal_id, self._store.mark(reader.journal_id).archived) for reader in self._readers.all()]
        try:
            self._journal.apply_archived(archived)
        except JournalError as error:
            log.warning("operations entries cannot be pruned", error=str(error))
        self._readers.refresh()

    def succeed(self, journal_id: bytes, reason: str) -> None:
        """Go on in a successor when the current journal is damaged or the fleet has closed it."""
        if self._journal is not None and self._journal.journal_id == journal_id:
            try:
                self._journal.close_damaged(reason)
            except JournalError as error:
                log.warning("a successor cannot be made", error=str(error))

    def close(self) -> None:
        """Let go of the journal."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
