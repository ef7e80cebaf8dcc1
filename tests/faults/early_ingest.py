"""The control: an ingest that is wrong on purpose. It answers before it has committed anything.

With `--promise archive` it says that a verified backup holds what only this process's memory holds: devices let go of it, and a
fault run that does not lose with it proves nothing. With `--promise custody` it only acknowledges early: devices keep what is not
archived, and send it again when the fleet turns out not to have it (docs/decisions/0019-what-the-control-has-to-promise.md).
Promises that were broken are counted in the file `broken-promises` of the data directory.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from fleet.ingest import process
from fleet.ingest.intake import Intake, Message, Reply
from fleet.ingest.ledger import Ledger
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


class Promises:
    """How far each journal was promised, on the disk, so that the next process can count what was not kept."""

    def __init__(self, data: Path) -> None:
        self._file, self._broken = data / "promises.json", data / "broken-promises"
        self.through: dict[str, int] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def count_broken(self, store: Any) -> None:
        """Add up the entries that were promised and are not in the store."""
        with store.read() as connection:
            ledger = Ledger(connection, now_ms=0)
            ledger.load_marks([bytes.fromhex(each) for each in self.through])
            held = {each: ledger.mark(bytes.fromhex(each), device="", tenant="").seq for each in self.through}
        broken = sum(max(0, through - held[each]) for each, through in self.through.items())
        before = int(self._broken.read_text()) if self._broken.exists() else 0
        self._broken.write_text(str(before + broken))
        self.through = held

    def save(self) -> None:
        """Write down what is promised, before it is."""
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(self.through))
        os.replace(draft, self._file)


class EarlyIntake(Intake):
    """Promises first, commits every few seconds."""

    def __init__(self, real: Intake, promises: Promises, *, archive: bool) -> None:
        super().__init__(Rehearsal(real._store), real._directory, real._key)  # type: ignore[arg-type]
        self._real, self._promised = real, list[Message]()
        self._promises, self._archive = promises, archive
        self._commit_at = time.monotonic() + COMMIT_EVERY_S

    def take(self, messages: Sequence[Message]) -> list[Reply]:
        """Answer as if everything were committed."""
        self._promised += messages
        replies = super().take(self._promised)
        self._promises.save()
        if time.monotonic() >= self._commit_at:
            self._real.take(self._promised)
            self._promised, self._commit_at = [], time.monotonic() + COMMIT_EVERY_S
        return replies

    def _ack(self, mark: Any) -> Ack:
        ack = super()._ack(mark)
        self._promises.through[ack.journal_id.hex()] = ack.through_seq
        return replace(ack, archived_through=ack.through_seq) if self._archive else ack


@click.command()
@click.option("--promise", type=click.Choice(["custody", "archive"]), required=True)
@click.option("--data", type=click.Path(path_type=Path), required=True)
def main(promise: str, data: Path) -> None:
    """As `nw-fleet ingest`, but early."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    store, worker = process.build(data)
    promises = Promises(data)
    promises.count_broken(store)
    worker._intake = EarlyIntake(worker._intake, promises, archive=promise == "archive")
    worker.run(is_stopping=stopping.is_set)
    store.close()


if __name__ == "__main__":
    main()
