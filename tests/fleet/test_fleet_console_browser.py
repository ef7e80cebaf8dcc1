"""The console in a real Chromium against the real server, broker and a device that speaks MQTT: what an operator does at night."""

import datetime as dt
import os
import re
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

from demo.seed.device import part, state_of
from demo.seed.picture import sketch_png
from demo.shots.console import ARGUMENTS, CHROMIUM
from fleet.app import open_fleet
from fleet.config import FILE, load_config
from fleet.console.visitor import SESSION_COOKIE
from fleet.registry.records import Hall, Window
from fleet.setup import prepare
from pack.model import Department, Text
from pack.model import Hall as HallCard
from wire.codec import decode, encode
from wire.messages import Command, Desired, Picture, Presence, Report, SignedDesired
from wire.pairing import Commit, Offer, Reveal, Welcome, commitment, make_reveal
from wire.topics import topic

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"{CHROMIUM} is not installed")]
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


def test_without_login_every_page_leads_to_the_login_and_back(page, served):
    page.goto(served.address + "/devices?q=x")
    assert urlparse(page.url).path == "/login"
    page.get_by_label("用户名").fill("anna")
    page.get_by_label("密码").fill("wrong password")
    page.get_by_role("button", name="登录").click()
    page.get_by_text("用户名或密码不对").wait_for()
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_selector("main h1")
    assert page.url.endswith("/devices?q=x")


def test_all_is_well_is_said_in_one_sentence_and_in_english_too(page, served):
    log_in(page, served)
    page.get_by_role("heading", name="一切正常").wait_for()
    page.get_by_role("link", name="English").first.click()
    page.get_by_role("heading", name="All is well").wait_for()


def test_a_pending_device_is_approved_after_its_code_was_compared(page, served):
    log_in(page, served)
    page.goto(served.address + "/pairing")
    fleet = open_fleet(served.data)
    device = Device(served.data, role="evaluator")
    reveal = device.begin_pairing(fleet)
    code = fleet.pairings.get(reveal.pairing).code
    page.get_by_text(code).wait_for()
    page.get_by_label("设备名称（显示在屏幕上）").fill("12号窗口评价器")
    page.get_by_role("button", name="配对码一致，批准").click()
    page.get_by_text("已批准，设备即将上线").wait_for()
    state = fleet.pairings.reveal(reveal)
    assert state.state == "approved"
    welcome = decode(state.welcome, Welcome)
    wanted = decode(decode(welcome.desired, SignedDesired).signed, Desired)
    assert (wanted.placement.window, wanted.placement.label["zh"]) == ("12", "12号窗口评价器")
    device.connect(welcome)
    device.state(now_ms(), configuration_version=wanted.version)
    page.goto(served.address + "/devices")
    page.get_by_role("row", name="12号窗口评价器").get_by_text("在线").wait_for()
    assert fleet.audit.read(search="pairing.approve")[0].actor == "anna"
    device.link.close()
    fleet.close()


def test_an_incident_appears_by_itself_is_taken_and_goes_when_mended(page, served):
    device = paired(served)
    log_in(page, served)
    out = (part("printer", now_ms(), "down", "printer.paper_out", "next.load_paper"),)
    device.state(now_ms(), parts=out)
    page.get_by_role("heading", name="现在有 1 件事要处理").wait_for()
    row = page.locator(".incident")
    assert "云溪大厅不能打印" in row.inner_text()
    assert "换纸" in row.inner_text()
    row.get_by_role("button", name="接单").click()
    page.get_by_text("anna 已接单").wait_for()
    device.state(now_ms())
    page.get_by_role("heading", name="一切正常").wait_for()
    device.link.close()


def test_a_command_shows_what_the_device_said_and_nothing_before(page, served):
    device = paired(served)
    device.state(now_ms())
    log_in(page, served)
    page.goto(f"{served.address}/devices/{device.name}")
    page.get_by_role("button", name="亮屏识别").click()
    command = device.next_command()
    assert command.verb == "identify"
    page.get_by_text("已发出，设备未确认").wait_for()
    for state, words in (("received", "设备已收到"), ("running", "设备执行中"), ("done", "设备已完成")):
        device.send("report", Report(command=command.id, state=state, at_ms=now_ms()))
        page.get_by_text(words).wait_for()
    device.link.close()


