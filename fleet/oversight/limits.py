"""A hall's settings of oversight: how many working days each step may take. Pure; `read_limits` checks what a form gives."""

from collections.abc import Mapping

from msgspec import Struct

from fleet.access.errors import Explained

MOST = 250


class LimitsRefused(Explained):
    """A limit that cannot be set; it says which and what may be given."""


class Limits(Struct, frozen=True, kw_only=True):
    """Working days a step may take, counted from the day after it became due; `contact_kept_days` are days of the calendar."""

    assign_days: int = 1
    contact_days: int = 1
    classify_days: int = 1
    rectify_days: int = 1
    reply_days: int = 5
    revisit_days: int = 3
    close_days: int = 1
    appeal_days: int = 5
    review_days: int = 5
    release_days: int = 5
    promise_days: int = 5
    limit_days: int = 15
    contact_kept_days: int = 30


NAMES: dict[str, tuple[str, str]] = {
    "assign_days": ("分派", "Assign"),
    "contact_days": ("联系评价人", "Contact the rater"),
    "classify_days": ("核实分类", "Verify and classify"),
    "rectify_days": ("开始整改", "Begin rectification"),
    "reply_days": ("整改并答复", "Rectify and reply"),
    "revisit_days": ("回访", "Revisit"),
    "close_days": ("办结", "Close"),
    "appeal_days": ("申诉期限", "An appeal may be filed within"),
    "review_days": ("申诉复核", "Review of an appeal"),
    "release_days": ("保护期最长（到期由监督决定是否交办）", "Held back at most (then supervision decides)"),
    "promise_days": ("总承诺时限（至答复）", "Promise, up to the reply"),
    "limit_days": ("总最长时限（至答复）", "Longest, up to the reply"),
    "contact_kept_days": ("办结后保留联系方式（自然日）", "Contact data kept after closing (calendar days)"),
}
"""Every limit in the order of the form: (Chinese, English)."""


def read_limits(given: Mapping[str, object]) -> Limits:
    """Limits from what a form or the store gives; what is empty or missing stays as usual. Raises LimitsRefused."""
    values: dict[str, int] = {}
    for name, each in given.items():
        text = str(each).strip()
        if name not in NAMES:
            raise LimitsRefused(f"没有这项时限：{name[:40]}", f"{name[:40]!r} is no limit; known: {', '.join(NAMES)}")
        if not text:
            continue
        if not text.isascii() or not text.isdigit() or int(text[:6]) > MOST:
            raise LimitsRefused(
                f"{NAMES[name][0]}是“{text[:20]}”，应为整数 0–{MOST}", f"{name} is {text[:20]!r}; set it to a whole number 0–{MOST}"
            )
        values[name] = int(text)
    limits = Limits(**values)
    if limits.limit_days < limits.promise_days:
        raise LimitsRefused("总最长时限不能短于承诺时限", "limit_days cannot be below promise_days")
    return limits
