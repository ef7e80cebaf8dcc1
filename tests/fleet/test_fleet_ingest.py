"""Custody at the fleet: what ingest takes, refuses, keeps and answers, for good input and every kind of bad input."""

import os

import msgspec
import pytest
from fleet_model import NOW_MS, ModelDevice, ModelJournal, register
from ingest_rig import refused, rig
from nacl.signing import SigningKey
from sqlalchemy import insert, select, text

from fleet.ingest.intake import NO_JOURNAL, Intake, Message
from fleet.ingest.ledger import wake_shelved
from fleet.registry.tables import archives, devices
from fleet.store.engine import new_incarnation
from fleet.store.tables import batches, entries, findings, journals, shelved
from wire.codec import MAX_MESSAGE_BYTES, encode
from wire.custody import Ack, BatchMessage, BatchSigned, make_batch, read_reply
from wire.entry import NO_HASH, make_entry
from wire.kinds import JournalOpened, Predecessor, encode_body
from wire.signing import sign

__all__ = ["rig"]


def test_a_batch_in_is_an_acknowledgement_out(rig):
    rig.journal.grow(9)
    (answer,) = rig.give(rig.journal.message())
    assert isinstance(answer, Ack)
    assert (answer.through_seq, answer.through_hash, answer.archived_through) == (10, rig.journal.hash, 0)
    assert (answer.journal_id, answer.incarnation, answer.fleet_ms) == (rig.journal.id, rig.store.incarnation, NOW_MS)


def test_entries_are_stored_as_they_came(rig):
    rig.journal.grow(2)
    rig.give(rig.journal.message())
    stored = rig.all(entries, "seq", "kind", "hash", "salt", "body", "received_ms")
    sent = [(e.header.seq, e.header.kind, e.hash, e.salt, e.body, NOW_MS) for e in rig.journal.entries]
    assert [(seq, kind, bytes(h), bytes(s), bytes(b), at) for seq, kind, h, s, b, at in stored] == sent


def test_the_signed_bytes_are_kept_for_forwarding(rig):
    message = msgspec.msgpack.decode(rig.journal.batch(), type=BatchMessage)
    rig.give(rig.journal.message())
    ((signature, signed, first, last),) = rig.all(batches, "signature", "signed", "first_seq", "last_seq")
    assert (bytes(signature), bytes(signed), first, last) == (message.signature, message.signed, 1, 1)


def test_the_opening_entry_tells_stream_key_and_predecessor(rig):
    before = Predecessor(journal_id=b"p" * 16, last_seq=7, last_hash=b"h" * 32, gap="card \0 died")
    rig.give(ModelJournal(rig.device, predecessor=before).message())
    ((stream, key, last_seq, gap),) = rig.all(journals, "stream", "signing_key", "predecessor_seq", "predecessor_gap")
    assert (stream, bytes(key), last_seq, gap) == ("evidence", bytes(rig.device.key.verify_key), 7, "card \ufffd died")


def test_several_messages_of_one_journal_in_one_transaction_follow_each_other(rig):
    rig.journal.grow(5)
    answers = rig.give(rig.journal.message(1, 2), rig.journal.message(3, 3), rig.journal.message(4, 6))
    assert [answer.through_seq for answer in answers] == [2, 3, 6]
    assert rig.count(entries) == 6


def test_a_replayed_batch_is_acknowledged_again_and_stored_once(rig):
    rig.journal.grow(3)
    rig.give(rig.journal.message())
    (again,) = rig.give(rig.journal.message())
    assert (again.through_seq, rig.count(entries), rig.count(batches)) == (4, 4, 1)


def test_a_replay_in_the_same_transaction_is_stored_once(rig):
    rig.journal.grow(3)
    answers = rig.give(rig.journal.message(), rig.journal.message(), rig.journal.message(2, 3))
    assert ([answer.through_seq for answer in answers], rig.count(entries)) == ([4, 4, 4], 4)


def test_a_batch_that_overlaps_adds_only_what_is_new(rig):
    rig.journal.grow(3)
    rig.give(rig.journal.message())
    rig.journal.grow(3)
    (answer,) = rig.give(rig.journal.message(3, 7))
    assert (answer.through_seq, rig.count(entries)) == (7, 7)


def test_an_out_of_order_batch_is_asked_for_from_the_gap_on(rig):
    rig.journal.grow(5)
    rig.give(rig.journal.message(1, 2))
    nack = refused(rig.give(rig.journal.message(5, 6)), "gap")
    assert (nack.expected_seq, rig.count(entries), rig.found()) == (3, 2, {"gap": 1})


