"""A fleet whose devices rate through the real intake, with people who handle work orders and a channel that remembers."""

import random
from collections.abc import Iterator

import pytest
from fleet_seeded import NOW_MS, Clock, place_device

from fleet.access.service import Actor
from fleet.ingest.directory import Directory
from fleet.ingest.intake import Intake
from fleet.services import Fleet
from fleet.store import open_store
from wire.kinds import PressSecret, RatingPressed
from wire.leaf import leaf, new_secret, seal

ZHAO = Actor(name="zhao", display="赵监督", role="supervisor")
QIAN = Actor(name="qian", display="钱监督", role="supervisor")
SUN = Actor(name="sun", display="孙监督", role="supervisor")
LI = Actor(name="li", display="李科长", role="handler")
WANG = Actor(name="wang", display="王科长", role="handler")
ANNA = Actor(name="anna", display="安娜", role="admin")
EVERYBODY = (ZHAO, QIAN, SUN, LI, WANG, ANNA)
DAY_MS = 86_400_000


class Outbox:
    """A channel that remembers what it was given, or says what went wrong."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.trouble = ""

    def reaches(self, audience: str) -> bool:
        return True

    def send(self, audience: str, title: str, body: str) -> str:
        if not self.trouble:
            self.sent.append((audience, body))
        return self.trouble


class Counter:
    """A window where people rate: each level pressed arrives signed, through the real intake."""

    def __init__(self, fleet: Fleet, clock: Clock) -> None:
        self.fleet, self.clock = fleet, clock
        self.store = open_store(fleet.data, writes="journal")
        self.directory = Directory(fleet.store)
        self.intake = Intake(self.store, self.directory, fleet.keys.signing, clock=clock)
        self.dice = random.Random(1)
        self.seal_key = bytes(fleet.keys.seal.public_key)
        self.device = place_device(fleet, 1)

    def rate(self, *levels: int | None, at_ms: int | None = None, device=None, **how) -> None:
        """One rating a level, now or at a time, and hand it over."""
        for level in levels:
            moment = self.clock.ms if at_ms is None else at_ms
            (device or self.device).rate(level, at_ms=moment, seal_key=self.seal_key, dice=self.dice, clerk="112", item="A1", **how)
        self.hand_over(device)

    def press(self, level: int, *, rating: bytes, occasion: bytes, kind: str = "rating.pressed") -> None:
        """A press alone, as while the visitor may still correct it."""
        secret = new_secret()
        sealed = seal(PressSecret(level=level, secret=secret), self.seal_key)
        body = RatingPressed(rating=rating, occasion=occasion, via="button", leaf=leaf(level, secret), sealed=sealed)
        self.device.append(kind, body, at_ms=self.clock.ms)
        self.hand_over()

    def hand_over(self, device=None) -> None:
        self.directory.refresh()
        self.intake.take(list((device or self.device).batches(self.fleet.config.tenant)))
        self.fleet.projection.catch_up()

    def sync(self) -> int:
        """A round of oversight that looks at everything."""
        self.fleet.oversight.openings._swept_ms = 0
        return self.fleet.oversight.openings.sync()

    def bad(self, level: int = 1, *, among: int = 5) -> int:
        """A bad rating and good ones after it, so that a whole block of `among` stands; gives its order's number."""
        self.rate(level, *[5] * (among - 1))
        self.sync()
        return self.fleet.oversight.orders.listing(ZHAO)[0].no


@pytest.fixture
def outbox(fleet) -> Outbox:
    """The channel of `fleet`'s notices."""
    made = Outbox()
    fleet.oversight.notices._channel = made
    return made


@pytest.fixture
def counter(fleet, clock, outbox) -> Iterator[Counter]:
    """A window of `fleet`, with everybody who handles orders."""
    for each in EVERYBODY:
        fleet.access.add_user(each.name, display=each.display, role=each.role, password="a night at the desk", by="test")
    made = Counter(fleet, clock)
    yield made
    made.store.close()


__all__ = ["ANNA", "DAY_MS", "LI", "NOW_MS", "QIAN", "SUN", "WANG", "ZHAO", "Counter", "Outbox", "counter", "outbox"]
