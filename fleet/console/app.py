"""Puts the console on a FastAPI application: login, every page, downloads."""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from nicegui import app as nicegui_app
from nicegui import ui

from fleet.console.entry import mount_access
from fleet.console.login import nowhere_page
from fleet.console.page import Refused
from fleet.console.pages import (
    audit,
    device,
    devices,
    halls,
    incidents,
    items,
    overview,
    pairing,
    ratings,
    revisits,
    users,
    work_orders,
    working_days,
)
from fleet.console.site import Site
from fleet.console.visitor import LANGUAGE_COOKIE
from fleet.services import Fleet

PAGES = (overview, incidents, halls, devices, device, pairing, ratings, work_orders, revisits, working_days, items, users, audit)


def mount_console(app: FastAPI, fleet: Fleet) -> None:
    """Add all pages to the application. NiceGUI serves its scripts from its own package: no request leaves the server."""
    site = Site(fleet)
    mount_access(app, fleet)
    for module in PAGES:
        module.mount(app, site)

    @app.exception_handler(Refused)  # Downloads are the application's own paths.
    @nicegui_app.exception_handler(Refused)
    async def refused(_request: Request, error: Refused) -> Response:
        return error.response

    @nicegui_app.exception_handler(404)
    async def nowhere(request: Request, _error: Exception) -> Response:
        return HTMLResponse(nowhere_page("en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "zh"), status_code=404)

    ui.run_with(app, title="Nightwindow", favicon="🪟", language="zh-CN", show_welcome_message=False, reconnect_timeout=10)
