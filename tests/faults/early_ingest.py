"""The control: an ingest that is wrong on purpose. It acknowledges custody, archive included, before it has committed anything.

Devices then let go of entries that only this process's memory holds. A fault run that does not lose with it proves nothing.
"""

import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from fleet.ingest import process
from fleet.ingest.intake import Intake, Message, Reply
from wire.custody import Ack

COMMIT_EVERY_S = 3.0


class _Undone(Exception):
    pass


class Rehearsal:
    """A store whose writes are all rolled back."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def write(self) -> Iterator[Any]:
        """A transaction that never was."""
        try:
            with self._store.write() as connection:
                yield connection
                raise _Undone
        except _Undone:
            return


class EarlyIntake(Intake):
    """Promises first, commits every few seconds."""

    def __init__(self, real: Intake) -> None:
        super().__init__(Rehearsal(real._store), real._directory, real._key)  # type: ignore[arg-type]
        self._real, self._promised = real, list[Message]()
        self._commit_at = time.monotonic() + COMMIT_EVERY_S

    def take(self, messages: Sequence[Message]) -> list[Reply]:
        """Answer as if everything were committed and archived."""
        self._promised += messages
        replies = super().take(self._promised)
        if time.monotonic() >= self._commit_at:
            self._real.take(self._promised)
            self._promised, self._commit_at = [], time.monotonic() + COMMIT_EVERY_S
        return replies

    def _ack(self, mark: Any) -> Ack:
        ack = super()._ack(mark)
        return replace(ack, archived_through=ack.through_seq)


def main(data: Path) -> None:
    """As `nw-fleet ingest`, but early."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    store, worker = process.build(data)
    worker._intake = EarlyIntake(worker._intake)
    worker.run(is_stopping=stopping.is_set)
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[sys.argv.index("--data") + 1]))