def test_a_journal_that_does_not_begin_at_one_is_asked_for_its_beginning(rig):
    rig.journal.grow(3)
    assert refused(rig.give(rig.journal.message(3)), "gap").expected_seq == 1


def test_bytes_that_are_no_batch_are_located_and_stop_nothing(rig):
    noise = Message(rig.device.topic("journal"), os.urandom(100))
    answers = rig.give(noise, rig.journal.message())
    assert (answers[0].reason, answers[0].journal_id, answers[1].through_seq) == ("malformed", NO_JOURNAL, 1)
    ((device, detail, sample),) = rig.all(findings, "device", "detail", "sample")
    assert (device, bytes(sample)) == (rig.device.name, noise.payload)
    assert "not a valid BatchMessage" in detail


def test_an_oversized_message_is_located(rig):
    rig.give(Message(rig.device.topic("journal"), bytes(MAX_MESSAGE_BYTES + 1)))
    ((kind, detail),) = rig.all(findings, "kind", "detail")
    assert kind == "oversized"
    assert str(MAX_MESSAGE_BYTES) in detail


def test_an_unsigned_batch_is_refused(rig):
    message = msgspec.structs.replace(msgspec.msgpack.decode(rig.journal.batch(), type=BatchMessage), signature=bytes(64))
    nack = refused(rig.give(Message(rig.device.topic("journal"), encode(message))), "signature")
    assert (nack.expected_seq, rig.count(entries), rig.found()) == (1, 0, {"bad_signature": 1})


def test_a_batch_signed_with_another_key_is_refused(rig):
    refused(rig.give(rig.journal.message(key=SigningKey.generate())), "signature")
    assert rig.count(entries) == 0


def test_a_batch_signed_for_another_purpose_is_refused(rig):
    message = msgspec.msgpack.decode(rig.journal.batch(), type=BatchMessage)
    other = msgspec.structs.replace(message, signature=sign(rig.device.key, "pair", message.signed))
    refused(rig.give(Message(rig.device.topic("journal"), encode(other))), "signature")


def test_a_changed_body_is_refused(rig):
    message = msgspec.msgpack.decode(rig.journal.batch(), type=BatchMessage)
    changed = msgspec.structs.replace(message, bodies=[b"other"])
    refused(rig.give(Message(rig.device.topic("journal"), encode(changed))), "body")
    assert (rig.count(entries), rig.found()) == (0, {"wrong_body": 1})


def test_headers_that_do_not_follow_each_other_are_refused_whole(rig):
    rig.journal.grow(3)
    one, two, three, four = rig.journal.entries
    shuffled = make_batch(
        [one, three, two, four], device=rig.device.name, journal_id=rig.journal.id, first_seq=1, key=rig.device.key
    )
    refused(rig.give(Message(rig.device.topic("journal"), shuffled)), "chain")
    assert (rig.count(entries), rig.found()) == (0, {"broken_chain": 1})


def test_a_first_entry_that_claims_a_past_is_refused(rig):
    entry = make_entry(
        journal_id=rig.journal.id, seq=1, kind="ops.note", kind_version=1, wall_ms=NOW_MS, clock_trust=2, boot_id=bytes(16),
        mono_ms=0, prev_hash=b"x" * 32, salt=bytes(16), body=b"",
    )  # fmt: skip
    batch = make_batch([entry], device=rig.device.name, journal_id=rig.journal.id, first_seq=1, key=rig.device.key)
    refused(rig.give(Message(rig.device.topic("journal"), batch)), "chain")


def test_an_unknown_device_is_refused_and_named(rig):
    stranger = ModelDevice()
    refused(rig.give(ModelJournal(stranger).message()), "unknown_journal")
    assert rig.all(findings, "kind", "device") == [("unknown_device", stranger.name)]


def test_a_device_paired_a_moment_ago_is_known_at_once(rig):
    rig.give(rig.journal.message())
    fresh = ModelDevice()
    register(rig.fleet, fresh)
    rig.seconds -= 10  # The same instant as before: the registry was read a moment ago.
    (answer,) = rig.give(ModelJournal(fresh).message())
    assert isinstance(answer, Ack)


def test_a_revoked_device_is_refused_and_its_entries_stay(rig):
    rig.give(rig.journal.message())
    with rig.fleet.write() as connection:
        connection.execute(devices.update().values(revoked_ms=NOW_MS))
    rig.journal.grow(1)
    nack = refused(rig.give(rig.journal.message(2)), "quarantined")
    assert "was revoked" in nack.detail
    assert (rig.count(entries), rig.found()) == (1, {"revoked_device": 1})


