"""Login, logout and language of the console, and what every answer's headers say."""

import re
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from fleet.access.limits import Limiter
from fleet.access.service import LoginRefused
from fleet.console.login import login_page
from fleet.console.site import STYLE
from fleet.console.visitor import LANGUAGE_COOKIE, SESSION_COOKIE
from fleet.services import Fleet

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


def mount_access(app: FastAPI, fleet: Fleet) -> None:
    """Login, logout, language and style: plain requests, because cookies are set by answers and not over a web socket."""
    limiter = Limiter(per_minute=20, burst=20)

    def language(request: Request) -> str:
        return "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "zh"

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

    _mount_small(app, fleet)

    @app.middleware("http")
    async def headers(request: Request, call_next: Callable[..., Any]) -> Response:
        answer: Response = await call_next(request)
        for name, value in SECURITY_HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer


def _mount_small(app: FastAPI, fleet: Fleet) -> None:
    """Style, logout and the choice of language."""

    @app.get("/style.css", include_in_schema=False)
    def style() -> Response:
        return Response(STYLE.read_text(encoding="utf-8"), media_type="text/css", headers={"Cache-Control": "no-cache"})

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


def _safe(path: str) -> str:
    """A path of this site, or `/`: never another host."""
    return path if _NEXT.fullmatch(path) and not path.startswith("//") else "/"
