"""Ingest against a model device under any interleaving: sends, repeats, losses, crashes, restores. Nothing lost, nothing twice."""

import tempfile
from pathlib import Path

from fleet_model import NOW_MS, ModelDevice, ModelJournal, register
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from nacl.signing import SigningKey
from sqlalchemy import select, text

from fleet.ingest.directory import Directory
from fleet.ingest.intake import Intake, Message
from fleet.store import create_store, open_store
from fleet.store.tables import entries, journals
from wire.custody import Ack, Nack, read_reply


class Custody(RuleBasedStateMachine):
    """One device with one journal; the model knows what was acknowledged, the store has to agree."""

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        create_store(Path(self.folder.name))
        self.fleet = open_store(Path(self.folder.name), writes="fleet")
        self.key = SigningKey.generate()
        self.device = ModelDevice()
        register(self.fleet, self.device)
        self.journal = ModelJournal(self.device)
        self.in_custody = 0
        self.acknowledged = 0
        self.restart()

    def restart(self):
        """The ingest process dies and comes back; it has no memory but the store."""
        if hasattr(self, "store"):
            self.store.close()
        self.store = open_store(Path(self.folder.name), writes="journal")
        self.intake = Intake(self.store, Directory(self.store), self.key, clock=lambda: NOW_MS)

    def deliver(self, message, *, is_answer_lost=False):
        replies = self.intake.take([message])
        if is_answer_lost:
            return
        for reply in replies:
            answer = read_reply(reply.payload, self.key.verify_key, device=self.device.name)
            if isinstance(answer, Ack):
                assert answer.through_hash == self.journal.entries[answer.through_seq - 1].hash
                self.in_custody = answer.through_seq
                self.acknowledged = max(self.acknowledged, answer.through_seq)
            else:
                assert answer.reason in ("gap", "rewind"), answer.detail
                self.in_custody = answer.expected_seq - 1

    @rule(count=st.integers(1, 5))
    def append(self, count):
        self.journal.grow(count)

    @precondition(lambda self: self.in_custody < self.journal.seq)
    @rule(size=st.integers(1, 8), is_answer_lost=st.booleans())
    def send(self, size, is_answer_lost):
        first = self.in_custody + 1
        self.deliver(self.journal.message(first, first + size - 1), is_answer_lost=is_answer_lost)

    @rule(data=st.data())
    def send_anything_again_or_too_early(self, data):
        first = data.draw(st.integers(1, self.journal.seq))
        self.deliver(self.journal.message(first, data.draw(st.integers(first, self.journal.seq))))

    @rule()
    def hello(self):
        self.deliver(self.device.hello(self.journal.mark(self.in_custody)))

    @rule()
    def crash(self):
        self.restart()

    @precondition(lambda self: self.acknowledged > 1)
    @rule(data=st.data())
    def restore_an_older_backup(self, data):
        keep = data.draw(st.integers(0, self.acknowledged - 1))
        with self.store.write() as connection:
            connection.execute(entries.delete().where(entries.c.seq > keep))
            connection.execute(text("DELETE FROM journal.batches"))
            if keep == 0:
                connection.execute(journals.delete())
            else:
                connection.execute(journals.update().values(seq=keep, hash=self.journal.entries[keep - 1].hash))
        self.acknowledged = keep
        self.restart()
        self.hello()

    @invariant()
    def the_store_holds_a_prefix_and_all_that_was_acknowledged(self):
        with self.store.read() as connection:
            stored = [
                (seq, bytes(digest)) for seq, digest in connection.execute(select(entries.c.seq, entries.c.hash).order_by("seq"))
            ]
        assert stored == [(n, entry.hash) for n, entry in enumerate(self.journal.entries[: len(stored)], 1)]
        assert len(stored) >= self.acknowledged

    def teardown(self):
        if hasattr(self, "store"):
            while self.in_custody < self.journal.seq:
                self.send(8, False)
            self.the_store_holds_a_prefix_and_all_that_was_acknowledged()
            assert self.acknowledged == self.journal.seq
            self.store.close()
            self.fleet.close()
            self.folder.cleanup()


Custody.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestCustody = Custody.TestCase


class _Shared:
    rig = None


def _rig():
    if _Shared.rig is None:
        folder = tempfile.TemporaryDirectory()
        create_store(Path(folder.name))
        store = open_store(Path(folder.name), writes="journal")
        device, key = ModelDevice(), SigningKey.generate()
        register(open_store(Path(folder.name), writes="fleet"), device)
        _Shared.rig = folder, store, device, key, Intake(store, Directory(store), key)
    return _Shared.rig


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600), st.sampled_from(["journal", "hello"]))
def test_any_bytes_are_survived_and_take_nothing(data, channel):
    _, store, device, key, intake = _rig()
    for reply in intake.take([Message(device.topic(channel), data)]):
        assert isinstance(read_reply(reply.payload, key.verify_key, device=device.name), Nack)
    with store.read() as connection:
        assert connection.execute(select(entries.c.no)).first() is None


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_batch_with_any_changed_byte_takes_nothing(data):
    _, store, device, key, intake = _rig()
    journal = ModelJournal(device)
    journal.grow(2)
    batch = bytearray(journal.batch())
    place = data.draw(st.integers(0, len(batch) - 1))
    batch[place] ^= data.draw(st.integers(1, 255))
    for reply in intake.take([Message(device.topic("journal"), bytes(batch))]):
        assert isinstance(read_reply(reply.payload, key.verify_key, device=device.name), Nack)
    with store.read() as connection:
        assert connection.execute(select(entries.c.no)).first() is None


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_any_topic_is_survived(name):
    _, _, _, _, intake = _rig()
    assert intake.take([Message(name, b"")]) == []
