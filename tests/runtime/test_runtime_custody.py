"""Handing over survives every order of loss, repetition, delay, restore and forgery: nothing is lost, nothing counted twice."""

import os
from typing import Any

import pytest
from custody_sender import Sender
from journal_files import Opener, note
from nacl.signing import SigningKey

from runtime.clock import FakeClock
from runtime.journal import Journal
from runtime.store import Mark
from wire.codec import decode
from wire.custody import Ack, Hello, Nack, make_reply
from wire.kinds import OpsNote


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
