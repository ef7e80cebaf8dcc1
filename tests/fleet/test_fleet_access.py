"""Users, roles, sessions, keys, lock-out and the audit log on a real store."""

import pytest
from fleet_seeded import blank, clock, fleet
from sqlalchemy import text

from fleet.access.limits import Limiter
from fleet.access.rules import LONGEST_LOCK_MS, lock_ms, may
from fleet.access.service import ACTIVE_MS, IDLE_MS, LONGEST_MS, WATCHING_MS, AccessError, LoginRefused
from fleet.access.tables import audit

__all__ = ["blank", "clock", "fleet"]
PASSWORD = "a long enough pass"


@pytest.fixture
def access(fleet):
    fleet.access.add_user("anna", display="安娜", role="operator", password=PASSWORD, by="test")
    return fleet.access


def test_a_right_password_opens_a_session_that_knows_the_person(access):
    actor = access.who(access.log_in("anna", PASSWORD))
    assert (actor.name, actor.role, actor.display) == ("anna", "operator", "安娜")


def test_wrong_name_and_wrong_password_are_refused_in_the_same_words(access):
    with pytest.raises(LoginRefused) as name:
        access.log_in("nobody", PASSWORD)
    with pytest.raises(LoginRefused) as password:
        access.log_in("anna", "something else")
    assert str(name.value) == str(password.value)


def test_the_fifth_wrong_password_locks_and_the_right_one_does_not_help_until_then(access, clock):
    for _ in range(5):
        with pytest.raises(LoginRefused):
            access.log_in("anna", "wrong password")
    with pytest.raises(LoginRefused) as locked:
        access.log_in("anna", PASSWORD)
    assert locked.value.wait_ms == 30_000
    clock.on(seconds=31)
    assert access.who(access.log_in("anna", PASSWORD))


def test_locks_double_up_to_an_hour():
    assert [lock_ms(n) for n in (4, 5, 6, 7)] == [0, 30_000, 60_000, 120_000]
    assert lock_ms(1_000) == LONGEST_LOCK_MS


