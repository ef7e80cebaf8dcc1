"""What a row of the audit log says, in the visitor's words: the log itself keeps ids, so that it reads the same for ever."""

import re
from collections.abc import Callable

from fleet.access.audit import Act
from fleet.console import labels
from fleet.console.visitor import Visitor
from fleet.control.settings import SETTINGS
from fleet.watch.messages import words

_WINDOW = re.compile(r"(serving|paused|closed) clerk=(\S+)")
_IMPORTED = re.compile(
    r"(.+): (\d+) new, (\d+) changed, (\d+) unchanged, (\d+) withdrawn, (\d+) refused, (\d+) problem\(s\)", re.DOTALL
)
_LOCKED = re.compile(r"locked (\d+) s")


def detail(page: Visitor, act: Act) -> str:
    """The detail of a deed in words; as it stands in the log when a newer release wrote it in another way."""
    if act.action.startswith("incident."):
        return words(act.detail, language=page.language)
    return _DETAILS.get(act.action, _as_written)(page, act.detail)


def _as_written(page: Visitor, said: str) -> str:
    return said


def _window(page: Visitor, said: str) -> str:
    found = _WINDOW.fullmatch(said)
    if not found:
        return said
    state = labels.label(labels.WINDOW_STATES, found[1], page.language)
    if found[2] == "-":
        return page.say(f"{state}，没有人员登录", f"{state}, nobody signed in")
    return page.say(f"{state}，人员 {found[2]}", f"{state}, staff {found[2]}")


def _role(page: Visitor, said: str) -> str:
    return labels.label(labels.ROLES, said, page.language)


def _changes(page: Visitor, said: str) -> str:
    names = {
        "disabled=True": page.say("停用", "Disabled"),
        "disabled=False": page.say("启用", "Enabled"),
        "password": page.say("新密码", "New password"),
    }
    told = []
    for each in said.split(", "):
        key, _, value = each.partition("=")
        told.append(page.say("角色：", "Role: ") + _role(page, value) if key == "role" else names.get(each))
    # The moment until which a login was locked goes with a new password and is nobody's deed.
    return page.say("，", ", ").join(each for each in told if each) or said


def _locked(page: Visitor, said: str) -> str:
    found = _LOCKED.fullmatch(said)
    return page.say(f"锁定 {found[1]} 秒", f"Locked for {found[1]} s") if found else said


def _settings(page: Visitor, said: str) -> str:
    told = []
    for each in said.split(", "):
        key, mark, value = each.partition("=")
        known = SETTINGS.get(key)
        name = page.say(known.zh, known.en) if known else page.say("公告", "Notice") if key == "notice" else key
        told.append(page.say(f"{name}：{value}", f"{name}: {value}") if mark else each)
    return page.say("；", "; ").join(told)


def _imported(page: Visitor, said: str) -> str:
    found = _IMPORTED.fullmatch(said)
    if not found:
        return said
    zh = "{}：新增 {}，变更 {}，不变 {}，取消 {}，拒收 {}，问题 {}".format(*found.groups())
    return page.say(zh, said)


_DETAILS: dict[str, Callable[[Visitor, str], str]] = {
    "window.change": _window,
    "user.add": _role,
    "user.change": _changes,
    "login.refused": _locked,
    "device.settings": _settings,
    "items.import": _imported,
}
