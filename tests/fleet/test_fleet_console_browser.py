"""The console in a real Chromium against the real server, broker and a device that speaks MQTT: what an operator does at night."""

import os
import signal
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlparse

import pytest
from console_served import PASSWORD, Device, Server, chromium, log_in, no_devices_left, now_ms, page, paired, served
from private_servers import wait_for

from demo.seed.device import part
from demo.seed.picture import sketch_png
from demo.shots.console import CHROMIUM
from fleet.app import open_fleet
from wire.codec import decode
from wire.messages import Desired, Picture, Presence, Report, SignedDesired
from wire.pairing import Welcome

__all__ = ["chromium", "no_devices_left", "page", "served"]
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"{CHROMIUM} is not installed")]


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


def test_an_address_that_leads_nowhere_says_so_in_the_consoles_own_words(page, served):
    answer = page.goto(f"{served.address}/no-such-page")
    assert answer.status == 404
    assert page.locator("h1").inner_text() == "没有这个页面"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    page.goto(f"{served.address}/language/en")
    page.goto(f"{served.address}/no-such-page")
    assert page.locator("h1").inner_text() == "There is no such page"
    assert page.get_by_role("link").get_attribute("href") == "/"


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