def test_a_picture_is_asked_for_and_shown(page, served):
    device = paired(served)
    device.state(now_ms())
    log_in(page, served)
    page.goto(f"{served.address}/devices/{device.name}")
    page.get_by_text("还没有画面").wait_for()
    page.get_by_role("button", name="要一张画面").click()
    command = device.next_command()
    device.send("picture", Picture(command=command.id, at_ms=now_ms(), screen="attract", png=sketch_png()))
    image = page.locator(".screen img")
    image.wait_for()
    page.wait_for_function("document.querySelector('.screen img').naturalWidth === 270")
    device.link.close()


def test_settings_are_checked_and_sent_and_what_is_typed_stays_while_the_page_changes(page, served):
    device = paired(served)
    device.state(now_ms())
    log_in(page, served)
    page.goto(f"{served.address}/devices/{device.name}")
    page.get_by_text("更改（已设 0 项）").click()
    page.get_by_label("无人操作多久后提示（15").fill("5")
    page.get_by_label("屏幕公告（中文）").fill("今日停电")
    device.state(now_ms(), screen="search")
    page.get_by_text("查事项").wait_for()
    page.get_by_role("button", name="保存并下发").click()
    page.get_by_text("应为15–600").wait_for()
    assert page.get_by_label("无人操作多久后提示（15").input_value() == "5"
    assert page.get_by_label("屏幕公告（中文）").input_value() == "今日停电"
    page.get_by_label("无人操作多久后提示（15").fill("90")
    page.get_by_role("button", name="保存并下发").click()
    page.get_by_text("更改（已设 2 项）").wait_for()
    page.get_by_text("未一致").first.wait_for()

    def wanted() -> Desired:
        return decode(decode(device.link.received(device.topic("desired"))[-1], SignedDesired).signed, Desired)

    wait_for(lambda: device.link.received(device.topic("desired")) and wanted().settings, what="the settings")
    assert (wanted().settings, wanted().notice) == ({"idle.after_s": 90.0}, {"zh": "今日停电"})
    device.state(now_ms(), configuration_version=wanted().version)
    page.get_by_text("未一致").first.wait_for(state="hidden")
    device.link.close()


def test_a_device_is_revoked_with_a_reason_and_cut_off_at_once(page, served):
    device = paired(served)
    device.state(now_ms())
    revoke(page, served, device, "柜子被撬")
    page.get_by_text("已吊销，连接已断开").wait_for()
    wait_for(lambda: device.link.reasons, what="the end of the connection")
    page.get_by_text("此设备已吊销").wait_for()
    page.get_by_text("柜子被撬").wait_for()
    fleet = open_fleet(served.data)
    (act,) = fleet.audit.read(search=device.name)[:1]
    assert (act.actor, act.action, act.detail) == ("root", "device.revoke", "柜子被撬")
    fleet.close()
    device.link.close()


def test_a_broker_that_hangs_does_not_hold_the_console_up_and_is_not_hidden(page, served):
    device = paired(served)
    device.state(now_ms())
    os.kill(served.broker.pid, signal.SIGSTOP)
    try:
        revoke(page, served, device, "丢失")
        page.get_by_text("正在吊销并断开连接").wait_for()
        began = time.monotonic()
        assert urllib.request.urlopen(served.address + "/healthz", timeout=5).status == 200
        assert time.monotonic() - began < 2, "the console waits for the broker"
        page.get_by_text("没有确认断开连接").wait_for()
    finally:
        os.kill(served.broker.pid, signal.SIGCONT)
    page.get_by_text("此设备已吊销").wait_for()
    device.link.close()


def revoke(page, served: Server, device: Device, why: str) -> None:
    """What an admin does who gives a device up."""
    log_in(page, served, "root")
    page.goto(f"{served.address}/devices/{device.name}")
    page.get_by_role("button", name="吊销设备…").click()
    page.get_by_label("原因（写入审计）").fill(why)
    page.get_by_role("button", name="吊销", exact=True).click()


