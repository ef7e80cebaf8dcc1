"""Interprets cells: time limits, dates, yes and no, kinds, numbers. Each function gives None for what it cannot read."""

import re
from datetime import date, timedelta
from typing import Literal

from fleet.hall.importer.clean import narrow
from pack.model import Duration

_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_AT_ONCE = re.compile(r"^(即时|即办|当场|立即|现场|随到随办|立等可取|当即|即来即办|马上)[\w]*$")
_LIMIT = re.compile(
    r"^(?:自受理之日起|受理后|不超过|最长|最多|少于|在)*\s*(?P<number>\d+|[零〇一二两三四五六七八九十百]+)\s*(?:个|\()?\s*"
    r"(?P<unit>工作日|工作天|自然日|日历日|小时|钟头|h|日|天|月|周|星期|年)\s*\)?\s*(?:内|以内|之内|办结|内办结)*$"
)
_UNITS: dict[str, tuple[Literal["hour", "working_day", "day", "month"], int]] = {
    "工作日": ("working_day", 1), "工作天": ("working_day", 1), "自然日": ("day", 1), "日历日": ("day", 1), "日": ("day", 1),
    "天": ("day", 1), "小时": ("hour", 1), "钟头": ("hour", 1), "h": ("hour", 1), "月": ("month", 1), "周": ("day", 7),
    "星期": ("day", 7), "年": ("month", 12),
}  # fmt: skip
_MOST = 3650
_DATE = re.compile(r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T ]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?)?$")
_COMPACT_DATE = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_SERIAL_ZERO = date(1899, 12, 30)  # Excel counts days from here.
_YES = frozenset("是 y yes true 1 有 收费 收 可 可以 支持 能 网办 可网办 全程网办 √ ✓ ✔".split())  # noqa: SIM905
_NO = frozenset("否 n no false 0 无 不收费 免费 不收 不可 不可以 不支持 不能 不可网办 × ✗".split())  # noqa: SIM905


def chinese_number(text: str) -> int | None:
    """12, 十二, 二十, 一百二十 → a number."""
    if text.isascii() and text.isdigit():
        return int(text[:9])
    total, digit = 0, 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in "十百":
            total += (digit or 1) * (10 if char == "十" else 100)
            digit = 0
        else:
            return None
    return total + digit


def duration(text: str, *, unit_of_column: str = "") -> Duration | None:
    """A time limit: 5个工作日, 即时办结, 十五日内, 3 个月; a bare number takes the unit that its column names."""
    plain = narrow(text).strip().lower().replace("（", "(").replace("）", ")")
    if _AT_ONCE.match(plain):
        return Duration(amount=0, unit="at_once")
    if re.fullmatch(r"\d+(\.0+)?", plain) and unit_of_column:
        plain = plain.split(".")[0] + unit_of_column
    match = _LIMIT.match(plain)
    number = chinese_number(match["number"]) if match else None
    if match is None or number is None:
        return None
    unit, factor = _UNITS[match["unit"]]
    if number == 0:
        return Duration(amount=0, unit="at_once")
    return Duration(amount=number * factor, unit=unit) if number * factor <= _MOST else None


def unit_in(header: str) -> str:
    """The unit a column's header names for bare numbers: 承诺时限（工作日） → 工作日."""
    match = re.search(r"[（(]\s*(?:单位[:：]?)?\s*个?(工作日|自然日|小时|日|天|月)\s*[)）]", header)
    return match[1] if match else ""


def iso_date(text: str) -> str | None:
    """2025-01-31 from 2025年1月31日, 2025/1/31, 20250131, an Excel serial number, or a date with a time."""
    plain = narrow(text).strip()
    try:
        if match := _DATE.match(plain) or _COMPACT_DATE.match(plain):
            return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
        if re.fullmatch(r"[2-6]\d{4}(\.\d+)?", plain):
            return (_SERIAL_ZERO + timedelta(days=int(float(plain)))).isoformat()
    except ValueError:
        return None
    return None


