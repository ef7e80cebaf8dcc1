"""The console as a site: who may enter which page, the frame around pages, and parts that are drawn again when they differ."""

import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from nicegui import ui

from fleet.access.rules import Permission
from fleet.access.service import Actor
from fleet.console import labels
from fleet.console.page import Page, Refused
from fleet.console.parts import Tag, link
from fleet.console.visitor import LANGUAGE_COOKIE, SESSION_COOKIE
from fleet.services import Fleet

STYLE = Path(__file__).with_name("style.css")
STAMP_EVERY_S = 10.0
REDRAW_MS = 60_000
NAV: tuple[tuple[str, str, str, str, Permission], ...] = (
    ("overview", "/", "总览", "Overview", "see"),
    ("incidents", "/incidents", "告警", "Incidents", "see"),
    ("halls", "/halls", "大厅", "Halls", "see"),
    ("devices", "/devices", "设备", "Devices", "see"),
    ("pairing", "/pairing", "配对", "Pairing", "operate"),
    ("ratings", "/ratings", "评价", "Ratings", "see"),
    ("work-orders", "/work-orders", "差评工单", "Work orders", "handle"),
    ("revisits", "/revisits", "回访", "Revisits", "supervise"),
    ("working-days", "/working-days", "工作日历", "Working days", "see"),
    ("items", "/items", "事项", "Items", "see"),
    ("users", "/users", "用户", "Users", "administer"),
    ("audit", "/audit", "审计", "Audit", "administer"),
)


class Site:
    """Guards and frames the pages."""

    def __init__(self, fleet: Fleet, *, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self.fleet = fleet
        self._clock_ms = clock_ms

    def guard(self, permission: Permission = "see") -> Callable[[Request], Page]:
        """A FastAPI dependency that gives the Page of a logged-in visitor with this permission; raises Refused otherwise."""

        def enter(request: Request) -> Page:
            token = request.cookies.get(SESSION_COOKIE, "")
            actor = self.fleet.access.who(token, address=request.client.host if request.client else "")
            if actor is None:
                there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                raise Refused(RedirectResponse(f"/login?next={quote(there)}", status_code=303))
            page = self._page(request, token, actor)
            if not actor.may(permission):
                text = page.say("您的角色不能打开此页", "Your role may not open this page")
                raise Refused(
                    HTMLResponse(f'<!doctype html><meta charset="utf-8"><p>{text} · <a href="/">←</a></p>', status_code=403)
                )
            return page

        return enter

    def _page(self, request: Request, token: str, actor: Actor) -> Page:
        halls = self.fleet.registry.halls()
        return Page(
            self.fleet,
            token,
            actor,
            language=request.cookies.get(LANGUAGE_COOKIE, "zh"),
            zone=halls[0].timezone if halls else "Asia/Shanghai",
            now_ms=self._clock_ms(),
        )

    @contextmanager
    def frame(  # type: ignore[no-untyped-def]
        self, page: Page, here: str, heading: str, *, crumb: tuple[str, str] | None = None, shown: bool = True
    ):
        """The frame around a page's content; gives the heading's row, for what belongs at its end.

        With `shown` False the page draws its heading itself.
        """
        ui.page_title(f"{heading} · Nightwindow")
        ui.add_head_html(f'<link rel="stylesheet" href="/style.css?{STYLE.stat().st_mtime_ns}">')
        with Tag("div", classes="frame", lang="en" if page.language == "en" else "zh-CN"):
            Tag("a", page.say("跳到内容", "Skip to content"), "skip", href="#main")
            with Tag("header", classes="side"):
                with Tag("a", classes="brand", href="/"):
                    ui.html(LOGO, sanitize=False, tag="span")
                    Tag("span", "Nightwindow")

                self.live(page, lambda: self._nav(page, here), shows=self._counts)
                self._foot(page)
                with Tag("details", classes="menu"):
                    Tag("summary", page.say("菜单", "Menu"))
                    self._nav(page, here)
                    self._foot(page)
            with Tag("main", classes="main", id="main"):
                if crumb:
                    link(f"← {crumb[0]}", crumb[1], "crumb")
                if not shown:
                    yield None
                    return
                with Tag("div", classes="head") as head:
                    Tag("h1", heading)
                yield head

    def _counts(self) -> dict[str, int]:
        """What the menu shows beside its entries."""
        return {
            "incidents": sum(each.severity != "note" for each in self.fleet.watch.incidents.list()),
            "pairing": len(self.fleet.pairings.all(state="waiting")),
        }

    def _nav(self, page: Page, here: str) -> None:
        counts = self._counts()
        with Tag("nav", classes="nav", aria_label=page.say("主菜单", "Main menu")):
            for key, to, zh, en, permission in NAV:
                if not page.may(permission):
                    continue
                with Tag("a", classes="here" if key == here else "", href=to) as entry:
                    Tag("span", page.say(zh, en))
                    if counts.get(key):
                        Tag("span", str(counts[key]), "badge")
                if key == here:
                    entry._props["aria-current"] = "page"

    def _foot(self, page: Page) -> None:
        other = "zh" if page.language == "en" else "en"
        with Tag("div", classes="foot"):
            Tag("span", f"{page.actor.display} · {labels.label(labels.ROLES, page.actor.role, page.language)}")
            stamp = Tag("span", self._stamp(page))
            # The text changes in place: what is drawn again cannot be clicked in that moment.
            ui.timer(STAMP_EVERY_S, lambda: stamp.set_text(self._stamp(page)))
            Tag("span", page.zone_name())
            with Tag("span"):
                link("中文" if other == "zh" else "English", f"/language/{other}")
                Tag("span", " · ")
                with Tag("form", action="/logout", method="post"):
                    Tag("button", page.say("退出", "Log out"), type="submit")

    def _stamp(self, page: Page) -> str:
        return page.say("更新于 ", "Updated ") + page.local(self._clock_ms()).strftime("%H:%M:%S")

    def live(self, page: Page, build: Callable[[], None], *, shows: Callable[[], Any] | None = None, every_s: float = 1.0) -> None:
        """Draw a part of the page again when what the fleet knows has changed, at most every `every_s` seconds, and once a
        minute for the durations.

        A click on what is being drawn again is lost. So a part with buttons gives `shows`, what it shows as a value that can be
        compared, and is drawn again only when that differs.
        """
        watch = self.fleet.watch

        def facts() -> Any:
            return shows() if shows else watch.revision

        seen = {"revision": watch.revision, "facts": facts(), "at": self._clock_ms()}

        @ui.refreshable
        def part() -> None:
            page.now_ms = self._clock_ms()
            build()

        def look() -> None:
            is_old = self._clock_ms() - seen["at"] > REDRAW_MS
            if watch.revision == seen["revision"] and not is_old:
                return
            seen["revision"], found = watch.revision, facts()
            if found != seen["facts"] or is_old:
                seen.update(facts=found, at=self._clock_ms())
                part.refresh()

        part()
        ui.timer(every_s, look)


LOGO = (
    '<svg width="36" height="36" viewBox="0 0 36 36" aria-hidden="true" style="display:block">'
    '<rect width="36" height="36" rx="9" fill="#1B2430"/>'
    '<rect x="8" y="8" width="9" height="9" rx="2" fill="#E8A33D"/>'
    '<rect x="19" y="8" width="9" height="9" rx="2" fill="#6B5330"/>'
    '<rect x="8" y="19" width="9" height="9" rx="2" fill="#6B5330"/>'
    '<rect x="19" y="19" width="9" height="9" rx="2" fill="#4A3F33"/></svg>'
)
