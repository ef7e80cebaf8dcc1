"""Who looks at a page, and how things are said to them: language, local time, durations, shares."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fleet.access.service import Actor
from fleet.ratings.rules import Tally
from fleet.watch.messages import words
from wire.messages import Words

SESSION_COOKIE = "nw_session"
LANGUAGE_COOKIE = "nw_language"


class Visitor:
    """One person at one page. `language` is zh or en; `zone` is the zone all times are shown in."""

    def __init__(self, actor: Actor, *, language: str, zone: str, now_ms: int) -> None:
        self.actor = actor
        self.language = "en" if language == "en" else "zh"
        self.zone = ZoneInfo(zone)
        self.now_ms = now_ms

    def say(self, zh: str, en: str) -> str:
        """The text in the visitor's language: both stand where they are used, so neither can be missing."""
        return zh if self.language == "zh" else en

    def title(self, text: Words | None) -> str:
        """A name in the visitor's language, or the Chinese original."""
        if not text:
            return ""
        return text.get(self.language) or text.get("zh", "")  # type: ignore[call-overload]

    def message(self, message: str | None, args: dict[str, str] | None = None) -> str:
        """The words of a message id."""
        return words(message, args, language=self.language)

    def local(self, ms: int) -> datetime:
        """A time in the visitor's zone."""
        return datetime.fromtimestamp(ms / 1000, self.zone)

    def time(self, ms: int | None) -> str:
        """Date and time to the minute; the year only when it is another; an em dash for None."""
        if not ms:
            return "—"
        then, now = self.local(ms), self.local(self.now_ms)
        if then.date() == now.date():
            return then.strftime("%H:%M")
        return then.strftime("%m-%d %H:%M" if then.year == now.year else "%Y-%m-%d %H:%M")

    def moment(self, ms: int | None) -> str:
        """The same to the second."""
        return f"{self.time(ms)}:{self.local(ms):%S}" if ms else "—"

    def version(self, text: str) -> str:
        """When a content pack was built, from its version, which names it in UTC; another version as it is."""
        try:
            built = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return text
        return self.moment(int(built.timestamp() * 1000))

    def full_time(self, ms: int | None) -> str:
        """Date and time to the second, with the offset from UTC."""
        return self.local(ms).isoformat(sep=" ", timespec="seconds") if ms else "—"

    def zone_name(self) -> str:
        """The zone with its offset, for example `Asia/Shanghai (UTC+8)`."""
        offset = self.local(self.now_ms).utcoffset()
        hours = offset.total_seconds() / 3600 if offset else 0
        return f"{self.zone.key} (UTC{hours:+g})"

    def span(self, ms: int) -> str:
        """A duration in its largest fitting unit."""
        minutes = max(0, ms) // 60_000
        if minutes < 1:
            return self.say("不到 1 分钟", "under 1 min")
        if minutes < 120:
            return self.say(f"{minutes} 分钟", f"{minutes} min")
        if minutes < 48 * 60:
            return self.say(f"{minutes // 60} 小时", f"{minutes // 60} h")
        return self.say(f"{minutes // 1440} 天", f"{minutes // 1440} days")

    def since(self, ms: int | None) -> str:
        """How long ago."""
        return self.span(self.now_ms - ms) if ms else "—"

    def ahead(self, ms: int) -> str:
        """When something will be: today's time, a weekday within six days, else the date."""
        then, now = self.local(ms), self.local(self.now_ms)
        days = (then.date() - now.date()).days
        if days <= 0:
            return self.say(f"今天 {then:%H:%M}", f"today {then:%H:%M}")
        if days <= 6:
            return self.say("周" + "一二三四五六日"[then.weekday()], then.strftime("%A"))
        return then.strftime("%m-%d")


def percent(value: float | None, *, digits: int = 1) -> str:
    """A share as a percentage; an em dash when there is none."""
    return "—" if value is None else f"{value * 100:.{digits}f}%"


def interval(tally: Tally) -> str:
    """The 95 % interval in percent, for example `96.0–97.9`; an em dash when nothing was rated."""
    found = tally.interval
    # Word joiners keep the two ends on one line.
    return "—" if found is None else f"{found[0] * 100:.1f}\u2060–\u2060{found[1] * 100:.1f}"


def in_fives(visitor: Visitor) -> str:
    """Why people outside supervision see rates that stand still: one line for every place that shows them."""
    return visitor.say(
        "好评率、差评率、等级和理由每满五个评价才更新，按窗口等分组的截至昨日，避免看出谁刚按了什么；n 是已显示的评价数。",
        "Levels, their rates and reasons change with every five ratings (by window and so on they end yesterday), "
        "so that nobody sees who pressed what; n is how many are shown.",
    )