def test_a_device_that_signs_for_another_name_is_refused(rig):
    refused(rig.give(rig.journal.message(device="nwsomebodyelse")), "malformed")
    assert (rig.count(entries), rig.found()) == (0, {"wrong_identity": 1})


def test_a_batch_on_another_devices_topic_is_refused(rig):
    other = ModelDevice()
    register(rig.fleet, other)
    refused(rig.give(Message(other.topic("journal"), rig.journal.batch())), "malformed")
    assert rig.all(findings, "kind", "device") == [("wrong_identity", other.name)]


def test_a_device_cannot_write_into_another_devices_journal(rig):
    rig.give(rig.journal.message())
    rig.journal.grow(1)
    other = ModelDevice()
    register(rig.fleet, other)
    batch = rig.journal.batch(2, key=other.key, device=other.name)
    refused(rig.give(Message(other.topic("journal"), batch)), "unknown_journal")
    assert rig.count(entries) == 1


def test_a_device_on_another_tenants_topic_is_refused(rig):
    topic = rig.device.topic("journal").replace("/county/", "/elsewhere/")
    refused(rig.give(Message(topic, rig.journal.batch())), "unknown_journal")
    assert rig.found() == {"wrong_identity": 1}


def test_a_journal_opened_with_another_key_is_refused(rig):
    body = JournalOpened(device=rig.device.name, stream="ops", signing_key=b"k" * 32)
    rig.journal.entries.clear()
    rig.journal.append("journal.opened", encode_body("journal.opened", body))
    refused(rig.give(rig.journal.message()), "signature")
    assert (rig.count(journals), rig.found()) == (0, {"wrong_identity": 1})


def test_a_topic_outside_the_protocol_is_noted_and_not_answered(rig):
    assert rig.give(Message("nw/1/county/x/journal/more", b"")) == []
    assert rig.found() == {"wrong_topic": 1}


def test_an_unknown_kind_is_taken_shelved_and_told(rig):
    rig.journal.append("teleport.done", b"\x01")
    (answer,) = rig.give(rig.journal.message())
    assert answer.through_seq == 2
    with rig.store.read() as connection:
        assert connection.execute(select(shelved.c.seq, shelved.c.kind, shelved.c.known_ms)).all() == [(2, "teleport.done", None)]
    assert rig.found() == {"shelved": 1}


def test_a_newer_version_of_a_known_kind_is_taken_and_shelved(rig):
    rig.journal.append("session.closed", b"\x01", version=7)
    (answer,) = rig.give(rig.journal.message())
    assert (answer.through_seq, rig.found()) == (2, {"shelved": 1})


def test_an_upgrade_that_knows_a_kind_wakes_what_was_shelved(rig):
    rig.journal.append("teleport.done", b"\x01")
    rig.give(rig.journal.message())
    with rig.store.write() as connection:
        assert wake_shelved(connection, [("teleport.done", 1), ("ops.note", 1)], now_ms=5) == 1
        assert wake_shelved(connection, [("teleport.done", 1)], now_ms=6) == 0
        assert connection.execute(select(shelved.c.known_ms)).scalar_one() == 5


def test_a_known_kind_with_an_unreadable_body_is_taken(rig):
    rig.journal.append("session.closed", b"not messagepack")
    (answer,) = rig.give(rig.journal.message())
    assert answer.through_seq == 2


def test_a_batch_of_a_newer_version_is_named_so(rig):
    content = BatchSigned(1, rig.device.name, rig.journal.id, 1, [rig.journal.entries[0].header_bytes])
    newer = encode([2, bytes(64), encode(content), [], []])
    nack = refused(rig.give(Message(rig.device.topic("journal"), newer)), "unsupported")
    assert (nack.journal_id, rig.found()) == (rig.journal.id, {"other_version": 1})


def test_a_batch_with_another_algorithm_is_named_so(rig):
    signed = encode([9, rig.device.name, rig.journal.id, 1, [rig.journal.entries[0].header_bytes]])
    newer = encode(BatchMessage(1, sign(rig.device.key, "batch", signed), signed, [b""], [b""]))
    refused(rig.give(Message(rig.device.topic("journal"), newer)), "unsupported")


def test_a_message_with_fields_appended_by_a_later_release_is_taken(rig):
    message = msgspec.msgpack.decode(rig.journal.batch())
    (answer,) = rig.give(Message(rig.device.topic("journal"), encode([*message, "later"])))
    assert answer.through_seq == 1


