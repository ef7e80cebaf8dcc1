"""What the runtime tests share: a fake clock, a device in a directory, a model fleet, a real Mosquitto with TLS, a real door."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_broker import Authority, Broker, FleetClient
from agent_device import Device
from agent_door import DoorServer, make_welcome
from custody_sender import Sender
from model_fleet import ModelFleet
from waiting import until

from runtime import credentials
from runtime.clock import FakeClock
from runtime.identity import Identity, certificate_request, ensure
from runtime.journal import Journal
from wire.pairing import Welcome

SMALL = 4 << 20


@pytest.fixture(name="until")
def _until() -> Callable[..., Any]:
    return until


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return ensure(tmp_path / "device")


@pytest.fixture
def open_journal(tmp_path: Path, identity: Identity, clock: FakeClock) -> Iterator[Callable[..., Journal]]:
    """Opens journals below the device's directory and closes them afterwards."""
    opened: list[Journal] = []

    def opener(stream: Any = "evidence", budget_bytes: int = SMALL, **more: Any) -> Journal:
        arguments = {"identity": identity, "clock": clock, "budget_bytes": budget_bytes} | more
        journal = Journal.open(tmp_path / "device", stream, **arguments)
        opened.append(journal)
        return journal

    yield opener
    for journal in opened:
        journal.close()


@pytest.fixture
def model_fleet(identity: Identity, clock: FakeClock) -> ModelFleet:
    return ModelFleet(identity.signing_key, clock_ms=lambda: clock.wall_ms)


@pytest.fixture(name="make_welcome")
def _make_welcome() -> Callable[..., Welcome]:
    return make_welcome


@pytest.fixture
def sender(tmp_path: Path, identity: Identity, model_fleet: Any, clock: FakeClock) -> Iterator[Sender]:
    sender = Sender(tmp_path / "device", identity, model_fleet, clock)
    yield sender
    sender.close()


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def new_authority() -> type[Authority]:
    return Authority


@pytest.fixture
def broker(tmp_path: Path, authority: Authority) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker", authority)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def fleet_client(broker: Broker, identity: Identity) -> Iterator[FleetClient]:
    client = FleetClient(broker, ModelFleet(identity.signing_key))
    yield client
    client.close()


@pytest.fixture
def door(authority: Authority, tmp_path: Path, fleet_client: FleetClient, broker: Broker) -> Iterator[DoorServer]:
    """A door of the same fleet as `fleet_client`."""
    server = DoorServer(authority, tmp_path / "door", fleet_client.fleet, broker.port)
    yield server
    server.close()


@pytest.fixture
def lone_door(authority: Authority, tmp_path: Path, model_fleet: ModelFleet) -> Iterator[DoorServer]:
    """A door without a broker behind it."""
    server = DoorServer(authority, tmp_path / "door", model_fleet)
    yield server
    server.close()


@pytest.fixture
def device(tmp_path: Path, identity: Identity, until: Callable[..., Any], door: Any) -> Iterator[Device]:
    device = Device(tmp_path / "device", identity, door.url, until)
    yield device
    device.stop()


@pytest.fixture
def paired(device: Device, authority: Any, fleet_client: Any, broker: Any, make_welcome: Any, door: Any) -> Device:
    """A device that was paired before."""
    welcome = make_welcome(
        authority,
        device.identity,
        fleet_client.fleet,
        port=broker.port,
        request=certificate_request(device.identity),
        content_url=f"{door.url}/content",
    )
    credentials.save_welcome(welcome, device.identity)
    return device
