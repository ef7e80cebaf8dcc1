"""`nw-fleet serve`: the door, the console and API, and the link to devices in one process; ingest is another."""

import asyncio
import signal
import ssl
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from fleet.app import content_folder, open_fleet
from fleet.broker import SERVE
from fleet.link import make_client
from fleet.ports import check_port
from fleet.registry.door import make_door
from fleet.services import Fleet
from fleet.serving import Serving
from fleet.web import make_web


def door_server(fleet: Fleet) -> uvicorn.Server:
    """The HTTPS server of the door, not started."""
    settings = fleet.config.door
    folder = fleet.data / "broker"
    fleet.pairings.stand_behind((folder / "server.pem").read_bytes())
    app = make_door(fleet.pairings, content=content_folder(fleet.data))
    return _server(
        app,
        settings.bind,
        settings.port,
        ssl_certfile=str(folder / "server.pem"),
        ssl_keyfile=str(folder / "server.key"),
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
    )


def web_server(fleet: Fleet) -> uvicorn.Server:
    """The HTTP server of console and API, not started."""
    settings = fleet.config.console
    return _server(make_web(fleet), settings.bind, settings.port)


def run(data: Path) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigError, KeysError, StoreError, or PortTaken."""
    fleet = open_fleet(data)
    serving = Serving(fleet, make_client(data, SERVE, manual_ack=True))
    try:
        servers = [door_server(fleet), web_server(fleet)]
        serving.start()
        asyncio.run(serve(servers))
    finally:
        serving.stop()
        fleet.close()


async def serve(servers: list[uvicorn.Server]) -> None:
    """Run servers side by side; the first that ends, and every signal, ends all."""
    for server in servers:
        check_port(server.config.host, server.config.port)

    def end() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    tasks = [asyncio.create_task(server._serve()) for server in servers]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    end()
    await asyncio.gather(*tasks)


def _server(app: FastAPI, host: str, port: int, **tls: object) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=3,
        limit_concurrency=200,
        **tls,  # type: ignore[arg-type]
    )
    return uvicorn.Server(config)