def test_a_device_whose_power_is_cut_is_away_at_once_and_never_shown_as_well(page, served):
    device = paired(served)
    device.state(now_ms())
    log_in(page, served)
    page.goto(f"{served.address}/devices/{device.name}")
    page.get_by_text("在线").first.wait_for()
    device.send("presence", Presence(online=False, connection=1, since_ms=0), retain=True)
    page.get_by_text("设备失联").first.wait_for()
    page.get_by_text("设备不在线，以下是最后一次报告").wait_for()
    device.link.close()


def test_a_viewer_sees_no_buttons_and_is_refused_what_is_not_his(page, served):
    device = paired(served)
    device.state(now_ms())
    log_in(page, served, "guest")
    page.goto(f"{served.address}/devices/{device.name}")
    page.get_by_text("期望与上报").wait_for()
    assert page.get_by_role("button", name="亮屏识别").count() == 0
    for path in ("/users", "/audit", "/pairing"):
        assert page.goto(served.address + path).status == 403
    device.link.close()


def test_a_session_that_was_ended_elsewhere_can_do_nothing_any_more(page, served):
    device = paired(served)
    device.state(now_ms())
    log_in(page, served, "carl")
    page.goto(f"{served.address}/devices/{device.name}")
    button = page.get_by_role("button", name="亮屏识别")
    button.wait_for()
    fleet = open_fleet(served.data)
    fleet.access.change_user("carl", by="root", role="viewer")
    button.click()
    page.wait_for_url("**/login*")
    assert fleet.control.orders.of_device(device.name) == []
    fleet.close()
    device.link.close()


def test_an_admin_adds_a_person_who_can_log_in(page, served):
    log_in(page, served, "root")
    page.goto(served.address + "/users")
    page.get_by_role("button", name="新增人员").click()
    page.get_by_label("用户名（小写字母、数字）").fill("bert")
    page.get_by_label("初始密码（至少 10 个字符）").fill("short")
    page.get_by_role("button", name="保存").click()
    page.get_by_text("密码只有 5 个字符，至少 10 个").wait_for()
    page.get_by_label("初始密码（至少 10 个字符）").fill(PASSWORD)
    page.get_by_role("button", name="保存").click()
    page.get_by_role("cell", name="bert").first.wait_for()
    page.get_by_role("button", name="退出").first.click()
    log_in(page, served, "bert")


def test_items_are_imported_after_a_report_and_published_as_a_pack_that_devices_are_told_of(page, served, tmp_path):
    fleet = open_fleet(served.data)
    hall = HallCard(
        code="yunxi",
        name=Text(zh="云溪大厅"),
        area_code="999999",
        zones=(Text(zh="综合区"),),
        windows=(),
        hours=Text(zh="9:00–17:00"),
        phone="",
        complaint_phone="",
    )
    fleet.items.put("yunxi", [hall, Department(code="D1", name=Text(zh="公安局"), short_name=Text(zh="公安局"))], by="test")
    listed = tmp_path / "items.csv"
    listed.write_text("事项编码,事项名称,实施主体\nA1,居民身份证换领,公安局\nA2,普通护照首次申请,公安局\n", encoding="utf-8")
    log_in(page, served)
    page.goto(served.address + "/items")
    page.locator("input[type=file]").set_input_files(listed)
    page.get_by_text("新增 2").wait_for()
    assert fleet.items.items("yunxi") == {}
    page.get_by_role("button", name=re.compile("写入")).click()
    page.get_by_role("link", name="居民身份证换领").wait_for()
    assert set(fleet.items.items("yunxi")) == {"A1", "A2"}
    device = paired(served)
    page.get_by_role("button", name="生成并发布").click()
    page.get_by_text("已发布 ").wait_for()
    ref = fleet.control.packs.current("yunxi")
    assert (served.data / "content" / ref.sha256.hex()).stat().st_size == ref.size
    wanted = device.topic("desired")

    def told() -> bool:
        return any(decode(decode(each, SignedDesired).signed, Desired).content == ref for each in device.link.received(wanted))

    wait_for(told, what="the device being told of the pack")
    device.link.close()
    fleet.close()


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        (
            "rows.csv",
            "事项编码,事项名称,实施主体,法定办结时限\nA1,,公安局,\nA2,普通护照,公安局,负五天\n".encode(),
            ["拒收 1", "an item without one"],
        ),
        ("noise.xlsx", bytes(range(256)) * 12, ["noise.xlsx"]),
        ("cut.jsonl", b'{"code": "x1"', ["no JSON"]),
    ],
)
def test_a_dirty_item_file_is_told_row_by_row_and_writes_nothing(page, served, tmp_path, name, data, told):
    fleet = open_fleet(served.data)
    before = fleet.items.items("yunxi")
    listed = tmp_path / name
    listed.write_bytes(data)
    log_in(page, served)
    page.goto(served.address + "/items")
    page.locator("input[type=file]").set_input_files(listed)
    page.get_by_text(re.compile("个问题|未读取|nothing was read")).first.wait_for()
    for text in told:
        page.get_by_text(text).first.wait_for(state="attached")
    assert fleet.items.items("yunxi") == before


