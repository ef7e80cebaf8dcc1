"""`./run demo`: a whole service hall on this computer, with people in it. See the README."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import uvicorn

from demo import people
from demo.bench_page import bench_app
from demo.device import NotFound
from demo.hall import LOGIN, Hall, HallError
from demo.people import Tally
from demo.screens import desktop
from demo.settings import PortTaken, free_port
from demo.summary import sum_up


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
    """Start a whole service hall: broker, fleet, one terminal, two evaluators, and people who use them. Ctrl-C ends it.

    With --seconds it ends by itself, compares every device's journals with the fleet's tables, and prints a summary; exit
    status 0 only if nothing was lost, duplicated or unverified.
    """
    if headless and seconds is None:
        raise click.UsageError("--headless runs until --seconds have passed; give both")
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="nightwindow-"))
    stop = _stop_on_signals()

    def say(text: str) -> None:
        click.echo(f"[{time.monotonic() - started:5.1f} s] {text}")

    hall: Hall | None = None
    summary: dict[str, Any] | None = None
    try:
        room = None if headless else desktop()
        bench_port = 0 if headless else free_port(bench_port, option="--bench-port")
        hall = Hall(folder, say=say, items=items, console_port=0 if headless else console_port, desktop=room)
        hall.open(stop)
        ready_s = round(time.monotonic() - started, 1)
        if not headless:
            _show_bench(hall, bench_port)
        tally = _open_hours(hall, stop, seconds=seconds, is_empty=quiet_hall)
        if seconds is not None:
            say("people have left; waiting for everything to be handed over")
            summary = {"ready_s": ready_s, **sum_up(hall, tally)}
    except (HallError, PortTaken, NotFound, RuntimeError) as trouble:
        say("stopped before the hall was open" if stop.is_set() else f"the hall did not open: {trouble}")
        keep = keep or (hall is not None and not stop.is_set())
        sys.exit(130 if stop.is_set() else 1)
    finally:
        say("stopping what was started")
        _clear_up(hall, folder, keep=keep, say=say)
    if summary is not None:
        _tell(summary, json_file)
        sys.exit(0 if summary["ok"] else 1)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _clear_up(hall: Hall | None, folder: Path, *, keep: bool, say: Callable[[str], None]) -> None:
    if hall is not None:
        hall.close()
    if keep:
        say(f"data and logs are in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _open_hours(hall: Hall, stop: threading.Event, *, seconds: float | None, is_empty: bool) -> Tally:
    """Let people come until `seconds` have passed or `stop` is set; gives what they saw, once the last one has left."""
    tally = Tally()
    is_busy = seconds is not None
    crowd = [] if is_empty else people.crowd(hall, tally, stop, is_busy=is_busy, seed=random.randrange(2**32))
    stop.wait(seconds)
    stop.set()
    if is_busy:
        for person in crowd:
            person.join(30)
    return tally


def _tell(summary: dict[str, Any], json_file: Path | None) -> None:
    text = json.dumps(summary, ensure_ascii=False, indent=1)
    if json_file:
        json_file.write_text(text + "\n", encoding="utf-8")
    click.echo(text)


def _show_bench(hall: Hall, port: int) -> None:
    """Serve the hardware bench on a thread, and say where everything is."""

    def invite(name: str) -> str:
        assert hall.clerks is not None
        taken = hall.clerks.finish(hall.devices[name].window, item=random.choice(hall.item_codes or [""]))
        return f"办结一件，邀请评价：{taken['invitation']}"

    app = bench_app(hall.devices, invite=invite, console_url=hall.console_url)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    threading.Thread(target=server.run, name="bench", daemon=True).start()
    click.echo(
        f"""
  The hall is open.
    console          {hall.console_url}      login {LOGIN}, password {hall.password}
    hardware bench   http://127.0.0.1:{port}      touch, press, insert a card, take paper, pull a cable
    data and logs    {hall.folder}
  Ctrl-C ends everything that was started.
"""
    )


if __name__ == "__main__":
    main(prog_name="./run demo")