def yes_no(text: str) -> bool | None:
    """是 / 否 in the ways they are written."""
    plain = narrow(text).strip().lower()
    return True if plain in _YES else False if plain in _NO else None


def whole_number(text: str) -> int | None:
    """3, 3.0, ３, 3次, 至多1次, 最多跑一次."""
    plain = narrow(text).strip()
    match = re.fullmatch(r"(?:至多|最多|不超过|最多跑|跑)?(\d{1,9})(?:\.0+)?\s*[次份个张]?", plain)
    if match:
        return int(match[1])
    match = re.fullmatch(r"(?:至多|最多|不超过|最多跑|跑)?([零一二两三四五六七八九十]+)\s*[次份个张]?", plain)
    return chinese_number(match[1]) if match else None


def fen(text: str) -> int | None:
    """The one amount of money a text names, in fen: 工本费20元 → 2000. None when it names none or several."""
    found = re.findall(r"(\d+(?:\.\d{1,2})?)\s*元", narrow(text).replace(",", ""))
    if len(found) != 1 or re.search(r"元\s*[-—~至到]|%|‰|起", text):
        return None
    yuan, _, rest = found[0].partition(".")
    return int(yuan[:12]) * 100 + int((rest + "00")[:2])


def _by_word(words: dict[str, str]) -> dict[str, str]:
    """Word → value, from value → words with blanks between."""
    return {word: value for value, said in words.items() for word in said.split()}


KINDS = _by_word(
    {
        "licence": "行政许可 许可 01",
        "payment": "行政给付 给付 05",
        "confirmation": "行政确认 确认 07",
        "reward": "行政奖励 奖励 08",
        "ruling": "行政裁决 裁决 09",
        "other_power": "其他行政权力 其它行政权力 其他权力 其他类 10",
        "public_service": "公共服务 公共服务事项 20",
    }
)
HANDLINGS = _by_word(
    {
        "at_once": "即办件 即办 即时办结",
        "promise": "承诺件 承诺办件",
        "review": "一审一核件 一审一核",
    }
)
AUDIENCES = _by_word(
    {
        "person": "自然人 个人 公民 居民",
        "company": "法人 企业 企业法人 事业法人 社会组织法人 非法人企业 个体工商户 单位",
        "other": "其他组织 非法人组织 其他 行政机关",
    }
)
STATUSES = _by_word(
    {
        "in_use": "在用 启用 正常 有效 已发布",
        "paused": "暂停 暂停办理 停办",
        "withdrawn": "取消 停用 废止 注销 已取消 撤销",
    }
)
MATERIAL_KINDS = _by_word(
    {
        "original": "原件 正本 原件或复印件 原件/复印件",
        "copy": "复印件 副本 影印件",
        "original_and_copy": "原件和复印件 原件及复印件 原件、复印件 原件,复印件 原件与复印件 复印件和原件",
    }
)
MATERIAL_FORMS = _by_word(
    {
        "paper": "纸质 纸质版",
        "electronic": "电子 电子版 电子件",
        "paper_or_electronic": "纸质/电子 纸质或电子 纸质和电子 纸质、电子 纸质,电子 纸质或电子版 纸质/电子版 "
        "电子/纸质 纸质和电子版",
    }
)
MATERIAL_NEEDS = _by_word(
    {
        "required": "必要 是 必须 必需 必备 1",
        "conditional": "非必要 否 非必须 非必需 0 可选",
        "later": "容缺 容缺后补 可容缺 后补",
    }
)
MATERIAL_SOURCES = _by_word(
    {
        "applicant": "申请人自备 申请人 自备 个人自备",
        "government": "政府部门核发 政府部门 政府核发 部门核发 行政机关",
        "intermediary": "中介机构 中介 中介机构或法定机构产生 第三方",
        "hall": "大厅 窗口 窗口领取 窗口提供",
    }
)


def look_up(table: dict[str, str], text: str) -> str | None:
    """A value by its Chinese name, width and blanks aside."""
    return table.get(re.sub(r"\s+", "", narrow(text)).replace("，", ",").replace("；", ","))
