"""`./run demo`: a whole service hall on this computer, with people in it. See the README."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import uvicorn

from demo import account, people
from demo.bench_page import bench_app
from demo.device import NotFound
from demo.hall import LOGIN, Hall, HallError
from demo.people import Person, Tally
from demo.settings import PortTaken, free_port

SETTLE_S = 30.0


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--headless", is_flag=True, help="No bench page and no windows; needs --seconds.")
@click.option("--seconds", type=click.FloatRange(1, 86_400), help="Run a busy hall so long, then stop and sum up.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the summary to this file.")
@click.option(
    "--items", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The hall's own item list (docs/items.md)."
)
@click.option("--console-port", default=8080, show_default=True, help="Port of the console; 0 takes any.")
@click.option("--bench-port", default=8090, show_default=True, help="Port of the hardware bench; 0 takes any.")
@click.option("--keep", is_flag=True, help="Keep the folder with data and logs.")
@click.option("--quiet-hall", is_flag=True, help="Nobody comes: only you use the devices.")
def main(
    headless: bool, seconds: float | None, json_file: Path | None, items: Path | None,
    console_port: int, bench_port: int, keep: bool, quiet_hall: bool,
) -> None:  # fmt: skip
    """Start a whole service hall: broker, fleet, one terminal, two evaluators, and people who use them. Ctrl-C ends it."""
    if headless and seconds is None:
        raise click.UsageError("--headless runs until --seconds have passed; give both")
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="nightwindow-"))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def say(text: str) -> None:
        click.echo(f"[{time.monotonic() - started:5.1f} s] {text}")

    hall: Hall | None = None
    try:
        hall = Hall(folder, say=say, items=items, console_port=0 if headless else console_port)
        hall.open(stop)
        ready_s = time.monotonic() - started
        tally = Tally()
        if not headless:
            port = free_port(bench_port, option="--bench-port")
            _serve_bench(hall, port)
            _welcome(hall, port, folder)
        crowd = [] if quiet_hall else _crowd(hall, tally, stop, is_busy=seconds is not None)
        people.busy(seconds if seconds is not None else float("inf"), stop)
        stop.set()
        for person in crowd:
            person.join(20)
        say("people have left; waiting for everything to be handed over")
        summary = _sum_up(hall, tally, ready_s=ready_s)
        say("stopping")
    except (HallError, PortTaken, NotFound) as trouble:
        if stop.is_set():
            say("stopped before the hall was open")
            sys.exit(130)
        say(f"the hall did not open: {trouble}")
        keep = True
        sys.exit(1)
    finally:
        if hall is not None:
            hall.close()
        if keep:
            say(f"data and logs are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    text = json.dumps(summary, ensure_ascii=False, indent=1)
    if json_file:
        json_file.write_text(text + "\n", encoding="utf-8")
    click.echo(text)
    sys.exit(0 if summary["ok"] else 1)


def _crowd(hall: Hall, tally: Tally, stop: threading.Event, *, is_busy: bool) -> list[Person]:
    """Everybody who comes into the hall, each a thread of their own."""
    assert hall.clerks is not None
    clerks = hall.clerks
    seed = random.randrange(2**32)
    crowd = []
    for number, device in enumerate(hall.devices.values()):
        chance = random.Random(seed + number)
        if device.role == "terminal":
            errand = lambda device=device, chance=chance: people.visit_terminal(device, tally, chance, stop)  # noqa: E731
        else:
            errand = lambda device=device, chance=chance: people.rate_at_window(  # noqa: E731
                device, clerks, tally, chance, hall.item_codes, stop
            )
        pause = (lambda chance=chance: chance.uniform(0.1, 0.5)) if is_busy else (lambda chance=chance: chance.uniform(5, 20))
        crowd.append(Person(f"people at {device.name}", errand, tally=tally, stop=stop, pause=pause))
    for person in crowd:
        person.start()
    return crowd


def _serve_bench(hall: Hall, port: int) -> None:
    def invite(name: str) -> str:
        assert hall.clerks is not None
        taken = hall.clerks.finish(hall.devices[name].window, item=random.choice(hall.item_codes or [""]))
        return f"办结一件，邀请评价：{taken['invitation']}"

    app = bench_app(hall.devices, invite=invite, console_url=hall.console_url)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    threading.Thread(target=server.run, name="bench", daemon=True).start()


def _welcome(hall: Hall, port: int, folder: Path) -> None:
    click.echo(
        f"""
  The hall is open.
    console          {hall.console_url}      login {LOGIN}, password {hall.password}
    hardware bench   http://127.0.0.1:{port}      touch, press, insert a card, take paper, pull a cable
    data and logs    {folder}
  Ctrl-C ends everything that was started.
"""
    )


def _sum_up(hall: Hall, tally: Tally, *, ready_s: float) -> dict[str, Any]:
    """Compare both sides' books. `ok` only if nothing was lost, duplicated or unverified."""
    found = account.settle(hall.data_dirs, hall.fleet_data, within_s=SETTLE_S)
    pressed = sum(tally.pressed.values())
    ratings = _stored(hall, pressed)
    chain = json.loads(hall.nw_fleet("verify", "--json"))
    paper = _papers(hall)
    errors = [*hall.processes.errors, *tally.puzzled]
    ok = found.is_whole and ratings["stored"] == pressed and chain["journals"] == chain["verified"] and not errors
    return {
        "ok": ok,
        "ready_s": round(ready_s, 1),
        "entries": asdict(found),
        "ratings": {"pressed": pressed, **ratings, "skipped": tally.skipped, "refused": tally.refused, "services": tally.services},
        "prints": {"asked": tally.papers, **paper},
        "visits": tally.visits,
        "cards": tally.cards,
        "chain": {"journals": chain["journals"], "verified": chain["verified"]},
        "errors": errors,
    }


def _rows(hall: Hall, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{hall.fleet_data / 'fleet.db'}?mode=ro", uri=True, timeout=10) as connection:
        return connection.execute(query).fetchall()


def _stored(hall: Hall, pressed: int) -> dict[str, Any]:
    """Ratings in the fleet's read model, once it has caught up."""
    deadline = time.monotonic() + SETTLE_S
    query = "SELECT level, count(*) FROM ratings WHERE standing_of = 'counted' AND outcome = 'rated' GROUP BY level"
    while True:
        by_level = {str(level): count for level, count in _rows(hall, query)}
        if sum(by_level.values()) >= pressed or time.monotonic() > deadline:
            return {"stored": sum(by_level.values()), "by_level": by_level}
        time.sleep(0.2)


def _papers(hall: Hall) -> dict[str, int]:
    outcomes = dict(_rows(hall, "SELECT outcome, count(*) FROM prints GROUP BY outcome"))
    return {name: outcomes.get(name, 0) for name in ("printed", "not_printed", "unknown")}


if __name__ == "__main__":
    main()
