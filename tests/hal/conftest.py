"""Fixtures that start simulators as processes and drivers against them, and wait for conditions instead of sleeping."""

from __future__ import annotations

import contextlib
import functools
import queue
import subprocess
import sys
from pathlib import Path

import pytest
import waiting

from hal.config import from_table
from hal.sim.control import send


class Sim:
    """A simulator process with its port and control socket."""

    def __init__(self, module: str, folder: Path, *options: str) -> None:
        self.folder = folder
        self.port = str(folder / f"{module}.port")
        self.control = str(folder / f"{module}.sock")
        # A later --link wins; {folder} in it is this simulator's own.
        options = tuple(option.format(folder=folder) for option in options)
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"hal.sim.{module}", "--link", self.port, "--control", self.control, *options],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def do(self, what: str, **options: object) -> dict:
        return send(self.control, {"do": what, **options})

    def stop(self) -> int:
        self.process.terminate()
        code = self.process.wait(5)
        self.process.stdout.close()
        return code


class Heard:
    """Collects what a driver tells on its threads."""

    def __init__(self) -> None:
        self.events: queue.Queue = queue.Queue()
        self.healths: list = []

    def on_event(self, name: str, event: object) -> None:
        self.events.put(event)

    def on_health(self, name: str, health: object) -> None:
        self.healths.append(health)

    def next(self, timeout_s: float = 5.0) -> object:
        return self.events.get(timeout=timeout_s)

    def nothing(self) -> bool:
        return self.events.empty()


@pytest.fixture
def until():
    return functools.partial(waiting.until, timeout_s=8.0)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="session")
def sim_pool(tmp_path_factory):
    """Running simulators by module and options; starting a process for every test would cost most of the time."""
    pool: dict[tuple[str, ...], Sim] = {}
    folders: dict[tuple[str, ...], Path] = {}

    def take(module: str, *options: str) -> Sim:
        key = (module, *options)
        if key in pool and pool[key].process.poll() is None:
            pool[key].do("reset")
        else:
            folder = folders.setdefault(key, tmp_path_factory.mktemp(module))
            pool[key] = Sim(module, folder, *options)
        return pool[key]

    yield take
    for sim in pool.values():
        if sim.process.poll() is None:
            sim.stop()


@pytest.fixture
def start_sim(sim_pool):
    """A simulator as if it had just been started: `start_sim("printer", "--mm-per-s", "0")`."""
    return sim_pool


@pytest.fixture
def closing():
    """Closes what a test registers, also when the test fails."""
    with contextlib.ExitStack() as stack:

        def register(thing):
            stack.callback(thing.close)
            return thing

        yield register


@pytest.fixture
def make_config():
    return from_table
