"""The console in a real Chromium against the real server and broker: items, hostile input, small screens."""

import re
from pathlib import Path

import pytest
from console_served import Device, chromium, log_in, no_devices_left, now_ms, page, paired, served
from private_servers import wait_for

from demo.shots.console import CHROMIUM
from fleet.app import open_fleet
from pack.model import Department, Text
from pack.model import Hall as HallCard
from wire.codec import decode
from wire.messages import Desired, SignedDesired

__all__ = ["chromium", "no_devices_left", "page", "served"]
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"{CHROMIUM} is not installed")]


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
            ["拒收 1", "没有名称的事项"],
        ),
        ("noise.xlsx", bytes(range(256)) * 12, ["noise.xlsx"]),
        ("cut.jsonl", b'{"code": "x1"', ["不是 JSON"]),
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
    page.get_by_text(re.compile("个问题|没有读到")).first.wait_for()
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
