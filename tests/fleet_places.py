"""Fixtures for tests of the fleet: stores on every database, and a prepared data directory with its own broker."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from private_servers import PrivateBroker, PrivatePostgres, free_port

from fleet.config import FILE
from fleet.setup import prepare

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """One private PostgreSQL for the session."""
    if why := PrivatePostgres.missing():
        pytest.skip(why)
    server = PrivatePostgres()
    yield server
    server.stop()


@pytest.fixture(params=DATABASES)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store may be made, once for each database."""
    if request.param == "sqlite":
        return str(tmp_path / "data")
    return request.getfixturevalue("postgres").emptied_database()  # type: ignore[no-any-return]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A prepared data directory whose broker and door have ports of their own."""
    folder = tmp_path / "fleet"
    folder.mkdir()
    text = f'names = ["localhost", "127.0.0.1"]\n[broker]\nport = {free_port()}\nbind = "127.0.0.1"\n'
    text += f'[door]\nport = {free_port()}\nbind = "127.0.0.1"\n[console]\nport = {free_port()}\n'
    (folder / FILE).write_text(text)
    prepare(folder, now=dt.datetime.now(dt.UTC))
    return folder


@pytest.fixture
def broker(data: Path) -> Iterator[PrivateBroker]:
    """Mosquitto running from the prepared directory."""
    from fleet.config import load_config

    server = PrivateBroker(data / "broker" / "mosquitto.conf", load_config(data).broker.port)
    yield server
    server.stop()
