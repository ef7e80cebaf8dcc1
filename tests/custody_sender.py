"""A device's end of custody with real files, and nothing between it and the fleet."""

from pathlib import Path
from typing import Any

from runtime.clock import FakeClock
from runtime.custody import Custody
from runtime.identity import Identity, signing_key
from runtime.journals import Readers
from runtime.store import AgentStore


class Sender:
    """A device's end of custody with real files, and nothing between it and the fleet."""

    def __init__(self, directory: Path, identity: Identity, fleet: Any, clock: FakeClock) -> None:
        self.directory, self.identity, self.fleet, self.clock = directory, identity, fleet, clock
        self.store = AgentStore(directory / "agent.db")
        self.readers = Readers(directory, identity)
        self.readers.refresh()
        self.custody = self.new_custody()
        self.events: list[Any] = []

    def new_custody(self) -> Custody:
        return Custody(
            device=self.identity.device,
            key=signing_key(self.identity.directory),
            fleet_key=self.fleet.key.verify_key,
            store=self.store,
            readers=self.readers.all,
        )

    @property
    def now_ms(self) -> int:
        return self.clock.mono_ms

    def batch(self) -> Any:
        self.readers.refresh()
        batch, events = self.custody.next_batch(self.now_ms)
        self.events += events
        return batch

    def hello(self) -> None:
        """A Hello and all its answers."""
        self.readers.refresh()
        for reply in self.fleet.take_hello(self.identity.device, self.custody.hello(self.now_ms)):
            self.take(reply)

    def take(self, reply: bytes) -> list[Any]:
        self.readers.refresh()
        events = self.custody.take_reply(reply, self.now_ms)
        self.events += events
        return events

    def exchange(self) -> Any:
        """One batch up and its answer down; the batch, or None when there was none."""
        batch = self.batch()
        if batch is not None:
            self.take(self.fleet.take_batch(self.identity.device, batch.payload))
        return batch

    def close(self) -> None:
        self.readers.close()
        self.store.close()
