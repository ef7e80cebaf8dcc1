"""Which settings of a device the fleet may override, with their limits: a form is drawn from this list and checked by it.

The device knows its own limits and checks again (docs/device.md); a device of another release may know more or fewer names.
"""

import difflib
import math
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from fleet.access.errors import Explained
from wire.messages import Words

Value = str | int | float | bool
Role = Literal["terminal", "evaluator"]
MAX_TEXT = 40
MAX_NOTICE = 60
"""Characters that fit on the smallest screen beside the clerk's card."""


class SettingRefused(Explained):
    """A setting that cannot be given; it says which, why, and what may be given."""


class Setting(Struct, frozen=True, kw_only=True):
    """One setting. Numbers have `low` and `high`, `unit` says what they count; a choice has `choices`; texts have neither.

    `roles` are the devices that read it, `usual` is the device's own default as text.
    """

    name: str
    zh: str
    en: str
    kind: Literal["text", "choice", "whole", "number"]
    low: float = 0
    high: float = 0
    unit: Literal["s", "h", ""] = ""
    choices: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ("terminal", "evaluator")
    usual: str = ""


def _seconds(name: str, zh: str, en: str, low: float, high: float, usual: float, role: Role) -> Setting:
    return Setting(name=name, zh=zh, en=en, kind="number", low=low, high=high, unit="s", roles=(role,), usual=f"{usual:g}")


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting(name="language", zh="默认语言", en="Language at first", kind="choice", choices=("zh", "ko", "en"), usual="zh"),
        Setting(name="phone", zh="求助电话", en="Help number on the screen", kind="text"),
        Setting(name="panel.day_from", zh="日间配色开始", en="Day colours from", kind="whole", high=23, unit="h", usual="7"),
        Setting(name="panel.night_from", zh="夜间配色开始", en="Night colours from", kind="whole", high=23, unit="h", usual="19"),
        _seconds("idle.after_s", "无人操作多久后提示", "Warns when nobody touched it for", 15, 600, 60, "terminal"),
        _seconds("idle.warning_s", "提示多久后清空", "Then wipes after", 20, 120, 20, "terminal"),
        _seconds("idle.elder_after_s", "长辈版：无人操作多久后提示", "Elder profile: warns after", 30, 900, 120, "terminal"),
        _seconds("idle.elder_warning_s", "长辈版：提示多久后清空", "Elder profile: then wipes after", 20, 180, 30, "terminal"),
        _seconds("rating.invitation_s", "邀请等待多久", "An invitation waits", 10, 600, 60, "evaluator"),
        _seconds("rating.correction_s", "按下后可更改多久", "A press can be corrected for", 5, 30, 5, "evaluator"),
        _seconds("rating.reasons_s", "理由显示多久", "Reasons are offered for", 5, 120, 20, "evaluator"),
        _seconds("rating.receipt_s", "凭证码显示多久", "The receipt code stays", 3, 60, 10, "evaluator"),
    )
}
"""Every setting that may be overridden, by dotted name, in the order of the form."""


def for_role(role: str) -> list[Setting]:
    """The settings that a device of this role reads."""
    return [setting for setting in SETTINGS.values() if role in setting.roles]


def read_settings(given: Mapping[str, Value], *, role: str) -> dict[str, Value]:
    """Settings from what a form or a program gives, numbers as text or not; an empty field leaves the setting to the device.

    Raises SettingRefused, which names every mistake at once.
    """
    faults: list[tuple[str, str]] = []
    values: dict[str, Value] = {}
    for name, each in given.items():
        setting, text = SETTINGS.get(name), str(each).strip()
        if setting is None or role not in setting.roles:
            faults.append(_unknown(name, role))
        elif text:
            value, fault = _value(setting, text)
            if fault:
                faults.append(fault)
            elif value is not None:
                values[name] = value
    if not faults and "panel.day_from" in values and values["panel.day_from"] == values.get("panel.night_from"):
        faults.append(("日间和夜间的开始时间不能相同", "day and night colours cannot begin at the same hour"))
    if faults:
        raise SettingRefused("；".join(zh for zh, _ in faults), "; ".join(en for _, en in faults))
    return values


def read_notice(given: Mapping[str, str]) -> Words | None:
    """A notice in up to three languages as a form gives it; None when all are empty. Raises SettingRefused."""
    words = {language: text.strip() for language, text in given.items() if text.strip()}
    if words and "zh" not in words:
        raise SettingRefused("公告要有中文", "a notice needs its Chinese words")
    for language, text in words.items():
        if len(text) > MAX_NOTICE or not text.isprintable():
            raise SettingRefused(
                f"公告（{language}）有 {len(text)} 个字，最多 {MAX_NOTICE} 个，不能换行",
                f"the notice ({language}) has {len(text)} characters; at most {MAX_NOTICE}, in one line",
            )
    return words or None  # type: ignore[return-value]


def _unknown(name: str, role: str) -> tuple[str, str]:
    known = [setting.name for setting in for_role(role)]
    near = difflib.get_close_matches(name, known, n=1)
    zh = f"是不是 {near[0]}？" if near else f"可以设置的有：{'、'.join(known)}"
    en = f"did you mean {near[0]}?" if near else f"it may set {', '.join(known)}"
    return f"服务器不能设置“{name[:40]}”，{zh}", f"the fleet cannot set {name[:40]!r}; {en}"


def _value(setting: Setting, text: str) -> tuple[Value | None, tuple[str, str] | None]:
    if setting.kind == "choice":
        if text in setting.choices:
            return text, None
        return None, _wrong(setting, text, "、".join(setting.choices), ", ".join(setting.choices))
    if setting.kind == "text":
        if len(text) <= MAX_TEXT and text.isprintable():
            return text, None
        return None, _wrong(setting, text, f"最多 {MAX_TEXT} 个字", f"at most {MAX_TEXT} printable characters")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    limits = f"{setting.low:g}–{setting.high:g}"
    if not setting.low <= number <= setting.high or (setting.kind == "whole" and number != int(number)):
        whole_zh, whole_en = ("整数 ", "a whole number ") if setting.kind == "whole" else ("", "a number ")
        return None, _wrong(setting, text, whole_zh + limits, whole_en + limits)
    return int(number) if setting.kind == "whole" else number, None


def _wrong(setting: Setting, text: str, zh: str, en: str) -> tuple[str, str]:
    return f"{setting.zh}是“{text[:40]}”，应为{zh}", f"{setting.name} is {text[:40]!r}; set it to {en}"
