"""The JSON API as other systems meet it: good requests, hostile ones, limits, and what its document says."""

import json
from datetime import date

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from fleet_seeded import NOW_MS, blank, clock, fleet, place_device

from demo.seed.device import state_of
from fleet.access.limits import Limiter
from fleet.api.app import make_api, mount_api
from fleet.api.limits import MAX_BODY_BYTES, Limits
from pack.model import Item, Text
from wire.codec import decode
from wire.leaf import receipt_code
from wire.messages import Command, Presence

__all__ = ["blank", "clock", "fleet"]


class Broker:
    """Stands for the link: keeps what is published."""

    def __init__(self) -> None:
        self.sent = []

    def publish(self, tenant, device, channel, payload, **how):
        self.sent.append((device, channel, payload))
        return True


@pytest.fixture
def api(fleet):
    """A client of the mounted API with a good key."""
    app = FastAPI()
    mount_api(app, fleet)
    client = TestClient(app)
    client.headers["Authorization"] = f"Bearer {fleet.access.make_key('cases', by='test')}"
    return client


def problem(answer, status: int) -> dict:
    """The problem an answer is; fails when it is none."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert {"type", "title", "status", "detail"} <= set(body)
    return body


def test_a_service_given_is_counted(api, fleet):
    answer = api.post("/api/v1/services", json={"window": "12", "item_code": "A1", "stage": "accept"})
    assert answer.status_code == 201
    assert answer.json()["is_new"] is True
    total = fleet.ratings.total(date(2026, 11, 1), date(2026, 11, 30), supervised=False)
    assert (total.services, total.rated) == (1, 0)


def test_the_clerk_signed_in_at_the_window_is_taken_when_none_is_named(api, fleet):
    api.post("/api/v1/windows/12/clerk", json={"clerk": "112"})
    api.post("/api/v1/services", json={"window": "12"})
    (group,) = fleet.ratings.by("clerk", date(2026, 11, 1), date(2026, 11, 30), supervised=True)
    assert (group.value, group.tally.services) == ("112", 1)


def test_the_same_idempotency_key_counts_once_and_another_body_conflicts(api, fleet):
    headers = {"Idempotency-Key": "case-1"}
    first = api.post("/api/v1/services", json={"window": "12"}, headers=headers).json()
    again = api.post("/api/v1/services", json={"window": "12"}, headers=headers).json()
    assert (again["occasion"], again["is_new"]) == (first["occasion"], False)
    problem(api.post("/api/v1/services", json={"window": "06"}, headers=headers), 409)
    assert fleet.ratings.total(date(2026, 11, 1), date(2026, 11, 30), supervised=False).services == 1


def test_an_invitation_reaches_the_window_s_evaluator_with_its_end(api, fleet):
    device, broker = place_device(fleet, 1), Broker()
    fleet.control.attach(broker)
    body = {"window": "12", "invite": True, "expires_s": 30, "item_name": "不动产转移登记", "case_tail": "0417", "ticket": "A023"}
    taken = api.post("/api/v1/services", json=body).json()
    command = next(
        decode(payload, Command) for name, channel, payload in broker.sent if channel == "command" and name == device.name
    )
    assert command.verb == "invite"
    assert command.invitation.occasion.hex() == taken["occasion"]
    assert command.invitation.item_name == {"zh": "不动产转移登记"}
    assert (command.expires_ms, command.invitation.expires_ms) == (NOW_MS + 30_000, NOW_MS + 30_000)
    order = api.get(f"/api/v1/orders/{taken['command']}").json()
    assert (order["verb"], order["device"]) == ("invite", device.name)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"item_code": "000133001000"}, {"zh": "不动产转移登记", "ko": "부동산 이전 등기", "en": "Transfer of property"}),
        ({"item_code": "000133001000", "item_name": "过户"}, {"zh": "过户"}),
        ({"item_code": "9"}, None),
    ],
)
def test_an_invitation_names_the_item_in_all_languages_from_the_hall_s_list(api, fleet, sent, shown):
    name = Text(zh="不动产转移登记", ko="부동산 이전 등기", en="Transfer of property")
    fleet.items.put("yunxi", [Item(code="000133001000", name=name, department="D1")], by="test")
    place_device(fleet, 1)
    fleet.control.attach(broker := Broker())
    api.post("/api/v1/services", json={"window": "12", "invite": True} | sent)
    (command,) = (decode(payload, Command) for _, channel, payload in broker.sent if channel == "command")
    assert command.invitation.item_name == shown


def test_an_invitation_for_a_window_without_evaluator_says_so_and_the_service_counts(api, fleet):
    assert api.post("/api/v1/services", json={"window": "06", "invite": True}).json()["invitation"] == "no_evaluator"
    assert fleet.ratings.total(date(2026, 11, 1), date(2026, 11, 30), supervised=False).services == 1


@pytest.mark.parametrize(
    "extra", [{"citizen": "张三"}, {"id_number": "110101199001011234"}, {"phone": "13800000000"}, {"level": 5}, {"rating": 5}]
)
def test_personal_data_and_ratings_cannot_be_sent(api, fleet, extra):
    body = problem(api.post("/api/v1/services", json={"window": "12"} | extra), 422)
    assert "personal data is never taken" in body["remedy"]
    assert fleet.ratings.total(date(2026, 11, 1), date(2026, 11, 30), supervised=False).services == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"window": ""},
        {"window": "12'; DROP TABLE ratings; --"},
        {"window": "12", "stage": "selfservice"},
        {"window": "12", "expires_s": 601},
        {"window": "12", "case_tail": "110101199001011234"},
        {"window": "12", "item_name": "x" * 61},
        {"window": ["12"]},
        {"window": "12", "invite": "perhaps"},
        [],
        "12",
    ],
)
def test_a_bad_body_is_refused_with_the_field(api, body):
    assert problem(api.post("/api/v1/services", json=body), 422)["faults"]


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 5_000, b'{"window": 1e999}', b"null"])
def test_bytes_that_are_no_json_are_refused(api, data):
    answer = api.post("/api/v1/services", content=data, headers={"Content-Type": "application/json"})
    assert problem(answer, answer.status_code)["remedy"]
    assert answer.status_code in (400, 422)


def test_a_request_over_the_limit_is_refused_with_the_limit_even_without_a_length(api):
    big = json.dumps({"window": "1" * MAX_BODY_BYTES}).encode()
    assert problem(api.post("/api/v1/services", content=big), 413)["limit"] == f"{MAX_BODY_BYTES} bytes"
    pieces = (big[start : start + 1_000] for start in range(0, len(big), 1_000))
    problem(api.post("/api/v1/services", content=pieces), 413)


def test_too_many_requests_are_told_when_to_come_again(fleet):
    client = TestClient(Limits(make_api(fleet), limiter=Limiter(per_minute=600, burst=3, clock=lambda: 0.0)))
    answers = [client.get("/health") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    last = answers[-1]
    assert int(last.headers["retry-after"]) >= 1
    assert problem(last, 429)["limit"]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer nw_00000000_" + "A" * 43, "Basic YTpi", "Bearer " + "x" * 5_000])
def test_without_a_valid_key_nothing_is_told(api, header):
    api.headers.pop("Authorization")
    for path in ("/api/v1/devices", "/api/v1/incidents", "/api/v1/ratings", "/api/v1/windows"):
        answer = api.get(path, headers={"Authorization": header} if header is not None else {})
        assert problem(answer, 401)["remedy"]


def test_a_revoked_key_is_refused_at_once(api, fleet):
    assert api.get("/api/v1/health").status_code == 200
    fleet.access.revoke_key(fleet.access.api_keys()[0].id, by="test")
    problem(api.get("/api/v1/health"), 401)


def test_a_window_s_state_and_clerk_change_and_are_told(api):
    assert api.post("/api/v1/windows/12/state", json={"state": "serving", "ticket": "A7"}).json()["state"] == "serving"
    assert api.post("/api/v1/windows/12/clerk", json={"clerk": "112"}).json()["clerk"] == "112"
    window = next(each for each in api.get("/api/v1/windows").json() if each["number"] == "12")
    assert (window["state"], window["clerk"], window["ticket"]) == ("serving", "112", "A7")
    assert api.post("/api/v1/windows/12/clerk", json={"clerk": ""}).json()["clerk"] == ""


@pytest.mark.parametrize("path", ["/api/v1/windows/99/state", "/api/v1/windows/..%2f..%2fetc/state"])
def test_an_unknown_window_is_not_known(api, path):
    problem(api.post(path, json={"state": "serving"}), 404)


def test_an_unknown_clerk_hall_device_order_and_path_are_not_known(api):
    problem(api.post("/api/v1/windows/12/clerk", json={"clerk": "999"}), 404)
    problem(api.post("/api/v1/services", json={"window": "12", "hall": "nowhere"}), 404)
    problem(api.get("/api/v1/devices/nwnobody"), 404)
    problem(api.get("/api/v1/orders/zz"), 404)
    problem(api.get("/api/v1/nothing"), 404)
    problem(api.get("/api/v1/services"), 405)


def test_one_system_does_not_see_another_s_orders(api, fleet):
    device = place_device(fleet, 1)
    order = fleet.control.orders.give(device.name, "identify", by="anna")
    problem(api.get(f"/api/v1/orders/{order.hex()}"), 404)


def test_ratings_come_with_n_interval_and_participation_and_null_without_a_denominator(api):
    (total,) = api.get("/api/v1/ratings").json()
    assert (total["n"], total["satisfaction"], total["interval"], total["participation"]) == (0, None, None, None)
    assert total["shown"] == 0
    assert total["levels"] == {"5": 0, "4": 0, "3": 0, "2": 0, "1": 0}


@pytest.mark.parametrize("by", ["total", "hour", "day", "stage"])
def test_a_key_gets_no_figure_of_today_until_the_day_is_over(api, fleet, clock, by):
    api.post("/api/v1/services", json={"window": "12"})
    assert fleet.ratings.total(fleet.ratings.today(), fleet.ratings.today(), supervised=False).services == 1
    assert sum(group["services"] for group in api.get(f"/api/v1/ratings?by={by}").json()) == 0
    today = fleet.ratings.today().isoformat()
    only_today = api.get(f"/api/v1/ratings?by={by}&from={today}&to={today}").json()
    assert [(group["services"], group["last_day"]) for group in only_today] == ([(0, None)] if by == "total" else [])
    clock.ms += 86_400_000
    (group,) = api.get(f"/api/v1/ratings?by={by}").json()
    assert (group["services"], group["last_day"]) == (1, today)


@pytest.mark.parametrize("query", ["from=2026-01-02&to=2026-01-01", "from=2020-01-01&to=2026-01-01"])
def test_a_span_of_days_that_is_none_or_too_long_is_refused(api, query):
    assert problem(api.get(f"/api/v1/ratings?{query}"), 422)["limit"] == "366 days"


def test_a_mistyped_receipt_is_told_apart_from_an_unknown_one(api):
    assert "9 characters" in problem(api.get("/api/v1/receipts/ABC"), 422)["detail"]
    problem(api.get(f"/api/v1/receipts/{receipt_code(b'x' * 32)}"), 404)


def test_devices_and_incidents_tell_the_reason_in_words(api, fleet):
    device = place_device(fleet, 1, role="evaluator").name
    fleet.watch.set_broker(True)
    fleet.watch.take_presence(device, Presence(online=True, connection=1, since_ms=NOW_MS))
    fleet.watch.take_state(device, state_of("evaluator", NOW_MS, face="hung", face_since_ms=NOW_MS - 60_000))
    fleet.watch.review()
    assert api.get(f"/api/v1/devices/{device}").json()["out_of_service"] == {"rating": "face.hung"}
    (incident,) = api.get("/api/v1/incidents").json()
    assert (incident["reason"], incident["reason_zh"]) == ("face.hung", "屏幕程序没有反应")


def test_healthz_says_degraded_without_a_broker_and_needs_no_key(api, fleet):
    api.headers.pop("Authorization")
    assert api.get("/healthz").json()["status"] == "degraded"
    fleet.watch.set_broker(True)
    assert api.get("/healthz").json()["status"] == "ok"


def test_metrics_need_a_key_and_tell_the_figures(api, fleet):
    place_device(fleet, 1)
    text = api.get("/metrics").text
    assert 'nightwindow_devices{role="evaluator",seen="unknown"} 1.0' in text
    assert "nightwindow_broker_up 0.0" in text
    api.headers.pop("Authorization")
    assert api.get("/metrics").status_code == 401


def test_every_path_of_the_document_has_a_summary_and_every_field_of_a_request_a_description(api):
    document = api.get("/api/v1/openapi.json").json()
    assert len(document["paths"]) >= 10
    for path, methods in document["paths"].items():
        for method in methods.values():
            assert method["summary"], path
    for name in ("ServiceGiven", "ClerkChange"):
        schema = document["components"]["schemas"][name]
        assert schema["additionalProperties"] is False
        assert all("description" in field for key, field in schema["properties"].items()), name
