"""Oversight over the API and the command line: working days for other systems, and counts that tell nothing of today."""

import json

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from fleet_seeded import blank, clock, fleet
from oversight_rig import LI, ZHAO, counter, outbox

from fleet.api.app import make_api
from fleet.cli import cli

__all__ = ["blank", "clock", "counter", "fleet", "outbox"]


@pytest.fixture
def client(fleet):
    key = fleet.access.make_key("排队系统", by="test")
    return TestClient(make_api(fleet), headers={"Authorization": f"Bearer {key}"})


def test_a_deadline_is_told_and_says_when_it_is_provisional(client):
    found = client.get("/working-days/due", params={"start": "2026-09-30", "days": 1}).json()
    assert found == {"start": "2026-09-30", "days": 1, "due": "2026-10-08", "provisional": False}
    assert client.get("/working-days/due", params={"start": "2026-12-30", "days": 5}).json()["provisional"]
    assert client.get("/working-days/due", params={"start": "9999-12-31", "days": 5}).status_code == 422
    assert client.get("/working-days/due", params={"start": "2026-12-30", "days": 1001}).status_code == 422


def test_days_are_listed_with_their_occasions(client):
    found = client.get("/working-days", params={"from": "2026-10-09", "to": "2026-10-11"}).json()
    assert [(day["day"], day["works"]) for day in found] == [("2026-10-09", True), ("2026-10-10", True), ("2026-10-11", False)]
    assert client.get("/working-days", params={"from": "2026-10-09", "to": "2026-10-08"}).status_code == 422


def test_figures_of_orders_tell_nothing_before_the_day_after_they_were_handed_over(client, counter, fleet, clock):
    asked = {"from": "2026-11-01", "to": "2026-12-31"}
    number = counter.bad()
    fleet.oversight.orders.act(number, "assign", ZHAO, args={"to": "li"})
    assert client.get("/work-orders/figures", params=asked).json()["orders"] == 0
    clock.on(days=1)
    counter.sync()
    assert client.get("/work-orders/figures", params=asked).json()["orders"] == 0
    fleet.oversight.orders.act(number, "classify", LI, note="误评", args={"class": "mistaken"})
    fleet.oversight.orders.act(number, "reply", LI, note="已解释")
    clock.on(days=1)
    found = client.get("/work-orders/figures", params=asked).json()
    assert (found["orders"], found["rectified"], found["on_time"], found["due"], found["on_time_rate"]) == (1, 1, 1, 1, 1.0)


def test_a_calendar_is_imported_and_shown_by_command(fleet, tmp_path):
    path = tmp_path / "2027.json"
    path.write_text(json.dumps({"year": 2027, "source": "通知", "holidays": {"2027-01-01": "元旦"}, "workdays": []}))
    local = tmp_path / "local.json"
    local.write_text(json.dumps({"source": "条例", "every_year": {"09-03": "州庆"}}))
    data = ["--data", str(fleet.data)]
    run = CliRunner().invoke
    assert "2027, version 1: 1 days off, 0 make-up days\n" in run(cli, ["calendar", "import", *data, str(path)]).output
    assert "for hall yunxi" in run(cli, ["calendar", "import", *data, str(local), "--hall", "yunxi"]).output
    shown = run(cli, ["calendar", "show", *data, "--year", "2027", "--hall", "yunxi"]).output
    assert shown.splitlines() == ["2027  version 1  通知", "  2027-01-01  元旦"]
    assert "09-03  州庆" in run(cli, ["calendar", "show", *data, "--hall", "yunxi"]).output
    assert "not known yet" in run(cli, ["calendar", "show", *data, "--year", "2030"]).output
