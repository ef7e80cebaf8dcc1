"""Fixtures for tests of the fleet: stores on every database, and a prepared data directory with its own broker."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from private_servers import ENDED, PrivateBroker, PrivatePostgres, free_port

import fleet.app  # noqa: F401 - every feature's tables
from fleet.config import FILE
from fleet.setup import prepare
from fleet.store import create_store, metadata

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


@pytest.fixture(scope="session")
def blank_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store on SQLite that nobody writes to."""
    folder = tmp_path_factory.mktemp("store") / "data"
    create_store(folder)
    return folder


@pytest.fixture(scope="session")
def blank_database(postgres: PrivatePostgres) -> str:
    """A store on PostgreSQL."""
    url = postgres.new_database()
    create_store(url)
    return url


@pytest.fixture(params=DATABASES)
def made_store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store with nothing in it, once for each database: copied or emptied, because making one takes longer than most tests."""
    if request.param == "sqlite":
        return str(shutil.copytree(request.getfixturevalue("blank_store"), tmp_path / "data"))
    url: str = request.getfixturevalue("blank_database")
    # Deleting the few rows of a test is much quicker than truncating, which makes new files for every table and index.
    rows = ";".join(f"DELETE FROM {table.fullname}" for table in metadata.tables.values() if table.name != "incarnations")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(ENDED)
        connection.execute("SET LOCAL session_replication_role = replica")  # Foreign keys need no order then.
        connection.execute(rows)
        connection.execute("DELETE FROM journal.incarnations WHERE no > (SELECT min(no) FROM journal.incarnations)")
        connection.execute(
            "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S' AND relname NOT LIKE 'incarnations%'"
        )
    return url


@pytest.fixture(scope="session")
def blank_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared data directory that nobody uses."""
    folder = tmp_path_factory.mktemp("prepared") / "fleet"
    prepare(folder, now=dt.datetime.now(dt.UTC))
    return folder


@pytest.fixture
def data(tmp_path: Path, blank_data: Path) -> Path:
    """A prepared data directory whose broker and door have ports of their own."""
    folder = shutil.copytree(blank_data, tmp_path / "fleet")
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
