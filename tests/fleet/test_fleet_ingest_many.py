"""Several ingest processes on one PostgreSQL: whichever of them gets a message, every entry is taken once and in order."""

import queue
import random
import threading
import time

import psycopg
import pytest
from fleet_model import ModelDevice, ModelJournal, register
from nacl.signing import SigningKey
from private_servers import wait_for
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from fleet.ingest.bulk import insert_rows
from fleet.ingest.chains import verify_chains
from fleet.ingest.directory import Directory
from fleet.ingest.intake import Intake, Message
from fleet.ingest.ledger import Ledger
from fleet.store import create_store, open_store
from fleet.store.tables import entries, findings, journals, shelved
from wire.custody import Ack, Nack, read_reply

KEY = SigningKey.generate()
DEVICES, ENTRIES, BATCH = 24, 120, 7


@pytest.fixture
def location(postgres):
    url = postgres.emptied_database()
    create_store(url)
    return url


@pytest.fixture
def fleet(location):
    store = open_store(location, writes="fleet")
    yield store
    store.close()


class Ingest:
    """One ingest process's part without its MQTT client: takes what is put into `inbox`, as many as wait, and answers."""

    def __init__(self, location, replies):
        self.store = open_store(location, writes="journal")
        self.intake = Intake(self.store, Directory(self.store), KEY)
        self.inbox, self.replies, self.failures = queue.Queue(), replies, []
        self.thread = threading.Thread(target=self.work)

    def work(self):
        while (message := self.inbox.get()) is not None:
            batch = [message]
            while len(batch) < 50 and not self.inbox.empty():
                if (message := self.inbox.get()) is None:
                    self.inbox.put(None)
                    break
                batch.append(message)
            try:
                for reply in self.intake.take(batch):
                    self.replies.put(reply)
            except Exception as error:
                self.failures.append(error)

    def end(self):
        self.inbox.put(None)
        self.thread.join(30)
        self.store.close()


@pytest.fixture
def pair(location, fleet):
    replies = queue.Queue()
    made = [Ingest(location, replies) for _ in range(2)]
    for each in made:
        each.thread.start()
    yield made
    for each in made:
        each.end()


class Sender:
    """A device: one batch in flight, sent to one of the processes by chance, now and then to both, and old ones again."""

    def __init__(self, chance, pair):
        self.device, self.chance, self.pair = ModelDevice(), chance, pair
        self.journal = ModelJournal(self.device)
        self.journal.grow(ENTRIES - 1)
        self.in_custody, self.acknowledged, self.sent, self.rewound = 0, 0, 0, 0

    def send(self):
        first = self.in_custody + 1
        message = self.journal.message(first, min(first + BATCH - 1, ENTRIES))
        there = self.pair if first == 1 or self.chance.random() < 0.3 else [self.chance.choice(self.pair)]
        for each in there:
            each.inbox.put(message)
        self.sent += len(there)
        if first > 1 and self.chance.random() < 0.3:
            self.chance.choice(self.pair).inbox.put(self.journal.message(max(1, first - BATCH), first - 1))
            self.sent += 1

    def take(self, payload):
        reply = read_reply(payload, KEY.verify_key, device=self.device.name)
        if isinstance(reply, Ack):
            self.acknowledged += 1
            assert reply.through_hash == self.journal.entries[reply.through_seq - 1].hash
            if reply.through_seq > self.in_custody:
                self.in_custody = reply.through_seq
                return True
            return False
        self.rewound += 1
        assert (type(reply), reply.reason) == (Nack, "gap")
        self.in_custody = reply.expected_seq - 1
        return True


def counted(store):
    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(entries)).scalar_one()


def test_split_deliveries_lose_nothing_double_nothing_and_keep_the_order(pair, fleet):
    chance = random.Random(20261122)
    senders = {each.device.name: each for each in (Sender(chance, pair) for _ in range(DEVICES))}
    register(fleet, *(each.device for each in senders.values()))
    for each in senders.values():
        each.send()
    until, answered = time.monotonic() + 60, 0
    while any(each.in_custody < ENTRIES for each in senders.values()) or answered < sum(each.sent for each in senders.values()):
        assert time.monotonic() < until, [each.failures for each in pair]
        reply = pair[0].replies.get(timeout=30)
        answered += 1
        sender = senders[reply.topic.split("/")[3]]
        if sender.take(reply.payload) and sender.in_custody < ENTRIES:
            sender.send()
    assert [each.failures for each in pair] == [[], []]
    # Every message was answered, and duplicates as what they are: held already.
    assert sum(each.acknowledged + each.rewound for each in senders.values()) == sum(each.sent for each in senders.values())
    assert sum(each.acknowledged for each in senders.values()) > DEVICES * ENTRIES / BATCH
    assert counted(fleet) == DEVICES * ENTRIES
    report = verify_chains(fleet)
    assert (report.verified, report.entries, report.faults) == (DEVICES, DEVICES * ENTRIES, [])
    with fleet.read() as connection:
        assert connection.execute(select(func.count()).select_from(findings).where(findings.c.kind != "gap")).scalar_one() == 0
        before = func.lag(entries.c.seq).over(partition_by=entries.c.journal_no, order_by=entries.c.no)
        steps = select((entries.c.seq - before).label("step")).subquery()
        assert set(connection.execute(select(steps.c.step).distinct()).scalars()) == {None, 1}


