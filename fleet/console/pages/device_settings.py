"""What the fleet overrides on a device: a form drawn from the list of settings, saved as the device's desired configuration."""

from collections.abc import Callable

from fleet.console.page import Page
from fleet.console.parts import Choice, Entry, Tag, button, card, pairs
from fleet.control.settings import Setting, for_role
from fleet.registry.records import Device

NOTICES = (("zh", "中文", "Chinese"), ("ko", "韩文", "Korean"), ("en", "英文", "English"))
LANGUAGES = {"zh": "中文", "ko": "한국어", "en": "English"}


def settings_card(page: Page, record: Device) -> None:
    """The card: a form for operators, what is set for everybody else."""
    settings, notice = page.fleet.control.settings(record.name)
    with card(page.say("设置与公告", "Settings and notice")):
        if not page.may("operate"):
            _told(page, record, settings, notice)
            return
        text = page.say(
            "留空表示用设备自己的设置。保存后下发，“期望与上报”显示设备是否已应用。",
            "Left empty, the device uses its own. Saved, it is sent; “Desired and reported” tells when it is applied.",
        )
        Tag("p", text, "soft small")
        with Tag("details"):
            summary = Tag("summary", _count(page, settings, notice))
            control = page.fleet.control
            _form(page, record, settings, notice or {}, lambda: summary.set_text(_count(page, *control.settings(record.name))))


def _count(page: Page, settings: dict, notice: dict | None) -> str:  # type: ignore[type-arg]
    count = len(settings) + bool(notice)
    return page.say(f"更改（已设 {count} 项）", f"Change ({count} set)")


def _told(page: Page, record: Device, settings: dict, notice: dict | None) -> None:  # type: ignore[type-arg]
    rows = [(_name(page, each), str(settings[each.name])) for each in for_role(record.role) if each.name in settings]
    if notice:
        rows.append((page.say("公告", "Notice"), page.title(notice)))
    if rows:
        pairs(rows)
    else:
        Tag("p", page.say("没有，设备用自己的设置", "None; the device uses its own"), "empty")


def _form(page: Page, record: Device, settings: dict, notice: dict, on_save: Callable[[], object]) -> None:  # type: ignore[type-arg]
    fields = {}
    with Tag("div", classes="form"):
        for setting in for_role(record.role):
            now = settings.get(setting.name)
            fields[setting.name] = _field(page, setting, "" if now is None else f"{now:g}" if isinstance(now, float) else str(now))
        notices = {}
        for code, zh, en in NOTICES:
            notices[code] = Entry(page.say(f"屏幕公告（{zh}）", f"Notice on the screen ({en})"), notice.get(code, ""))

    def save() -> None:
        given, words = ({name: field.value for name, field in some.items()} for some in (fields, notices))
        page.act(
            "operate",
            lambda who: page.fleet.control.set_settings(record.name, given, by=who.name, notice=words, address=who.address),
            done=page.say("已保存并下发", "Saved and sent"),
        )
        on_save()

    with Tag("div", classes="btns"):
        button(page.say("保存并下发", "Save and send"), save, kind="main-act")


def _name(page: Page, setting: Setting) -> str:
    return page.say(setting.zh, setting.en)


def _field(page: Page, setting: Setting, now: str) -> Entry | Choice:
    own = page.say("设备自己的设置", "the device's own")
    if setting.kind == "choice":
        names = [(each, LANGUAGES.get(each, each)) for each in setting.choices]
        return Choice(_name(page, setting), [("", own), *names], now)
    unit = {"s": page.say("秒", "s"), "h": page.say("点", "o'clock"), "": ""}[setting.unit]
    limits = f"{setting.low:g}–{setting.high:g} {unit}" if setting.kind in ("whole", "number") else ""
    usual = page.say(f"通常 {setting.usual}", f"usually {setting.usual}") if setting.usual else ""
    hint = page.say("，", ", ").join(filter(None, (limits, usual)))
    return Entry(f"{_name(page, setting)}（{hint}）" if hint else _name(page, setting), now)
