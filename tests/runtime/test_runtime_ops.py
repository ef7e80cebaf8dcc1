"""The agent's own journal never stands in anybody's way: over its budget it drops its oldest, counts them and says so."""

from custody_sender import Sender

from runtime.journal import Journal
from runtime.journals import OpsJournal
from wire.codec import decode
from wire.kinds import OpsNote

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
