"""Nothing is lost or counted twice, whatever the network does: a model that loses, repeats, delays, restores; with a control."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from custody_sender import Sender
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from journal_files import note
from model_fleet import ModelFleet

from runtime.clock import FakeClock
from runtime.custody import Custody
from runtime.identity import ensure, signing_key
from runtime.journal import Journal
from runtime.store import Mark
from wire.custody import read_batch
from wire.entry import header_hash


class Hall(RuleBasedStateMachine):
    """A device and a fleet with the worst network between them."""

    up: Bundle[bytes] = Bundle("up")
    down: Bundle[bytes] = Bundle("down")

    @initialize()
    def begin(self) -> None:
        self.directory = Path(tempfile.mkdtemp())
        self.clock = FakeClock()
        identity = ensure(self.directory)
        self.fleet = ModelFleet(identity.signing_key, clock_ms=lambda: self.clock.wall_ms)
        arguments: dict[str, Any] = {"identity": identity, "clock": self.clock, "budget_bytes": 1 << 20}
        self.journals = [Journal.open(self.directory, "evidence", **arguments), Journal.open(self.directory, "ops", **arguments)]
        self.sender = Sender(self.directory, identity, self.fleet, self.clock)
        self.backup: dict[bytes, list[bytes]] = {}
        self.dress()

    def dress(self) -> None:
        """Where the control changes the device."""

    @rule(which=st.integers(0, 1), count=st.integers(1, 30))
    def append(self, which: int, count: int) -> None:
        self.journals[which].append_all([("ops.note", note())] * count)

    @rule(target=up)
    def send(self) -> bytes:
        self.clock.advance(1)
        batch = self.sender.batch()
        return batch.payload if batch else self.sender.custody.hello(self.sender.now_ms)

    @rule(message=up, target=down)
    def arrive(self, message: bytes) -> bytes:
        """Any message ever sent may arrive, late, again, or in another order."""
        self.clock.advance(0.01)
        device = self.sender.identity.device
        try:
            read_batch(message)
        except ValueError:
            replies = self.fleet.take_hello(device, message)
            return replies[0] if replies else b""
        return bytes(self.fleet.take_batch(device, message))

    @rule(message=down)
    def answer(self, message: bytes) -> None:
        self.sender.take(message)

    @rule(message=down, place=st.integers(0, 400), bit=st.integers(0, 7))
    def damaged_answer(self, message: bytes, place: int, bit: int) -> None:
        if message:
            changed = bytearray(message)
            changed[place % len(changed)] ^= 1 << bit
            before = [self.sender.store.mark(journal.journal_id) for journal in self.journals]
            self.sender.take(bytes(changed))
            assert before == [self.sender.store.mark(journal.journal_id) for journal in self.journals]

    @rule()
    def time_passes(self) -> None:
        self.clock.advance(16)

    @rule()
    def reconnect(self) -> None:
        self.sender.custody.disconnected()
        self.sender.hello()

    @rule()
    def restart_agent(self) -> None:
        self.sender.custody = self.sender.new_custody()

    @rule()
    def lose_agent_database(self) -> None:
        for journal in self.journals:
            self.sender.store.set_mark(journal.journal_id, Mark())

    @rule()
    def back_up(self) -> None:
        self.backup = {journal_id: list(held) for journal_id, held in self.fleet.hashes.items()}
        self.fleet.archived = {journal_id: len(held) for journal_id, held in self.backup.items()}

    @rule()
    def restore(self) -> None:
        self.fleet.hashes = {journal_id: list(held) for journal_id, held in self.backup.items()}
        self.fleet.entries = {
            key: body for key, body in self.fleet.entries.items() if key[1] <= len(self.fleet.hashes.get(key[0], []))
        }
        self.fleet.incarnation = os.urandom(16)
        self.clock.advance(1)
        self.sender.custody.beacon = self.fleet.incarnation
        self.sender.hello()

    @rule()
    def prune(self) -> None:
        for journal in self.journals:
            archived = self.sender.store.mark(journal.journal_id).archived
            assert archived <= len(self.backup.get(journal.journal_id, [])), "a device would prune what no backup holds"
            journal.prune(archived)

    def teardown(self) -> None:
        if not hasattr(self, "sender"):
            return
        try:
            self.sender.custody.disconnected()
            self.sender.hello()
            for _ in range(60):
                self.clock.advance(16)
                if self.sender.exchange() is None and self.sender.custody.waiting() == 0:
                    break
            for journal in self.journals:
                held = self.fleet.hashes[journal.journal_id]
                assert len(held) == journal.last_seq, "an entry is lost, or one too many is there"
                assert held[-1] == journal._tail.hash
                numbers = sorted(seq for journal_id, seq in self.fleet.entries if journal_id == journal.journal_id)
                assert numbers == list(range(1, journal.last_seq + 1))
            assert not self.sender.custody.stopped()
        finally:
            self.sender.close()
            for journal in self.journals:
                journal.close()
            shutil.rmtree(self.directory)


class HastyCustody(Custody):
    """The control: it counts a batch as handed over once it is sent, as a device that trusts the broker's PUBACK would."""

    def next_batch(self, now_ms: int) -> Any:
        batch, events = super().next_batch(now_ms)
        if batch is not None:
            received = read_batch(batch.payload)
            digest = header_hash(received.content.headers[-1])
            self._store.set_mark(batch.journal_id, Mark(batch.through_seq, digest))
        return batch, events


class HastyHall(Hall):
    """The worst network with the control on the device, whose fleet was never restored: rewinds would hide the loss."""

    def dress(self) -> None:
        self.sender.new_custody = self._hasty  # type: ignore[method-assign]
        self.sender.custody = self._hasty()
        self.sender.hello = lambda: None  # type: ignore[method-assign]

    def _hasty(self) -> Custody:
        arguments = {"device": self.sender.identity.device, "key": signing_key(self.sender.identity.directory)}
        more = {"fleet_key": self.fleet.key.verify_key, "store": self.sender.store, "readers": self.sender.readers.all}
        return HastyCustody(**arguments, **more)


def run(machine: type[RuleBasedStateMachine], phases: Any = (Phase.generate, Phase.shrink)) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            print_blob=False,
            report_multiple_bugs=False,
            phases=phases,
        ),
    )


def test_control_that_believes_in_sending_loses() -> None:
    with pytest.raises((AssertionError, KeyError)):
        run(HastyHall, (Phase.generate,))


def test_nothing_is_lost_or_doubled_whatever_the_network_does() -> None:
    run(Hall)
