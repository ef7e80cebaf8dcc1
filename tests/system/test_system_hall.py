"""The whole hall on this computer: real broker, real processes, real touches; what people press arrives, whatever is cut."""

import json
import re
import sqlite3
import threading
from collections.abc import Iterator

import pytest
from hall_watch import counted, eventually, finish, invite, rows

from demo import account
from demo.device import LEVEL_BUTTONS, Device
from demo.hall import Hall
from wire.codec import encode
from wire.kinds import CloseSecret, PressSecret
from wire.leaf import read_receipt_code

pytestmark = [pytest.mark.hall, pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    said: list[str] = []
    opened = Hall(tmp_path_factory.mktemp("hall") / "h", say=said.append)
    try:
        opened.open(threading.Event())
        yield opened
    finally:
        opened.close()


def wake(device: Device) -> None:
    seen = device.wait_screen("attract", "home", within_s=60)
    if seen["screen"] == "attract":
        device.touch_at(0.5, 0.4)
    device.wait_screen("home", within_s=10)


@pytest.mark.parametrize("how", ["button", "touch"])
def test_a_pressed_rating_reaches_the_store_with_its_level(hall: Hall, how: str) -> None:
    device, before = hall.devices["evaluator-12"], counted(hall)
    invite(hall, device)
    if how == "button":
        device.press(LEVEL_BUTTONS[2], bounce_ms=10)
    else:
        device.touch("level 2")
    device.wait_screen("reasons", within_s=10)
    finish(device)
    eventually(lambda: counted(hall) == before + 1)
    [(level, via, receipt)] = rows(hall, "SELECT level, via, receipt FROM ratings WHERE outcome = 'rated' ORDER BY no DESC LIMIT 1")
    assert (level, via) == (2, how)
    assert read_receipt_code(receipt) == receipt


def test_a_second_thought_within_five_seconds_is_one_rating(hall: Hall) -> None:
    device, before = hall.devices["evaluator-06"], counted(hall)
    invite(hall, device)
    device.touch("level 1")
    device.wait_screen("reasons", within_s=10)
    device.touch("correct")
    device.wait_screen("ask", within_s=5)
    device.press(LEVEL_BUTTONS[5])
    device.wait_screen("reasons", within_s=10)
    finish(device)
    eventually(lambda: counted(hall) == before + 1)
    query = "SELECT level, presses FROM ratings WHERE outcome = 'rated' ORDER BY no DESC LIMIT 1"
    assert rows(hall, query) == [(5, 2)]


def test_no_answer_is_not_rated_and_never_good(hall: Hall) -> None:
    device, before = hall.devices["evaluator-06"], counted(hall)
    invite(hall, device)
    device.touch("skip")
    device.wait_screen("idle", within_s=10)
    query = "SELECT count(*) FROM ratings WHERE outcome = 'not_rated' AND level IS NULL"
    eventually(lambda: rows(hall, query)[0][0] >= 1)
    assert counted(hall) == before


def test_what_is_rated_without_a_network_arrives_when_it_is_back(hall: Hall) -> None:
    device, before = hall.devices["evaluator-12"], counted(hall)
    invite(hall, device)
    device.network("cut")
    try:
        device.press(LEVEL_BUTTONS[4])
        device.wait_screen("reasons", within_s=10)
        finish(device)
        assert counted(hall) == before
    finally:
        device.network("whole")
    eventually(lambda: counted(hall) == before + 1, within_s=60)


def test_a_power_cut_right_after_the_thanks_loses_nothing(hall: Hall) -> None:
    device, before = hall.devices["evaluator-06"], counted(hall)
    invite(hall, device)
    device.press(LEVEL_BUTTONS[3])
    device.wait_screen("reasons", within_s=10)
    device.power(on=False)
    device.power(on=True)
    device.wait_screen("idle", within_s=60)
    eventually(lambda: counted(hall) == before + 1, within_s=60)
    assert rows(hall, "SELECT level, how FROM ratings WHERE outcome = 'rated' ORDER BY no DESC LIMIT 1") == [(3, "recovered")]


def test_the_notice_is_on_paper_and_the_journal_says_so(hall: Hall) -> None:
    device = hall.devices["terminal-1"]
    device.printer({"do": "take_paper"})
    wake(device)
    device.touch("search")
    device.wait_screen("search", within_s=10)
    for letter in "hz":
        device.touch(f"key {letter}")
    device.touch("item *", within_s=10)
    device.wait_screen("guide", within_s=10)
    before = rows(hall, "SELECT count(*) FROM prints WHERE outcome = 'printed'")[0][0]
    device.touch("print")
    device.wait_screen("paper", within_s=10)
    eventually(lambda: rows(hall, "SELECT count(*) FROM prints WHERE outcome = 'printed'")[0][0] == before + 1, within_s=60)
    [ticket] = device.printer({"do": "paper"})["tickets"]
    text = "".join(item.get("text", "") for item in ticket["items"])
    assert "一次性告知单" in text
    assert ticket["cut"]
    device.touch("done")
    device.wait_screen("rate", within_s=20)
    stored = counted(hall)
    device.touch("level 4")
    device.wait_screen("reasons", within_s=10)
    device.touch("rating done")
    device.wait_screen("parting", within_s=10)
    device.touch("end")
    eventually(lambda: counted(hall) == stored + 1)


def test_an_open_door_wipes_the_session(hall: Hall) -> None:
    device = hall.devices["terminal-1"]
    wake(device)
    device.pin("door", 1)
    try:
        query = "SELECT count(*) FROM entries WHERE kind = 'security.door'"
        entries = hall.fleet_data / "entries.db"

        def doors() -> int:
            with sqlite3.connect(f"file:{entries}?mode=ro", uri=True) as connection:
                return int(connection.execute(query).fetchone()[0])

        eventually(lambda: doors() >= 1)
        device.wait(lambda seen: seen["screen"] not in ("home", "search", "guide"), within_s=10, what="wiped screen")
    finally:
        device.pin("door", 0)


def test_a_restarted_broker_and_ingest_lose_nothing(hall: Hall) -> None:
    device, before = hall.devices["evaluator-12"], counted(hall)
    invite(hall, device)
    device.press(LEVEL_BUTTONS[5])
    for part in ("broker", "ingest"):
        hall.processes.cut(part)
    device.wait_screen("reasons", within_s=10)
    finish(device)
    eventually(lambda: counted(hall) == before + 1, within_s=60)


def test_every_journal_is_whole_at_the_end(hall: Hall) -> None:
    found = account.settle(hall.data_dirs, hall.fleet_data, within_s=60)
    assert found.is_whole, found
    assert found.appended >= 40
    chain = json.loads(hall.nw_fleet("verify", "--json"))
    assert chain["journals"] == chain["verified"] >= 6
    assert hall.processes.errors == []


TELLING = re.compile(rb"\xa5level[\x01-\x05]|lv[1-5]\.[a-z]|level[_ ]?[1-5]")
"""A level or a reason as it stands in a body that is not sealed, in a log line, or in the name of a button."""


def test_nothing_on_disks_or_in_logs_tells_a_level(hall: Hall) -> None:
    assert TELLING.search(encode(PressSecret(level=2, secret=bytes(32)))), "the search would find an unsealed level"
    assert TELLING.search(encode(CloseSecret(reasons=("lv2.no_list",)))), "and an unsealed reason"
    places = [*hall.logs.glob("*.log"), *(path for folder in hall.data_dirs for path in folder.glob("*.db*"))]
    assert len(places) >= 10
    assert [path.name for path in places if TELLING.search(path.read_bytes())] == []