def test_a_clock_years_off_is_taken_and_noted(rig):
    rig.journal.append(wall_ms=0)
    (answer,) = rig.give(rig.journal.message())
    assert (answer.through_seq, rig.found()) == (2, {"clock": 1})
    ((detail,),) = rig.all(findings, "detail")
    assert "days off" in detail


def test_a_first_entry_that_opens_nothing_is_taken_and_noted(rig):
    rig.journal.entries.clear()
    rig.journal.append()
    (answer,) = rig.give(rig.journal.message())
    assert (answer.through_seq, rig.found()) == (1, {"no_opening": 1})


def test_an_erased_body_is_taken_without_it(rig):
    rig.journal.append()
    message = msgspec.msgpack.decode(rig.journal.batch(), type=BatchMessage)
    erased = msgspec.structs.replace(message, salts=[message.salts[0], b""], bodies=[message.bodies[0], b""])
    (answer,) = rig.give(Message(rig.device.topic("journal"), encode(erased)))
    assert answer.through_seq == 2


def test_equal_findings_are_one_row_with_a_count(rig):
    for _ in range(3):
        rig.give(*[rig.journal.message(key=SigningKey.generate())] * 2)
    assert rig.found() == {"bad_signature": 6}


def test_acknowledgements_tell_how_far_a_verified_backup_reaches(rig):
    rig.journal.grow(9)
    rig.give(rig.journal.message())
    with rig.fleet.write() as connection:
        connection.execute(insert(archives).values(backup="b", made_ms=1, journal_id=rig.journal.id, through_seq=6))
    assert rig.directory.refresh() == {rig.journal.id}
    (reply,) = rig.intake.acknowledge({rig.journal.id})
    assert read_reply(reply.payload, rig.key.verify_key, device=rig.device.name).archived_through == 6
    (again,) = rig.give(rig.journal.message())
    assert (again.through_seq, again.archived_through) == (10, 6)


def test_nothing_is_archived_that_the_store_does_not_hold(rig):
    rig.give(rig.journal.message())
    with rig.fleet.write() as connection:
        connection.execute(insert(archives).values(backup="b", made_ms=1, journal_id=rig.journal.id, through_seq=99))
    assert rig.give(rig.journal.message())[0].archived_through == 1


def test_another_incarnation_is_told_in_every_answer(rig):
    with rig.store.write() as connection:
        fresh = new_incarnation(connection, reason="restored")
    intake = Intake(rig.store, rig.directory, rig.key)
    (reply,) = intake.take([rig.journal.message()])
    assert read_reply(reply.payload, rig.key.verify_key, device=rig.device.name).incarnation == fresh


def test_a_message_the_store_cannot_keep_is_noted_by_itself(rig):
    (reply,) = rig.intake.refuse(rig.journal.message(), "disk says no")
    answer = read_reply(reply.payload, rig.key.verify_key, device=rig.device.name)
    assert (answer.reason, answer.journal_id, rig.found()) == ("malformed", rig.journal.id, {"not_storable": 1})


def test_a_transaction_that_fails_leaves_nothing_and_can_be_tried_again(rig):
    rig.journal.grow(3)
    blocker = rig.store.engine.connect()
    rig.give(rig.journal.message(1, 2))
    trigger = (
        "CREATE TRIGGER journal.full BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        if rig.store.is_sqlite
        else "ALTER TABLE journal.entries ADD CONSTRAINT no_more CHECK (seq < 3)"
    )
    undo = "DROP TRIGGER journal.full" if rig.store.is_sqlite else "ALTER TABLE journal.entries DROP CONSTRAINT no_more"
    with rig.store.write() as connection:
        connection.execute(text(trigger))
    with pytest.raises(Exception, match=r"disk full|no_more"):
        rig.give(rig.journal.message(3))
    assert (rig.count(entries), rig.all(journals, "seq")) == (2, [(2,)])
    with rig.store.write() as connection:
        connection.execute(text(undo))
    blocker.close()
    assert rig.give(rig.journal.message(3))[0].through_seq == 4


def test_a_journal_of_many_batches_verifies_as_one_chain(rig):
    rig.journal.grow(50)
    for first in range(1, 52, 7):
        rig.give(rig.journal.message(first, first + 6))
    hashes = [bytes(digest) for (digest,) in rig.all(entries, "hash")]
    assert hashes == [entry.hash for entry in rig.journal.entries]
    assert rig.journal.entries[0].header.prev_hash == NO_HASH