def test_a_known_device_that_asks_again_is_shown_as_known(page, served):
    fleet = open_fleet(served.data)
    device = Device(served.data)
    fleet.pairings.approve(device.begin_pairing(fleet).pairing, hall="yunxi", label={"zh": "一号机"}, by="test")
    device.begin_pairing(fleet)
    log_in(page, served)
    page.goto(served.address + "/pairing")
    page.get_by_text("这台设备已经登记（yunxi").wait_for()
    fleet.registry.revoke(device.name, by="test", why="lost")
    page.reload()
    page.get_by_text("后来被吊销。批准即撤销吊销").wait_for()
    fleet.close()


def test_hostile_labels_are_shown_as_text_and_run_nowhere(page, served):
    fleet = open_fleet(served.data)
    device = Device(served.data)
    reveal = device.begin_pairing(fleet)
    nasty = "<img src=x onerror=\"document.title='pwned'\">"
    fleet.pairings.approve(reveal.pairing, hall="yunxi", label={"zh": nasty}, by="test")
    fleet.close()
    log_in(page, served)
    page.goto(served.address + "/devices")
    page.get_by_text(nasty).wait_for()
    page.goto(f"{served.address}/devices/{device.name}")
    page.get_by_role("heading", name=nasty).wait_for()
    assert "pwned" not in page.title() or nasty in page.title()


def test_every_link_of_every_page_leads_somewhere(page, served):
    device = paired(served)
    device.state(now_ms())
    log_in(page, served, "root")
    seen, todo = set(), ["/"]
    while todo:
        path = todo.pop()
        if path in seen or path.startswith(("/language", "/login")) or ".csv" in path:
            continue
        seen.add(path)
        assert page.goto(served.address + path).status == 200, path
        page.wait_for_selector("main h1")
        found = page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
        todo += [each for each in found if each.startswith("/") and each.split("?")[0] not in {one.split("?")[0] for one in seen}]
    assert {
        "/",
        "/devices",
        "/halls",
        "/ratings",
        "/items",
        "/incidents",
        "/users",
        "/audit",
        "/pairing",
        f"/devices/{device.name}",
    } <= seen
    device.link.close()


def test_the_page_fits_a_phone_without_sideways_scrolling(chromium, served):
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    log_in(page, served, "root")
    for path in ("/", "/devices", "/halls", "/ratings", "/pairing", "/users"):
        page.goto(served.address + path)
        page.wait_for_selector("main h1")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    context.close()


def test_the_keyboard_alone_reaches_and_takes_an_incident(page, served):
    device = paired(served)
    log_in(page, served)
    device.state(now_ms(), clock_trust=0)
    page.get_by_role("button", name="接单").wait_for()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "接单":
            break
    page.keyboard.press("Enter")
    page.get_by_text("anna 已接单").wait_for()
    device.link.close()
