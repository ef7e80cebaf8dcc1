"""Work orders in a real Chromium: one opens by itself, is handed on, answered, closed; who may not see it sees nothing."""

import random
from pathlib import Path

import pytest
from console_served import PASSWORD, Server, chromium, log_in, no_devices_left, now_ms, page, served
from fleet_seeded import place_device
from private_servers import wait_for

from demo.shots.console import CHROMIUM
from fleet.app import open_fleet
from fleet.ingest.directory import Directory
from fleet.ingest.intake import Intake
from fleet.store import open_store

__all__ = ["chromium", "no_devices_left", "page", "served"]
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"{CHROMIUM} is not installed")]
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def rated(served: Server) -> Server:
    """The running server, with people for work orders, and five ratings of yesterday of which the first is bad."""
    fleet = open_fleet(served.data)
    for name, role in (("zhao", "supervisor"), ("qian", "supervisor"), ("li", "handler")):
        fleet.access.add_user(name, display=name, role=role, password=PASSWORD, by="test")
    device = place_device(fleet, 77)
    store = open_store(served.data, writes="journal")
    intake = Intake(store, Directory(fleet.store), fleet.keys.signing)
    for level in (1, 5, 5, 5, 5):
        device.rate(level, at_ms=now_ms() - DAY_MS, seal_key=bytes(fleet.keys.seal.public_key), dice=random.Random(level))
    intake.take(list(device.batches(fleet.config.tenant)))
    zhao = fleet.access.who(fleet.access.log_in("zhao", PASSWORD))
    wait_for(lambda: fleet.oversight.orders.listing(zhao), what="the order that opens by itself")
    store.close()
    fleet.close()
    return served


def step(page, name: str, *, choose: str = "", note: str = "") -> None:
    """Press a step's button, fill its dialog, confirm, and wait until it is done."""
    page.get_by_role("button", name=name, exact=True).click()
    dialog = page.locator(".q-dialog")
    if choose:
        dialog.get_by_role("combobox").select_option(choose)
    if note:
        dialog.get_by_role("textbox").fill(note)
    dialog.get_by_role("button", name="确定").click()
    page.get_by_text("已登记").first.wait_for()
    dialog.wait_for(state="hidden")


def test_an_order_goes_from_the_list_to_its_end(page, rated):
    log_in(page, rated, "zhao")
    page.goto(rated.address + "/work-orders")
    page.get_by_role("link", name="#1").click()
    page.get_by_text("待分派").first.wait_for()
    step(page, "分派", choose="li")
    page.get_by_text("已分派").first.wait_for()
    if page.get_by_role("button", name="交办", exact=True).count():
        step(page, "交办", note="今天就要回复")
    page.context.clear_cookies()
    log_in(page, rated, "li")
    page.goto(rated.address + "/work-orders/1")
    step(page, "核实分类", choose="valid", note="属实")
    step(page, "开始整改")
    step(page, "答复", note="已整改")
    page.get_by_text("已答复").first.wait_for()
    assert page.get_by_role("button", name="办结", exact=True).count() == 0
    page.context.clear_cookies()
    log_in(page, rated, "zhao")
    page.goto(rated.address + "/work-orders/1")
    step(page, "办结")
    page.get_by_text("已办结").first.wait_for()
    assert page.get_by_role("row", name="答复").get_by_text("已整改").count() == 1


@pytest.mark.parametrize("name", ["anna", "root", "guest"])
def test_who_has_no_part_in_orders_finds_neither_menu_nor_page_nor_download(page, rated, name):
    log_in(page, rated, name)
    assert page.get_by_role("link", name="差评工单").count() == 0
    for path in ("/work-orders", "/work-orders/1", "/work-orders.csv", "/work-orders/1/files/1", "/revisits"):
        assert page.request.get(rated.address + path).status == 403


def test_the_calendar_shows_holidays_by_word_and_tells_when_a_deadline_ends(page, rated):
    log_in(page, rated, "guest")
    page.goto(rated.address + "/working-days?year=2026&start=2026-09-30&days=1")
    page.get_by_text("2026-10-08").first.wait_for()
    assert page.get_by_title("国庆节").count() == 7
    page.goto(rated.address + "/working-days?year=2031&start=2031-01-01&days=x")
    page.get_by_text("暂定：周一至周五").wait_for()
    page.get_by_text("请填日期和").wait_for()


def test_cases_are_drawn_called_and_exported(page, rated):
    log_in(page, rated, "zhao")
    page.goto(rated.address + "/revisits")
    page.get_by_label("名称（如").fill("十月")
    page.get_by_label("比例（").fill("2")
    rows = "办件编号,事项\n" + "".join(f"N{n},开店\n" for n in range(9))
    page.locator("input[type=file]").set_input_files({"name": "l.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    page.get_by_text("名单 9 件").wait_for()
    page.get_by_role("button", name="抽取", exact=True).click()
    page.get_by_role("heading", name="十月").wait_for()
    page.get_by_role("button", name="登记结果").first.click()
    page.locator(".q-dialog").get_by_role("button", name="保存").click()
    page.locator("td .chip", has_text="满意").wait_for()
    csv = page.request.get(page.url + "/ledger.csv").text()
    assert len(csv.splitlines()) == 3
    assert page.request.get(page.url + "/ledger.xlsx").body().startswith(b"PK")
