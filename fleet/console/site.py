"""The console as a site: who may enter which page, the frame around pages, login, and what every answer's headers say."""

import re
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from nicegui import ui

from fleet.access.errors import Explained
from fleet.access.limits import Limiter
from fleet.access.rules import Permission
from fleet.access.service import Actor, LoginRefused
from fleet.console import labels
from fleet.console.login import login_page
from fleet.console.parts import Tag, link
from fleet.console.visitor import LANGUAGE_COOKIE, SESSION_COOKIE, Visitor
from fleet.registry.records import RegistryError
from fleet.services import Fleet

STYLE = Path(__file__).with_name("style.css")
_NEXT = re.compile(r"/[A-Za-z0-9_\-./?=&%]{0,300}")
SECURITY_HEADERS = {
    # NiceGUI's pages compile templates and run inline scripts; everything else comes from this server alone.
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "connect-src 'self' ws: wss:",
            "font-src 'self' data:",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'self'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

NAV: tuple[tuple[str, str, str, str, Permission], ...] = (
    ("overview", "/", "总览", "Overview", "see"),
    ("incidents", "/incidents", "告警", "Incidents", "see"),
    ("halls", "/halls", "大厅", "Halls", "see"),
    ("devices", "/devices", "设备", "Devices", "see"),
    ("pairing", "/pairing", "配对", "Pairing", "operate"),
    ("ratings", "/ratings", "评价", "Ratings", "see"),
    ("items", "/items", "事项", "Items", "see"),
    ("users", "/users", "用户", "Users", "administer"),
    ("audit", "/audit", "审计", "Audit", "administer"),
)


class Refused(Exception):
    """The page is not for this visitor; `response` is what they get instead."""

    def __init__(self, response: Response) -> None:
        super().__init__("page refused")
        self.response = response


class Page(Visitor):
    """One open page: the visitor, the services, and actions that check again who acts."""

    def __init__(self, fleet: Fleet, token: str, actor: Actor, **visitor: Any) -> None:
        super().__init__(actor, **visitor)
        self.fleet = fleet
        self._token = token
        self.refresh_side: Callable[[], Any] = lambda: None

    def may(self, permission: Permission) -> bool:
        """Whether the visitor had the permission when the page was opened."""
        return self.actor.may(permission)

    def act(self, permission: Permission, deed: Callable[[Actor], Any], *, done: str = "") -> bool:
        """Run a deed as the visitor, whose session and role are looked up again: a page may stand open for hours.

        Tells the visitor what became of it. False when it was refused or failed.
        """
        actor = self.fleet.access.who(self._token, address=self.actor.address)
        if actor is None:
            ui.navigate.to("/login")
            return False
        if not actor.may(permission):
            ui.notify(self.say("您的角色不能做这件事", "Your role may not do this"), type="negative")
            return False
        try:
            deed(actor)
        except Explained as error:
            ui.notify(error.words(self.language), type="negative", timeout=8_000)
            return False
        except (RegistryError, ValueError, LookupError, OSError) as error:
            ui.notify(self.say("没有成功：", "Failed: ") + str(error), type="negative", timeout=8_000)
            return False
        if done:
            ui.notify(done, type="positive")
        return True


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
        with Tag("div", classes="frame"):
            Tag("a", page.say("跳到内容", "Skip to content"), "skip", href="#main")
            with Tag("header", classes="side"):
                with Tag("a", classes="brand", href="/"):
                    ui.html(LOGO, sanitize=False, tag="span")
                    Tag("span", "Nightwindow")

                @ui.refreshable
                def wide() -> None:
                    self._nav(page, here)
                    self._foot(page)

                wide()
                page.refresh_side = wide.refresh
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

    def _nav(self, page: Page, here: str) -> None:
        counts = {
            "incidents": sum(each.severity != "note" for each in self.fleet.watch.incidents.list()),
            "pairing": len(self.fleet.pairings.all(state="waiting")),
        }
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

    @staticmethod
    def _foot(page: Page) -> None:
        other = "zh" if page.language == "en" else "en"
        with Tag("div", classes="foot"):
            Tag("span", f"{page.actor.display} · {labels.label(labels.ROLES, page.actor.role, page.language)}")
            Tag("span", page.say("更新于 ", "Updated ") + page.local(page.now_ms).strftime("%H:%M:%S"))
            Tag("span", page.zone_name())
            with Tag("span"):
                link("中文" if other == "zh" else "English", f"/language/{other}")
                Tag("span", " · ")
                with Tag("form", action="/logout", method="post"):
                    Tag("button", page.say("退出", "Log out"), type="submit")

    def live(self, page: Page, build: Callable[[], None], *, every_s: float = 1.0) -> None:
        """Draw a part of the page again when what the fleet knows has changed, at most every `every_s` seconds, and once a
        minute for the durations."""
        shown = {"revision": self.fleet.watch.revision, "at": self._clock_ms()}

        @ui.refreshable
        def part() -> None:
            page.now_ms = self._clock_ms()
            build()

        def look() -> None:
            self.fleet.access.watching(page.actor.name)
            if self.fleet.watch.revision != shown["revision"] or self._clock_ms() - shown["at"] > 60_000:
                shown.update(revision=self.fleet.watch.revision, at=self._clock_ms())
                part.refresh()
                page.refresh_side()

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


def mount_access(app: FastAPI, fleet: Fleet) -> None:
    """Login, logout, language and style: plain requests, because cookies are set by answers and not over a web socket."""
    limiter = Limiter(per_minute=20, burst=20)

    def language(request: Request) -> str:
        return "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "zh"

    @app.get("/style.css", include_in_schema=False)
    def style() -> Response:
        return Response(STYLE.read_text(encoding="utf-8"), media_type="text/css", headers={"Cache-Control": "no-cache"})

    @app.get("/login", include_in_schema=False)
    def show_login(request: Request, next: str = "/") -> HTMLResponse:
        return HTMLResponse(login_page(language(request), _safe(next)))

    @app.post("/login", include_in_schema=False)
    def log_in(
        request: Request, name: str = Form("", max_length=64), password: str = Form("", max_length=500), next: str = Form("/")
    ) -> Response:
        address = request.client.host if request.client else ""
        if wait := limiter.wait_s(address):
            return HTMLResponse(
                login_page(language(request), _safe(next), wait_ms=int(wait * 1000) + 1, name=name), status_code=429
            )
        try:
            token = fleet.access.log_in(name.strip().lower(), password, address=address)
        except LoginRefused as error:
            shown = login_page(language(request), _safe(next), wrong=True, wait_ms=error.wait_ms, name=name)
            return HTMLResponse(shown, status_code=401)
        answer = RedirectResponse(_safe(next), status_code=303)
        answer.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/")
        return answer

    @app.post("/logout", include_in_schema=False)
    def log_out(request: Request) -> Response:
        fleet.access.log_out(request.cookies.get(SESSION_COOKIE, ""))
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(SESSION_COOKIE, path="/")
        return answer

    @app.get("/language/{code}", include_in_schema=False)
    def set_language(request: Request, code: str) -> Response:
        # Back to where the visitor was, by path alone: a foreign address in the header leads nowhere.
        path = re.sub(r"^https?://[^/]+", "", request.headers.get("referer", "/"))
        answer = RedirectResponse(_safe(path), status_code=303)
        answer.set_cookie(LANGUAGE_COOKIE, "en" if code == "en" else "zh", max_age=31_536_000, samesite="lax", path="/")
        return answer

    @app.middleware("http")
    async def headers(request: Request, call_next: Callable[..., Any]) -> Response:
        answer: Response = await call_next(request)
        for name, value in SECURITY_HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer


def _safe(path: str) -> str:
    """A path of this site, or `/`: never another host."""
    return path if _NEXT.fullmatch(path) and not path.startswith("//") else "/"