def test_a_session_ends_unused_after_a_day_s_work_and_in_any_case_after_a_week(access, clock):
    token = access.log_in("anna", PASSWORD)
    clock.on(seconds=IDLE_MS / 1000 + 1)
    assert access.who(token) is None
    token = access.log_in("anna", PASSWORD)
    for _ in range(LONGEST_MS // (IDLE_MS - 1_000) + 1):
        clock.on(seconds=IDLE_MS / 1000 - 1)
        last = access.who(token)
    assert last is None


def test_an_operator_is_on_duty_while_active_or_with_a_page_open_and_only_while_logged_in(access, clock):
    assert not access.is_on_duty()
    token = access.log_in("anna", PASSWORD)
    assert access.is_on_duty()
    clock.on(seconds=ACTIVE_MS / 1000 + 1)
    assert not access.is_on_duty(), "logged in, but nothing done and no page open"
    access.watching("anna")
    assert access.is_on_duty()
    clock.on(seconds=WATCHING_MS / 1000 + 1)
    assert not access.is_on_duty(), "the page was closed"
    clock.on(seconds=IDLE_MS / 1000)
    access.watching("anna")
    assert not access.is_on_duty(), "a page left open overnight is nobody"
    token = access.log_in("anna", PASSWORD)
    access.watching("anna")
    access.log_out(token)
    assert not access.is_on_duty()


def test_who_may_only_look_is_not_on_duty(access):
    access.add_user("vera", display="", role="viewer", password=PASSWORD, by="test")
    access.log_in("vera", PASSWORD)
    access.watching("vera")
    assert not access.is_on_duty()


def test_logging_out_disabling_and_a_new_password_end_sessions_at_once(access):
    access.add_user("root", display="", role="admin", password=PASSWORD, by="test")
    for end in (
        lambda token: access.log_out(token),
        lambda _: access.change_user("anna", by="root", password=PASSWORD + "!"),
        lambda _: access.change_user("anna", by="root", disabled=True),
    ):
        token = access.log_in("anna", PASSWORD)
        end(token)
        assert access.who(token) is None
        access.change_user("anna", by="root", password=PASSWORD, disabled=False)


def test_the_cookie_itself_is_not_in_the_store(access, fleet):
    token = access.log_in("anna", PASSWORD)
    assert token.encode() not in (fleet.data / "fleet.db").read_bytes()
    assert PASSWORD.encode() not in (fleet.data / "fleet.db").read_bytes()


@pytest.mark.parametrize("token", ["", "x", "0" * 43, "'; drop table users; --", "长" * 200])
def test_a_foreign_cookie_is_nobody(access, token):
    assert access.who(token) is None


def test_a_password_typed_as_the_name_is_not_kept_in_the_audit_log(access):
    for _ in range(2):
        with pytest.raises(LoginRefused):
            access.log_in("Tr0ub4dor&3-slips", "x")
    with access._store.read() as connection:
        rows = [str(row) for row in connection.execute(audit.select())]
    refused = [row for row in rows if "login.refused" in row]
    assert len(refused) == 2
    assert all("unknown name #" in row for row in refused)
    assert "Tr0ub4dor" not in str(rows)


@pytest.mark.parametrize(
    ("password", "says"),
    [("short", "10 or more"), ("x" * 201, "limit is 200"), ("aaaaaaaaaaaa", "5 different"), ("xx-anna-1234", "contains the name")],
)
def test_a_bad_password_is_refused_with_its_fault(access, password, says):
    with pytest.raises(AccessError, match=says) as error:
        access.change_user("anna", by="test", password=password)
    assert error.value.words("zh") != error.value.words("en")


@pytest.mark.parametrize("name", ["", "A", "Anna", "a b", "-a", "x" * 40, "名字"])
def test_a_bad_user_name_is_refused(access, name):
    with pytest.raises(AccessError):
        access.add_user(name, display="", role="viewer", password=PASSWORD, by="test")


def test_the_last_admin_cannot_be_lost(access):
    access.add_user("root", display="", role="admin", password=PASSWORD, by="test")
    for change in ({"role": "viewer"}, {"disabled": True}):
        with pytest.raises(AccessError, match="last admin"):
            access.change_user("root", by="root", **change)
    assert {user.name: user.role for user in access.users()}["root"] == "admin"


def test_who_runs_the_system_does_not_read_single_ratings():
    assert not may("admin", "supervise")
    assert may("supervisor", "supervise")
    assert not may("supervisor", "operate")
    assert not may("", "see")


def test_an_api_key_works_until_it_is_revoked(access):
    key = access.make_key("queue system", by="anna")
    actor = access.who_has_key(key)
    assert (actor.role, actor.display) == ("integrator", "queue system")
    access.revoke_key(access.api_keys()[0].id, by="anna")
    assert access.who_has_key(key) is None


@pytest.mark.parametrize(
    "spoil",
    [lambda key: key[:-1], lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"), lambda key: key.upper(), lambda _: "nw_"],
)
def test_a_spoilt_key_is_nobody(access, spoil):
    assert access.who_has_key(spoil(access.make_key("x", by="anna"))) is None


def test_every_change_is_in_the_audit_log_and_its_chain_holds(access, fleet):
    access.log_in("anna", PASSWORD, address="10.0.0.9")
    acts = fleet.audit.read()
    assert [act.action for act in acts[:2]] == ["login", "user.add"]
    assert acts[0].address == "10.0.0.9"
    assert fleet.audit.verify() is None


@pytest.mark.parametrize("tamper", ["UPDATE fleet.audit SET actor = 'eve' WHERE no = 2", "DELETE FROM fleet.audit WHERE no = 2"])
def test_a_changed_or_missing_audit_row_shows(access, fleet, tamper):
    for number in range(3):
        fleet.audit.note("anna", "test", subject=str(number))
    with fleet.store.write() as connection:
        connection.execute(text(tamper))
    assert fleet.audit.verify() in (2, 3)


def test_the_audit_search_takes_wildcards_literally(access, fleet):
    fleet.audit.note("anna", "test", subject="100%")
    assert [act.subject for act in fleet.audit.read(search="0%")] == ["100%"]
    assert fleet.audit.read(search="%%%") == []


def test_the_rate_limit_lets_a_burst_through_and_then_one_each_time():
    now = [0.0]
    limiter = Limiter(per_minute=60, burst=3, clock=lambda: now[0])
    assert [limiter.wait_s("a") for _ in range(4)] == [0, 0, 0, pytest.approx(1)]
    assert limiter.wait_s("b") == 0
    now[0] = 1.0
    assert limiter.wait_s("a") == 0
