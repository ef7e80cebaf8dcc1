"""Console, public page and API as one ASGI application: what `nw-fleet serve` listens with."""

from fastapi import FastAPI

from fleet.api.app import mount_api
from fleet.console.app import mount_console
from fleet.public.receipt import mount_public
from fleet.services import Fleet


def make_web(fleet: Fleet) -> FastAPI:
    """The application. The API is mounted first, because the console takes every other path. Once in a process (NiceGUI)."""
    app = FastAPI(title="Nightwindow", docs_url=None, redoc_url=None, openapi_url=None)
    mount_api(app, fleet)
    mount_public(app, fleet)
    mount_console(app, fleet)
    return app
