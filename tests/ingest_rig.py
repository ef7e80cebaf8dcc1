"""Ingest over a store with one registered device, for tests: messages in, answers out."""

import pytest
from fleet_model import NOW_MS, ModelDevice, ModelJournal, register
from nacl.signing import SigningKey
from sqlalchemy import func, select

from fleet.ingest.directory import Directory
from fleet.ingest.intake import Intake
from fleet.store import open_store
from fleet.store.tables import findings
from wire.custody import Nack, read_reply


class Rig:
    """Ingest over a store, with one registered device."""

    def __init__(self, location):
        self.fleet = open_store(location, writes="fleet")
        self.store = open_store(location, writes="journal")
        self.key = SigningKey.generate()
        self.seconds = 0.0
        self.directory = Directory(self.store, monotonic=lambda: self.seconds)
        self.now_ms = NOW_MS
        self.intake = Intake(self.store, self.directory, self.key, clock=lambda: self.now_ms)
        self.device = ModelDevice()
        register(self.fleet, self.device)
        self.journal = ModelJournal(self.device)

    def give(self, *messages):
        """The fleet's answers, checked as a device checks them."""
        self.seconds += 10
        return [
            read_reply(reply.payload, self.key.verify_key, device=reply.topic.split("/")[3]) for reply in self.intake.take(messages)
        ]

    def all(self, table, *columns):
        with self.store.read() as connection:
            return [tuple(row) for row in connection.execute(select(*(table.c[name] for name in columns)).order_by(table.c.no))]

    def count(self, table):
        with self.store.read() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    def found(self):
        """Findings as {kind: count}."""
        return dict(self.all(findings, "kind", "count"))


@pytest.fixture
def rig(made_store):
    return Rig(made_store)


def refused(answers, reason):
    """The one answer is a Nack with that reason; gives it."""
    (answer,) = answers
    assert isinstance(answer, Nack), answer
    assert answer.reason == reason, answer.detail
    return answer
