"""The real console for tests: server, broker, a device that speaks MQTT, and pages of a real Chromium."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest
from fleet_model import ModelDevice
from fleet_mqtt import Client, device_client
from private_servers import PrivateBroker, free_port, wait_for

from demo.seed.device import state_of
from demo.shots.console import ARGUMENTS, CHROMIUM
from fleet.app import open_fleet
from fleet.config import FILE, load_config
from fleet.console.visitor import SESSION_COOKIE
from fleet.registry.records import Hall, Window
from fleet.setup import prepare
from wire.codec import decode, encode
from wire.messages import Command, Presence
from wire.pairing import Commit, Offer, Reveal, Welcome, commitment, make_reveal
from wire.topics import topic

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
PASSWORD = "a night at the desk"
WAIT_MS = 20_000


class Server:
    """`nw-fleet serve` in a process of its own, with its address and its broker."""

    def __init__(self, data: Path, broker: PrivateBroker) -> None:
        self.data, self.broker = data, broker
        self.sessions: dict[str, list] = {}
        self.address = f"http://127.0.0.1:{load_config(data).console.port}"
        log = (data / "serve.log").open("wb")
        self._process = subprocess.Popen([sys.executable, "-m", "fleet.cli", "serve", "--data", str(data)], stdout=log, stderr=log)
        wait_for(self._answers, what="the console")

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self.data / "serve.log").read_text()
        try:
            return urllib.request.urlopen(self.address + "/healthz", timeout=5).status == 200
        except OSError:
            return False

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(20)


class Device:
    """A device as the fleet sees it, that answers commands when the test says so."""

    def __init__(self, data: Path, role: str = "terminal") -> None:
        self.model = ModelDevice()
        self.name = self.model.name
        self.role = role
        self.link: Client | None = None
        self._data = data

    def begin_pairing(self, fleet) -> Reveal:
        """Commit and reveal; gives the Reveal to ask again with."""
        offer = encode(
            Offer(
                device=self.name,
                role=self.role,
                signing_key=bytes(self.model.key.verify_key),
                certificate_request=self.model.request(),
                software="0.1.0",
                model="Raspberry Pi 5",
                nonce=os.urandom(32),
            )
        )
        challenge = fleet.pairings.commit(Commit(commitment=commitment(offer)), peer="10.0.0.7")
        reveal = make_reveal(challenge.pairing, offer, self.model.key)
        fleet.pairings.reveal(reveal)
        return reveal

    def connect(self, welcome: Welcome) -> None:
        self.link = device_client(self._data, load_config(self._data).broker.port, self.model, welcome.certificate).wait_up()
        self.link.subscribe(self.topic("command"), self.topic("desired"))
        self.send("presence", Presence(online=True, connection=1, since_ms=0), retain=True)

    def topic(self, channel: str) -> str:
        return topic("county", self.name, channel)

    def send(self, channel: str, message, *, retain: bool = False) -> None:
        assert self.link.publish(self.topic(channel), encode(message), retain=retain) == "Success"

    def state(self, now_ms: int, **changes) -> None:
        self.send("state", state_of(self.role, now_ms, **changes), retain=True)

    def next_command(self) -> Command:
        wait_for(lambda: self.link.received(self.topic("command")), what="a command")
        return decode(self.link.received(self.topic("command"))[-1], Command)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server and broker with a hall and people; one for all tests, because starting it takes longer than any of them."""
    data = tmp_path_factory.mktemp("console") / "fleet"
    data.mkdir()
    text = f'[broker]\nport = {free_port()}\nbind = "127.0.0.1"\n[door]\nport = {free_port()}\nbind = "127.0.0.1"\n'
    (data / FILE).write_text(text + f"[console]\nport = {free_port()}\n")
    prepare(data, now=dt.datetime.now(dt.UTC))
    broker = PrivateBroker(data / "broker" / "mosquitto.conf", load_config(data).broker.port)
    fleet = open_fleet(data)
    fleet.registry.put(Hall(code="yunxi", tenant="county", title={"zh": "云溪大厅", "en": "Yunxi"}))
    fleet.registry.put(Window(hall="yunxi", number="12", business={"zh": "不动产"}, place={"zh": "二楼"}))
    for name, role in (("root", "admin"), ("anna", "operator"), ("carl", "operator"), ("guest", "viewer")):
        fleet.access.add_user(name, display=name, role=role, password=PASSWORD, by="test")
    fleet.close()
    server = Server(data, broker)
    yield server
    assert server.stop() == 0
    broker.stop()


@pytest.fixture(autouse=True)
def no_devices_left(served: Server) -> Iterator[None]:
    """Take every device of a test out of the hall after it, so that the next one begins with an empty console."""
    yield
    fleet = open_fleet(served.data)
    fleet.registry.on_revoke = None
    for device in fleet.registry.devices():
        fleet.registry.revoke(device.name, by="test", why="the test is over")
    fleet.close()


@pytest.fixture(scope="module")
def chromium():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, served: Server):
    """A page that fails the test on a script error or a request that leaves the server."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    made = context.new_page()
    made.set_default_timeout(WAIT_MS)
    faults: list[str] = []
    made.on("pageerror", lambda error: faults.append(str(error)))
    host = urlparse(served.address).netloc
    made.on("request", lambda r: faults.append(r.url) if urlparse(r.url).netloc not in (host, "") else None)
    yield made
    context.close()
    assert faults == []


def log_in(page, served: Server, name: str = "anna") -> None:
    """Open the overview as somebody; the session of an earlier test does while it lasts."""
    page.context.add_cookies(served.sessions.get(name, []))
    page.goto(served.address)
    if urlparse(page.url).path == "/login":
        page.get_by_label("用户名").fill(name)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
    page.wait_for_selector("main h1")
    served.sessions[name] = [cookie for cookie in page.context.cookies() if cookie["name"] == SESSION_COOKIE]


def paired(served: Server, page=None) -> Device:
    """A device that was paired by the service and is connected and well."""
    fleet = open_fleet(served.data)
    device = Device(served.data)
    reveal = device.begin_pairing(fleet)
    fleet.pairings.approve(reveal.pairing, hall="yunxi", label={"zh": "一号机"}, by="test")
    state = fleet.pairings.reveal(reveal)
    device.connect(decode(state.welcome, Welcome))
    fleet.close()
    return device


def now_ms() -> int:
    """The time by this machine."""
    return time.time_ns() // 1_000_000
