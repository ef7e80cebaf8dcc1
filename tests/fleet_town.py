"""A small town's ratings through the real intake and projection into the ledger: the fixture `town` of the ledger's tests."""

import json
import random

import pytest
from fleet_seeded import NOW_MS, place_device
from sqlalchemy import select

from fleet.ingest.directory import Directory
from fleet.ingest.intake import Intake
from fleet.ratings.ledger.tables import ledger_entries
from fleet.store import open_store

DAY_MS = 86_400_000
FIRST_MS = NOW_MS - 25 * DAY_MS
"""2026-10-28, noon in the hall."""


class Town:
    """A fleet with devices that rate, through the real intake and projection."""

    def __init__(self, fleet, clock) -> None:
        self.fleet, self.clock = fleet, clock
        self.dice = random.Random(7)
        self.devices = {}
        self.store = open_store(fleet.data, writes="journal")
        self.directory = Directory(self.store)
        self.intake = Intake(self.store, self.directory, fleet.keys.signing, clock=clock)

    def rate(self, window: str, levels, *, at_ms: int, invited: bool = True) -> None:
        if window not in self.devices:
            self.devices[window] = place_device(self.fleet, len(self.devices) + 1, window=window, at_ms=FIRST_MS - DAY_MS)
            self.directory.refresh()
        device = self.devices[window]
        for number, level in enumerate(levels):
            seal = bytes(self.fleet.keys.seal.public_key)
            device.rate(level, at_ms=at_ms + number * 60_000, seal_key=seal, dice=self.dice, invited=invited)

    def hand_over(self) -> None:
        """What devices have reaches the store; serve has not read it yet."""
        for device in self.devices.values():
            self.intake.take(list(device.batches(self.fleet.config.tenant)))

    def deliver(self) -> None:
        self.hand_over()
        self.fleet.projection.catch_up()

    def month(self) -> None:
        """Window 12 rates 23 times, window 06 seven times, three uninvited; then November begins, and the ledger is kept up."""
        self.rate("12", [5, 4, 3, 2, 1] * 4 + [5, 5, 1], at_ms=FIRST_MS)
        self.rate("06", [5, 5, 1, 5, 4, 2, 5], at_ms=FIRST_MS + DAY_MS)
        self.rate("06", [1, 3, 5], at_ms=FIRST_MS + 2 * DAY_MS, invited=False)
        self.deliver()
        self.clock.ms = FIRST_MS + 4 * DAY_MS
        self.fleet.ledger.keep_up()

    def entries(self):
        with self.fleet.store.read() as connection:
            return connection.execute(select(ledger_entries).order_by(ledger_entries.c.position)).all()

    def statement(self, month: str):
        return json.loads(self.fleet.ledger.statement(month))


@pytest.fixture
def town(fleet, clock):
    clock.ms = FIRST_MS
    made = Town(fleet, clock)
    yield made
    made.store.close()
