"""用户: people with their roles, and API keys of other systems."""

from fastapi import Depends, FastAPI
from nicegui import ui

from fleet.access.rules import PERSON_ROLES
from fleet.access.service import ApiKey, User
from fleet.console import labels
from fleet.console.page import Page
from fleet.console.parts import Choice, Entry, Tag, button, card, chip, confirm, table
from fleet.console.site import Site


def mount(app: FastAPI, site: Site) -> None:
    """Add the page."""

    @ui.page("/users")
    def users(page: Page = Depends(site.guard("administer"))) -> None:
        with site.frame(page, "users", page.say("用户", "Users")):

            @ui.refreshable
            def body() -> None:
                _people(page, body.refresh)
                _keys(page, body.refresh)

            body()


def _people(page: Page, again) -> None:  # type: ignore[no-untyped-def]
    with card(page.say("人员", "People")):
        rows = [
            (
                user.name,
                user.display,
                labels.label(labels.ROLES, user.role, page.language),
                lambda user=user: _standing(page, user),
                page.time(user.made_ms),
                lambda user=user: button(page.say("更改", "Change"), lambda: _change(page, user, again)),
            )
            for user in page.fleet.access.users()
        ]
        table(
            (
                page.say("用户名", "Name"),
                page.say("姓名", "Person"),
                page.say("角色", "Role"),
                page.say("状态", "State"),
                page.say("建立", "Made"),
                "",
            ),
            rows,
        )
        with Tag("div", classes="btns"):
            button(page.say("新增人员", "Add a person"), lambda: _add(page, again), kind="main-act")


def _standing(page: Page, user: User) -> None:
    if user.disabled:
        chip(page.say("已停用", "Disabled"), "bad")
    elif user.locked_until_ms > page.now_ms:
        chip(page.say("暂时锁定至 ", "Locked until ") + page.time(user.locked_until_ms), "warn")
    else:
        chip(page.say("可用", "Active"), "good")


def _roles(page: Page) -> list[tuple[str, str]]:
    return [(role, labels.label(labels.ROLES, role, page.language)) for role in PERSON_ROLES]


def _add(page: Page, again) -> None:  # type: ignore[no-untyped-def]
    with ui.dialog() as dialog, Tag("div", classes="card"):
        Tag("h2", page.say("新增人员", "Add a person"))
        name = Entry(page.say("用户名（小写字母、数字）", "Name (lower-case letters, digits)"), autofocus=True)
        display = Entry(page.say("姓名", "Person"))
        role = Choice(page.say("角色", "Role"), _roles(page), "viewer")
        password = Entry(page.say("初始密码（至少 10 个字符）", "First password (10 characters or more)"), kind="password")

        def save() -> None:
            made = page.act(
                "administer",
                lambda who: page.fleet.access.add_user(
                    name.value.strip(), display=display.value.strip(), role=role.value, password=password.value, by=who.name
                ),
                done=page.say("已新增", "Added"),
            )
            if made:
                dialog.close()
                again()

        with Tag("div", classes="btns"):
            button(page.say("保存", "Save"), save, kind="main-act")
            button(page.say("取消", "Cancel"), dialog.close)
    dialog.open()


def _change(page: Page, user: User, again) -> None:  # type: ignore[no-untyped-def]
    with ui.dialog() as dialog, Tag("div", classes="card"):
        Tag("h2", f"{user.display} ({user.name})")
        role = Choice(page.say("角色", "Role"), _roles(page), user.role)
        password = Entry(page.say("新密码（留空不变）", "New password (empty: unchanged)"), kind="password")
        Tag("p", page.say("更改后此人需要重新登录。", "The person has to log in again afterwards."), "soft small")

        def save(disabled: bool | None = None) -> None:
            made = page.act(
                "administer",
                lambda who: page.fleet.access.change_user(
                    user.name, by=who.name, role=role.value, password=password.value or None, disabled=disabled
                ),
                done=page.say("已更改", "Changed"),
            )
            if made:
                dialog.close()
                again()

        with Tag("div", classes="btns"):
            button(page.say("保存", "Save"), save, kind="main-act")
            if user.disabled:
                button(page.say("启用", "Enable"), lambda: save(False))
            else:
                button(page.say("停用", "Disable"), lambda: save(True), kind="danger")
            button(page.say("取消", "Cancel"), dialog.close)
    dialog.open()


def _keys(page: Page, again) -> None:  # type: ignore[no-untyped-def]
    with card(page.say("接口密钥（其他系统）", "API keys (other systems)")):
        rows = [
            (
                key.title,
                f"nw_{key.id}_…",
                page.time(key.made_ms) + f" · {key.made_by}",
                page.time(key.used_ms),
                lambda key=key: _key_state(page, key, again),
            )
            for key in page.fleet.access.api_keys()
        ]
        if rows:
            table(
                (
                    page.say("系统", "System"),
                    page.say("密钥", "Key"),
                    page.say("建立", "Made"),
                    page.say("最近使用", "Last used"),
                    "",
                ),
                rows,
            )
        else:
            Tag(
                "p",
                page.say(
                    "还没有密钥。叫号、一体化平台等系统用密钥上报服务。",
                    "No keys yet. Queueing and case systems report services with one.",
                ),
                "empty",
            )
        with Tag("div", classes="btns"):
            button(page.say("新建密钥", "Make a key"), lambda: _make_key(page, again))


def _key_state(page: Page, key: ApiKey, again) -> None:  # type: ignore[no-untyped-def]
    if key.revoked_ms:
        chip(page.say("已作废 ", "Revoked ") + page.time(key.revoked_ms), "bad")
        return

    def revoke() -> None:
        page.act("administer", lambda who: page.fleet.access.revoke_key(key.id, by=who.name), done=page.say("已作废", "Revoked"))
        again()

    question = page.say(f"作废“{key.title}”的密钥？", f"Revoke the key of “{key.title}”?")
    detail = page.say("该系统将立即无法上报。", "That system is refused at once.")
    button(
        page.say("作废", "Revoke"),
        lambda: confirm(question, detail, page.say("作废", "Revoke"), page.say("取消", "Cancel"), revoke, danger=True),
        kind="danger",
    )


def _make_key(page: Page, again) -> None:  # type: ignore[no-untyped-def]
    with ui.dialog() as dialog, Tag("div", classes="card") as box:
        Tag("h2", page.say("新建密钥", "Make a key"))
        title = Entry(page.say("哪个系统使用", "Which system uses it"), autofocus=True)
        made: list[str] = []

        def make() -> None:
            if not page.act("administer", lambda who: made.append(page.fleet.access.make_key(title.value, by=who.name))):
                return
            box.clear()
            with box:
                Tag("h2", page.say("密钥只显示这一次", "The key is shown this once"))
                Tag("code", made[-1], "mono", style="overflow-wrap:anywhere")
                Tag(
                    "p",
                    page.say("请现在复制到该系统；之后无法再看。", "Copy it into that system now; it cannot be shown again."),
                    "soft small",
                )
                button(page.say("已复制，关闭", "Copied, close"), lambda: (dialog.close(), again()), kind="main-act")

        with Tag("div", classes="btns"):
            button(page.say("建立", "Make"), make, kind="main-act")
            button(page.say("取消", "Cancel"), dialog.close)
    dialog.open()
