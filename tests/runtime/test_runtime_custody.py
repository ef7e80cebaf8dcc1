"""Handing over survives every order of loss, repetition, delay, restore and forgery: nothing is lost, nothing counted twice."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule
from nacl.signing import SigningKey

from runtime.clock import FakeClock
from runtime.custody import Custody
from runtime.identity import Identity, ensure, signing_key
from runtime.journal import Journal
from runtime.journals import OpsJournal, Readers
from runtime.store import AgentStore, Mark
from wire.codec import decode
from wire.custody import Ack, Hello, Nack, make_reply, read_batch
from wire.entry import header_hash
from wire.kinds import OpsNote


def note(text: str = "x") -> OpsNote:
    return OpsNote(what="test", args={"text": text})


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


@pytest.fixture
def sender(tmp_path: Path, identity: Identity, model_fleet: Any, clock: FakeClock) -> Iterator[Sender]:
    sender = Sender(tmp_path / "device", identity, model_fleet, clock)
    yield sender
    sender.close()


Opener = Callable[..., Journal]


def test_evidence_goes_before_ops(sender: Sender, open_journal: Opener) -> None:
    ops, evidence = open_journal("ops"), open_journal("evidence")
    first, second = sender.exchange(), sender.exchange()
    assert (first.journal_id, second.journal_id) == (evidence.journal_id, ops.journal_id)


def test_ops_waits_while_evidence_is_in_flight(sender: Sender, open_journal: Opener) -> None:
    open_journal("ops")
    open_journal("evidence")
    assert sender.batch() is not None
    assert sender.batch() is None


def test_successor_waits_until_the_fleet_has_what_came_before_it(sender: Sender, open_journal: Opener) -> None:
    journal = open_journal()
    first_id = journal.journal_id
    journal.append_all([("ops.note", note())] * 1_500)
    journal.rotate()
    sent = sender.batch()
    assert (sent.journal_id, sender.batch()) == (first_id, None)
    sender.take(sender.fleet.take_batch(sender.identity.device, sent.payload))
    assert [sender.exchange().journal_id for _ in range(2)] == [first_id, journal.journal_id]


def test_one_batch_of_a_journal_is_in_flight_until_its_deadline(sender: Sender, open_journal: Opener, clock: FakeClock) -> None:
    open_journal()
    first = sender.batch()
    assert sender.batch() is None
    clock.advance(14)
    assert sender.batch() is None
    clock.advance(2)
    assert sender.batch().payload == first.payload


def test_backlog_goes_in_batches_of_up_to_a_thousand_within_the_size_limit(sender: Sender, open_journal: Opener) -> None:
    journal = open_journal()
    for _ in range(15):
        journal.append_all([("ops.note", note())] * 100)
    sizes = []
    while batch := sender.exchange():
        sizes.append(batch.through_seq - batch.first_seq + 1)
        assert len(batch.payload) <= 262_144
    assert sum(sizes) == 1_501
    assert max(sizes) > 100


def test_large_bodies_close_a_batch_early_and_one_largest_body_still_fits(sender: Sender, open_journal: Opener) -> None:
    journal = open_journal()
    big = OpsNote(what="x", args={str(n): "y" * 200 for n in range(310)})
    journal.append_all([("ops.note", big)] * 6)
    while batch := sender.exchange():
        assert len(batch.payload) <= 262_144
    assert sender.fleet.seq(journal.journal_id) == 7


def test_puback_is_not_custody_only_a_signed_answer_is(sender: Sender, open_journal: Opener) -> None:
    journal = open_journal()
    sender.batch()
    assert sender.store.mark(journal.journal_id).in_custody == 0
    assert sender.custody.waiting() == 1


def forged(sender: Sender, reply: Any, key: SigningKey | None = None) -> bytes:
    return make_reply(reply, key or SigningKey.generate())


def an_ack(sender: Sender, journal: Journal, **changes: Any) -> Ack:
    with journal._lock:
        values: dict[str, Any] = {
            "algorithm": 1,
            "device": sender.identity.device,
            "journal_id": journal.journal_id,
            "through_seq": journal.last_seq,
            "through_hash": journal._tail.hash,
            "archived_through": 0,
            "incarnation": sender.fleet.incarnation,
            "fleet_ms": 1,
        }
    return Ack(**(values | changes))


@pytest.mark.parametrize("kind", ["wrong key", "flipped bit", "noise", "other device", "unknown algorithm"])
def test_answer_that_is_not_the_fleets_changes_nothing(sender: Sender, open_journal: Opener, kind: str) -> None:
    journal = open_journal()
    genuine = forged(sender, an_ack(sender, journal), sender.fleet.key)
    flipped = bytearray(genuine)
    flipped[-1] ^= 1
    data = {
        "wrong key": forged(sender, an_ack(sender, journal)),
        "flipped bit": bytes(flipped),
        "noise": os.urandom(200),
        "other device": forged(sender, an_ack(sender, journal, device="nwother"), sender.fleet.key),
        "unknown algorithm": genuine.replace(b"\xc4", b"\xc5", 1),
    }[kind]
    assert [event.what for event in sender.take(data)] == ["forged"]
    assert sender.store.mark(journal.journal_id) == Mark()


def test_answer_for_a_journal_of_nobody_is_foreign(sender: Sender, open_journal: Opener) -> None:
    journal = open_journal()
    data = forged(sender, an_ack(sender, journal, journal_id=bytes(16)), sender.fleet.key)
    assert [event.what for event in sender.take(data)] == ["foreign"]


@pytest.mark.parametrize("changes", [{"through_hash": bytes(32)}, {"through_seq": 999}])
def test_fleet_that_holds_another_past_stops_the_journal(sender: Sender, open_journal: Opener, changes: dict[str, Any]) -> None:
    journal = open_journal()
    events = sender.take(forged(sender, an_ack(sender, journal, **changes), sender.fleet.key))
    assert [event.what for event in events] == ["stopped"]
    assert "fork" in sender.custody.stopped()[journal.journal_id]
    assert sender.batch() is None


def test_stopped_journal_does_not_hold_up_the_others_and_resumes_when_the_fleet_is_willing(
    sender: Sender, open_journal: Opener
) -> None:
    evidence, ops = open_journal(), open_journal("ops")
    sender.fleet.refused[evidence.journal_id] = "quarantined"
    assert sender.exchange().journal_id == evidence.journal_id
    assert sender.exchange().journal_id == ops.journal_id
    assert sender.batch() is None
    del sender.fleet.refused[evidence.journal_id]
    sender.hello()
    assert "resumed" in [event.what for event in sender.events]
    assert sender.exchange().journal_id == evidence.journal_id
    assert sender.custody.waiting() == 0


def test_hello_tells_where_every_journal_stands(sender: Sender, open_journal: Opener) -> None:
    evidence, ops = open_journal(), open_journal("ops")
    sender.exchange()
    hello = decode(sender.custody.hello(sender.now_ms), Hello)
    marks = {mark.journal_id: mark for mark in hello.journals}
    assert (marks[evidence.journal_id].in_custody, marks[ops.journal_id].in_custody) == (1, 0)
    assert hello.incarnation == sender.fleet.incarnation


def test_batches_wait_for_the_answer_to_a_hello_but_not_for_ever(sender: Sender, open_journal: Opener, clock: FakeClock) -> None:
    open_journal()
    sender.readers.refresh()
    sender.custody.hello(sender.now_ms)
    assert sender.batch() is None
    clock.advance(4)
    assert sender.batch() is not None


def test_lost_agent_database_costs_no_entry_and_no_duplicate(sender: Sender, open_journal: Opener) -> None:
    journal = open_journal()
    journal.append_all([("ops.note", note())] * 20)
    sender.exchange()
    sender.store.set_mark(journal.journal_id, Mark())
    journal.append("ops.note", note())
    sender.hello()
    assert sender.store.mark(journal.journal_id).in_custody == 21
    batch = sender.exchange()
    assert (batch.first_seq, batch.through_seq) == (22, 22)


def test_damaged_entry_is_sent_around_by_its_journals_successor(sender: Sender, open_journal: Opener) -> None:
    import sqlite3

    journal = open_journal()
    journal.append_all([("ops.note", note())] * 9)
    with sqlite3.connect(journal.path) as other:
        other.execute("UPDATE entries SET body = x'c0' WHERE seq = 6")
    other.close()
    batch = sender.exchange()
    assert batch.through_seq == 5
    assert [event.what for event in sender.events if event.what == "damaged"] == ["damaged"]
    assert sender.batch() is None
    first_id = journal.journal_id
    journal.close_damaged("entry 6 is damaged")
    journal.append("ops.note", note())
    sender.exchange()
    assert sender.fleet.seq(first_id) == 5
    assert sender.fleet.seq(journal.journal_id) == 2
    assert sender.custody.waiting() == 0


def test_acknowledgement_from_before_a_restore_is_stale(sender: Sender, open_journal: Opener, clock: FakeClock) -> None:
    journal = open_journal()
    sender.exchange()
    old = sender.fleet.ack(sender.identity.device, journal.journal_id)
    clock.advance(1)
    sender.fleet.incarnation = os.urandom(16)
    sender.take(sender.fleet.ack(sender.identity.device, journal.journal_id))
    assert [event.what for event in sender.take(old)] == ["stale"]


def test_rewind_beyond_what_was_pruned_stops_and_says_so(sender: Sender, open_journal: Opener) -> None:
    journal = open_journal()
    journal.append_all([("ops.note", note())] * 9)
    sender.exchange()
    journal.prune(5)
    reply = Nack(1, sender.identity.device, journal.journal_id, 3, "rewind", "", os.urandom(16), 2**41)
    events = sender.take(make_reply(reply, sender.fleet.key))
    assert [event.what for event in events] == ["stopped"]
    assert "rewind_beyond" in events[0].detail


def test_repeated_refusals_are_answered_slower_and_slower(sender: Sender, open_journal: Opener, clock: FakeClock) -> None:
    journal = open_journal()
    waits = []
    assert sender.batch() is not None
    for _ in range(5):
        sender.take(sender.fleet.nack(sender.identity.device, journal.journal_id, "gap"))
        waited = 0
        while sender.batch() is None:
            clock.advance(0.25)
            waited += 1
        waits.append(waited)
    assert waits[0] == 0
    assert waits[-1] > waits[1] > 0


def test_unregistered_device_stops_after_its_first_refused_batch(sender: Sender, open_journal: Opener) -> None:
    journal = open_journal()
    sender.fleet.refused[journal.journal_id] = "unknown_journal"
    sender.hello()
    assert not sender.custody.stopped()
    sender.exchange()
    assert sender.custody.stopped()


LARGE = {f"text{number}": "y" * 200 for number in range(60)}
"""Arguments of a large note, so that few commits fill a budget."""


def ops_journal(sender: Sender, budget_bytes: int = 4 << 20) -> OpsJournal:
    return OpsJournal(
        sender.directory,
        identity=sender.identity,
        clock=sender.clock,
        store=sender.store,
        readers=sender.readers,
        budget_bytes=budget_bytes,
    )


def test_ops_over_budget_drops_its_oldest_counts_it_and_declares_it(sender: Sender) -> None:
    ops = ops_journal(sender)
    wrote = 0
    while not ops.dropped:
        ops.note("x", **LARGE)
        wrote += 1
        assert wrote < 5_000, "the budget never ended"
    while sender.exchange() is not None:
        pass
    held = [decode(body, OpsNote) for (_, seq), body in sender.fleet.entries.items() if seq > 1]
    declared = [found for found in held if found.what == "ops.dropped"]
    assert int(declared[0].args["entries"]) == ops.dropped
    openings = len({journal_id for journal_id, _ in sender.fleet.entries})
    # Every entry was written, dropped and counted, or handed over: entry 1 of each journal and the declaration included.
    assert len(sender.fleet.entries) + ops.dropped == wrote + len(declared) + openings + 1
    ops.close()


def test_ops_that_the_fleet_has_archived_makes_room_without_a_drop(sender: Sender) -> None:
    ops = ops_journal(sender)
    for number in range(600):
        ops.note("x", **LARGE)
        if number % 20 == 0:
            while batch := sender.exchange():
                sender.fleet.archived[batch.journal_id] = batch.through_seq
                sender.take(sender.fleet.ack(sender.identity.device, batch.journal_id))
            ops.apply_archived()
    assert ops.dropped == 0
    ops.close()


def test_note_that_cannot_be_written_is_counted_and_nobody_fails(sender: Sender) -> None:
    ops = ops_journal(sender)
    holder = Journal.open(sender.directory, "ops", identity=sender.identity, clock=sender.clock, budget_bytes=1 << 20)
    ops.note("x")
    assert ops.dropped == 1
    holder.close()
    ops.note("x")
    assert ops.dropped == 1
    ops.close()


class Hall(RuleBasedStateMachine):
    """A device and a fleet with the worst network between them."""

    up: Bundle[bytes] = Bundle("up")
    down: Bundle[bytes] = Bundle("down")

    @initialize()
    def begin(self) -> None:
        self.directory = Path(tempfile.mkdtemp())
        self.clock = FakeClock()
        identity = ensure(self.directory)
        self.fleet = _Model.of(identity.signing_key, self.clock)
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


class _Model:
    """Where the state machine finds the model fleet of conftest, which pytest only hands to functions."""

    of: Callable[[bytes, FakeClock], Any]


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


def run(machine: type[RuleBasedStateMachine], model_fleet: Any, phases: Any = (Phase.generate, Phase.shrink)) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    kind = type(model_fleet)
    _Model.of = staticmethod(lambda key, clock: kind(key, clock_ms=lambda: clock.wall_ms))  # type: ignore[assignment]
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


def test_control_that_believes_in_sending_loses(model_fleet: Any) -> None:
    with pytest.raises((AssertionError, KeyError)):
        run(HastyHall, model_fleet, (Phase.generate,))


def test_nothing_is_lost_or_doubled_whatever_the_network_does(model_fleet: Any) -> None:
    run(Hall, model_fleet)
