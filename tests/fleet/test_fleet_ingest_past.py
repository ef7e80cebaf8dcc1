"""Two versions of one past: forks, restored cards, restored fleets, and what a device says of itself when it connects."""

from fleet_model import ModelDevice, ModelJournal, register
from ingest_rig import refused, rig

from fleet.ingest.intake import Message
from fleet.store.tables import entries, forks, journals
from wire.custody import Ack
from wire.kinds import Predecessor

__all__ = ["rig"]


def forked(rig, at):
    """The same journal restored from an image taken after `at` entries, and grown differently since."""
    twin = ModelJournal(rig.device)
    twin.id, twin.entries = rig.journal.id, rig.journal.entries[:at]
    twin.grow(rig.journal.seq - at + 1)
    return twin


def test_a_forked_journal_is_quarantined_and_both_versions_are_kept(rig):
    rig.journal.grow(4)
    rig.give(rig.journal.message())
    twin = forked(rig, 3)
    nack = refused(rig.give(twin.message(4)), "fork")
    ((seq, kept, other, message),) = rig.all(forks, "seq", "kept_hash", "other_hash", "message")
    assert (seq, bytes(kept), bytes(other)) == (4, rig.journal.entries[3].hash, twin.entries[3].hash)
    assert bytes(message) == twin.batch(4)
    assert (rig.count(entries), nack.expected_seq, rig.found()) == (5, 6, {"fork": 1})


def test_nothing_beyond_a_fork_is_acknowledged(rig):
    rig.journal.grow(4)
    rig.give(rig.journal.message())
    rig.give(forked(rig, 3).message(4))
    rig.journal.grow(1)
    refused(rig.give(rig.journal.message(6)), "quarantined")
    refused(rig.give(rig.device.hello(rig.journal.mark(5))), "quarantined")
    assert rig.all(journals, "state", "seq") == [("quarantined", 5)]


def test_a_past_that_differs_right_before_the_batch_is_a_fork(rig):
    rig.journal.grow(3)
    rig.give(rig.journal.message())
    twin = forked(rig, 2)
    refused(rig.give(twin.message(5)), "fork")
    assert rig.all(forks, "seq") == [(4,)]


def test_a_past_that_differs_before_an_old_batch_is_a_fork(rig):
    rig.journal.grow(5)
    rig.give(rig.journal.message())
    twin = forked(rig, 2)
    refused(rig.give(twin.message(4, 4)), "fork")


def test_the_successor_of_a_forked_journal_is_welcome(rig):
    rig.journal.grow(4)
    rig.give(rig.journal.message())
    rig.give(forked(rig, 3).message(4))
    before = Predecessor(journal_id=rig.journal.id, last_seq=4, last_hash=rig.journal.hash)
    (answer,) = rig.give(ModelJournal(rig.device, predecessor=before).message())
    assert isinstance(answer, Ack)


def test_a_hello_in_step_is_acknowledged(rig):
    rig.journal.grow(2)
    rig.give(rig.journal.message())
    (answer,) = rig.give(rig.device.hello(rig.journal.mark(3)))
    assert (type(answer), answer.through_seq) == (Ack, 3)


def test_a_hello_after_a_lost_acknowledgement_is_acknowledged(rig):
    rig.journal.grow(2)
    rig.give(rig.journal.message())
    (answer,) = rig.give(rig.device.hello(rig.journal.mark(1)))
    assert answer.through_seq == 3


def test_a_hello_of_a_new_journal_asks_for_its_first_entry(rig):
    assert refused(rig.give(rig.device.hello(rig.journal.mark(0))), "gap").expected_seq == 1


def test_a_fleet_restored_from_yesterdays_backup_asks_for_what_it_lost(rig):
    rig.journal.grow(9)
    rig.give(rig.journal.message(1, 6))
    nack = refused(rig.give(rig.device.hello(rig.journal.mark(10))), "rewind")
    assert (nack.expected_seq, rig.found()) == (7, {"rewound": 1})
    (answer,) = rig.give(rig.journal.message(7))
    assert (answer.through_seq, rig.count(entries)) == (10, 10)


def test_a_restored_fleet_says_what_nobody_holds_any_more(rig):
    rig.journal.grow(9)
    rig.give(rig.journal.message(1, 3))
    nack = refused(rig.give(rig.device.hello(rig.journal.mark(10, first_held=8))), "rewind")
    assert rig.found() == {"lost_by_restore": 1}
    assert "entries 4 to 7" in nack.detail


def test_a_hello_shows_a_restored_card_before_it_writes_anything(rig):
    rig.journal.grow(4)
    rig.give(rig.journal.message())
    rig.journal.entries = rig.journal.entries[:3]
    refused(rig.give(rig.device.hello(rig.journal.mark(3))), "fork")
    assert rig.all(journals, "state") == [("quarantined",)]


def test_a_hello_with_another_past_is_a_fork(rig):
    rig.journal.grow(4)
    rig.give(rig.journal.message())
    refused(rig.give(rig.device.hello(forked(rig, 2).mark(4))), "fork")


def test_a_hello_about_another_devices_journal_is_refused(rig):
    rig.give(rig.journal.message())
    other = ModelDevice()
    register(rig.fleet, other)
    refused(rig.give(other.hello(rig.journal.mark(1))), "unknown_journal")
    assert rig.all(journals, "state") == [("open",)]


def test_a_hello_that_cannot_be_read_is_noted(rig):
    assert rig.give(Message(rig.device.topic("hello"), b"\xc1")) == []
    assert rig.found() == {"malformed": 1}
