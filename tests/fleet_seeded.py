"""A fleet with fast passwords and a clock that tests move, over a prepared data directory that is copied for each test."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import insert

from demo.seed.device import SeedDevice
from fleet.app import open_fleet
from fleet.registry import tables
from fleet.registry.records import Hall, Person, Window
from fleet.services import Fleet
from fleet.setup import prepare

NOW_MS = 1_795_320_000_000
"""2026-11-22 04:00 UTC, noon in the hall."""
FAST = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


class Clock:
    """UTC milliseconds that only a test moves."""

    def __init__(self, ms: int = NOW_MS) -> None:
        self.ms = ms

    def __call__(self) -> int:
        return self.ms

    def on(self, *, seconds: float = 0, days: float = 0) -> None:
        """Move it forward."""
        self.ms += int(seconds * 1000 + days * 86_400_000)


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared data directory that nobody writes to."""
    folder = tmp_path_factory.mktemp("blank") / "fleet"
    folder.mkdir()
    prepare(folder, now=dt.datetime.now(dt.UTC))
    return folder


@pytest.fixture
def clock() -> Clock:
    """The clock of `fleet`."""
    return Clock()


@pytest.fixture
def fleet(blank: Path, tmp_path: Path, clock: Clock) -> Iterator[Fleet]:
    """All services over an empty store, with the test's clock, one hall and two windows."""
    shutil.copytree(blank, tmp_path / "fleet")
    made = open_fleet(tmp_path / "fleet", clock=clock, hasher=FAST)
    registry = made.registry
    registry.put(Hall(code="yunxi", tenant=made.config.tenant, title={"zh": "云溪大厅", "en": "Yunxi"}))
    for number in ("12", "06"):
        registry.put(Window(hall="yunxi", number=number, business={"zh": "不动产"}, place={"zh": "二楼"}))
    registry.put(Person(hall="yunxi", number="112", name="李强"))
    yield made
    made.close()


def place_device(
    fleet: Fleet, seed: int, *, role: str = "evaluator", window: str = "12", at_ms: int = NOW_MS - 40 * 86_400_000
) -> SeedDevice:
    """Register and place a device as pairing would."""
    device = SeedDevice(seed, role=role, hall="yunxi", window=window if role == "evaluator" else "", label=f"设备{seed}")
    row = {"name": device.name, "tenant": fleet.config.tenant, "role": role, "signing_key": bytes(device.key.verify_key)}
    row |= {"model": "Pi", "software": "1", "paired_ms": at_ms, "paired_by": "test"}
    with fleet.store.write() as connection:
        connection.execute(insert(tables.devices).values(**row))
    fleet.registry.place(device.name, hall="yunxi", window=device.window, label={"zh": device.label}, by="test", at_ms=at_ms)
    return device


__all__ = ["FAST", "NOW_MS", "Clock", "blank", "clock", "fleet", "place_device"]
