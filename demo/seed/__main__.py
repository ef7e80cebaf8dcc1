"""`python -m demo.seed DIRECTORY PORT`: a console over the invented hall, without broker and devices, for its pictures."""

import datetime as dt
import secrets
import sys
import threading
import time
from pathlib import Path

import uvicorn

from demo.seed.hall import seed_demo
from fleet.app import open_fleet
from fleet.setup import prepare
from fleet.web import make_web

AWAY = "niuhe"
"""The hall whose devices have no network."""


def prepare_demo(data: Path, *, password: str, now_ms: int) -> None:
    """Make a data directory with the invented hall in it. Raises FileExistsError when there is something at `data`."""
    data.mkdir(parents=True)
    prepare(data, now=dt.datetime.now(dt.UTC))
    fleet = open_fleet(data)
    try:
        seed_demo(fleet, password=password, now_ms=now_ms)
    finally:
        fleet.close()


def serve_demo(data: Path, port: int) -> None:
    """Serve the console over a seeded directory, the devices kept as if they spoke; until the process ends."""
    fleet = open_fleet(data)
    fleet.watch.set_broker(True)
    present = [known.device for known in fleet.watch.devices() if known.hall != AWAY]

    def speak() -> None:
        while True:
            for device in present:
                fleet.watch.touch(device)
            fleet.watch.review()
            time.sleep(5)

    threading.Thread(target=speak, daemon=True).start()
    uvicorn.run(make_web(fleet), host="127.0.0.1", port=port, log_level="warning")


def main(data: Path, port: int) -> None:
    """Seed, print everybody's password, made for this run, and serve."""
    password = secrets.token_urlsafe(12)
    prepare_demo(data, password=password, now_ms=time.time_ns() // 1_000_000)
    print(password, flush=True)
    serve_demo(data, port)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: python -m demo.seed DIRECTORY PORT   (the directory is made)")
    main(Path(sys.argv[1]), int(sys.argv[2]))