def waits_for_a_lock(location):
    with psycopg.connect(location.replace("+psycopg", "")) as connection:
        return connection.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone() != (0,)


def test_the_second_waits_while_the_first_has_the_journal_and_then_knows_what_it_took(location, pair, fleet):
    sender = Sender(random.Random(1), pair)
    register(fleet, sender.device)
    first, second = pair
    first.inbox.put(sender.journal.message(1, 5))
    assert sender.take(first.replies.get(timeout=30).payload)
    with first.store.write() as connection:
        Ledger(connection, now_ms=0).load_marks([sender.journal.id])
        second.inbox.put(sender.journal.message(1, 9))
        wait_for(lambda: waits_for_a_lock(location), what="the second process at the lock")
        assert second.replies.empty()
    assert sender.take(second.replies.get(timeout=30).payload)
    assert (sender.in_custody, counted(fleet)) == (9, 9)


def test_a_journal_that_both_open_at_once_is_opened_by_one_and_acknowledged_by_both(location, pair, fleet):
    sender = Sender(random.Random(2), pair)
    register(fleet, sender.device)
    with first_transaction(pair[0], sender.journal.message(1, 4)) as commit:
        pair[1].inbox.put(sender.journal.message(1, 4))
        wait_for(lambda: waits_for_a_lock(location), what="the second process at the same journal")
        commit()
    reply = read_reply(pair[1].replies.get(timeout=30).payload, KEY.verify_key, device=sender.device.name)
    assert (type(reply), reply.through_seq, counted(fleet)) == (Ack, 4, 4)
    with fleet.read() as connection:
        assert connection.execute(select(func.count()).select_from(journals)).scalar_one() == 1


class first_transaction:
    """A process that has written everything of a message and not committed yet; `commit` lets it."""

    def __init__(self, ingest, message: Message):
        self.ingest, self.message = ingest, message
        self.written, self.go = threading.Event(), threading.Event()

    def __enter__(self):
        store = _Slow(self.ingest.store, self)
        intake = Intake(store, Directory(self.ingest.store), KEY)
        self.thread = threading.Thread(target=intake.take, args=([self.message],))
        self.thread.start()
        assert self.written.wait(30)
        return self.go.set

    def __exit__(self, *_):
        self.go.set()
        self.thread.join(30)


class _Slow:
    """A store whose commit waits to be let."""

    def __init__(self, store, gate):
        self._store, self._gate = store, gate
        self.incarnation = store.incarnation

    def write(self):
        return _Write(self._store.write(), self._gate)


class _Write:
    def __init__(self, inner, gate):
        self._inner, self._gate = inner, gate

    def __enter__(self):
        return self._inner.__enter__()

    def __exit__(self, *how):
        self._gate.written.set()
        assert self._gate.go.wait(30)
        return self._inner.__exit__(*how)


def test_findings_of_many_devices_at_once_are_all_counted(pair, fleet):
    senders = [Sender(random.Random(3), pair) for _ in range(30)]
    register(fleet, *(each.device for each in senders))
    for _ in range(10):
        for each, order in ((pair[0], senders), (pair[1], senders[::-1])):
            for sender in order:
                each.inbox.put(Message(sender.device.topic("journal"), b"noise"))
    for _ in range(600):
        pair[0].replies.get(timeout=30)
    assert [each.failures for each in pair] == [[], []]
    with fleet.read() as connection:
        assert set(connection.execute(select(findings.c.count)).scalars()) == {20}


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_rows_in_one_go_are_rows_and_a_second_of_them_is_an_error_as_anywhere(database, tmp_path, request):
    where = str(tmp_path) if database == "sqlite" else request.getfixturevalue("location")
    create_store(where)
    store = open_store(where, writes="journal")
    columns = ("journal_no", "seq", "kind", "kind_version", "shelved_ms", "known_ms")
    rows = [(1, seq, "种类\t\\N\n", 1, 1_795_320_000_000, None if seq % 2 else seq) for seq in range(1, 6)]
    with store.write() as connection:
        insert_rows(connection, shelved, columns, [])
        insert_rows(connection, shelved, columns, rows)
    with pytest.raises(IntegrityError), store.write() as connection:
        insert_rows(connection, shelved, columns, [(2, 1, "x", 1, 0, None), rows[0]])
    with store.read() as connection:
        assert [tuple(row) for row in connection.execute(select(*(shelved.c[name] for name in columns)))] == rows
    store.close()
