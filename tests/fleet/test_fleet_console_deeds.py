"""What the audit page says of deeds: words in the visitor's language, made of what the services really write into the log."""

import re

import pytest
from fleet_seeded import NOW_MS, blank, clock, fleet, place_device

from fleet.access.audit import Act
from fleet.access.service import Actor, LoginRefused
from fleet.console import deeds
from fleet.console.visitor import Visitor
from fleet.hall.importer import ImportReport

__all__ = ["blank", "clock", "fleet"]


def visitor(language: str) -> Visitor:
    actor = Actor(name="anna", display="安娜", role="admin", address="")
    return Visitor(actor, language=language, zone="Asia/Shanghai", now_ms=NOW_MS)


def told(fleet, action: str) -> list[tuple[str, str]]:
    acts = [act for act in fleet.audit.read() if act.action == action]
    return [(deeds.detail(visitor("zh"), act), deeds.detail(visitor("en"), act)) for act in reversed(acts)]


def test_a_change_of_a_window_says_what_it_does_now_and_who_sits_there(fleet):
    fleet.control.set_window("yunxi", "12", by="anna", state="serving", clerk="112")
    fleet.control.set_window("yunxi", "12", by="anna", state="paused", clerk="")
    assert told(fleet, "window.change") == [
        ("服务中，人员 112", "Serving, staff 112"),
        ("暂停服务，没有人员登录", "Paused, nobody signed in"),
    ]


def test_a_person_s_changes_are_told_by_their_names(fleet):
    fleet.access.add_user("root", display="管理员", role="admin", password="a night at the desk", by="test")
    fleet.access.add_user("bert", display="李伯", role="viewer", password="a night at the desk", by="root")
    fleet.access.change_user("bert", by="root", role="operator", password="another night at it")
    fleet.access.change_user("bert", by="root", disabled=True)
    assert told(fleet, "user.add") == [("管理员", "Admin"), ("查看", "Viewer")]
    assert told(fleet, "user.change") == [
        ("角色：运维，新密码", "Role: Operator, New password"),
        ("停用", "Disabled"),
    ]


def test_a_login_that_is_locked_says_for_how_long(fleet):
    fleet.access.add_user("bert", display="李伯", role="viewer", password="a night at the desk", by="root")
    for _ in range(12):
        with pytest.raises(LoginRefused):
            fleet.access.log_in("bert", "wrong")
    zh, en = next(each for each in told(fleet, "login.refused") if each[0])
    assert re.fullmatch(r"锁定 \d+ 秒", zh)
    assert re.fullmatch(r"Locked for \d+ s", en)


def test_settings_of_a_device_are_told_by_their_names(fleet):
    device = place_device(fleet, 1, role="terminal")
    fleet.control.set_settings(device.name, {"idle.after_s": 90}, by="anna", notice={"zh": "今晚停电"})
    ((zh, en),) = told(fleet, "device.settings")
    assert "公告：今晚停电" in zh
    assert "Notice: 今晚停电" in en
    assert "idle.after_s" not in zh + en


def test_an_import_is_told_with_its_figures(fleet):
    report = ImportReport("list.csv", (), 0, ("1",), (), ("2", "3"), (), 4)
    fleet.audit.note("anna", "items.import", subject="yunxi", detail=report.summary())
    assert told(fleet, "items.import") == [
        ("list.csv：新增 1，变更 0，不变 2，取消 0，拒收 4，问题 0", report.summary()),
    ]


@pytest.mark.parametrize(
    "action", ["window.change", "user.add", "user.change", "login.refused", "device.settings", "items.import", "of.tomorrow"]
)
def test_what_a_newer_release_wrote_is_shown_as_it_stands(action):
    act = Act(no=1, at_ms=NOW_MS, actor="anna", action=action, subject="x", detail="something else", address="")
    assert deeds.detail(visitor("zh"), act) == "something else"
