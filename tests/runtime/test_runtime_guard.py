"""The watchdog is fed only while the agent works and the face draws or may come back; a stopped face is ended before that."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.facehub import FaceHub
from runtime.guard import KILL_AFTER_MS, Guard
from runtime.systemd import Notifier


class Systemd:
    """A socket as systemd has it, and what was told there."""

    def __init__(self, folder):
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)

    def environment(self, watchdog_s=None):
        found = {"NOTIFY_SOCKET": str(self.path)}
        return found if watchdog_s is None else found | {"WATCHDOG_USEC": str(round(watchdog_s * 1e6))}

    def told(self):
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self.socket.recv(4096).decode())
        return found

    def close(self):
        self.socket.close()


@pytest.fixture
def systemd(tmp_path):
    made = Systemd(tmp_path)
    yield made
    made.close()


class StandInHub:
    """A face in any condition, and what was done to it."""

    def __init__(self):
        self.now, self.is_missed, self.ends = "down", False, []

    def condition(self, now_ms):
        return self.now

    def end_face(self, *, by_force):
        self.ends.append(by_force)
        return True


class Bench:
    """A guard under a clock of its own."""

    def __init__(self, systemd, **times):
        self.hub, self.systemd, self.notes, self.now_ms = StandInHub(), systemd, [], 0
        times = {"end_after_ms": 30_000, "starve_after_ms": 180_000} | times
        self.guard = Guard(self.hub, Notifier(systemd.environment(30)), note=self.notes.append, **times)

    def run(self, seconds):
        """Let time pass; how often the watchdog was fed."""
        fed = 0
        for _ in range(round(seconds * 4)):
            self.now_ms += 250
            self.guard.tick(self.now_ms)
            # The kernel keeps only some ten datagrams that nobody has read.
            fed += self.systemd.told().count("WATCHDOG=1")
        return fed


@pytest.fixture
def bench(systemd):
    return Bench(systemd)


def test_systemd_is_told_what_it_wants_and_nothing_where_it_is_not(systemd):
    assert Notifier(systemd.environment()).tell("READY=1")
    assert systemd.told() == ["READY=1"]
    assert Notifier(systemd.environment(30)).every_ms == 15_000
    assert Notifier(systemd.environment()).every_ms is None
    assert Notifier(systemd.environment(30) | {"WATCHDOG_PID": "1"}).every_ms is None
    assert Notifier({"WATCHDOG_USEC": "1000"}).every_ms is None
    assert not Notifier({}).tell("READY=1")
    assert not Notifier({"NOTIFY_SOCKET": str(systemd.path) + ".gone"}).tell("READY=1")


def test_an_abstract_address_is_understood():
    name = f"nw-test-{os.getpid()}-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name)
        assert Notifier({"NOTIFY_SOCKET": "@" + name}).tell("WATCHDOG=1")
        assert listener.recv(100) == b"WATCHDOG=1"


def test_a_face_that_draws_keeps_the_watchdog_fed_twice_as_often_as_systemd_wants(bench):
    bench.hub.now = "up"
    assert bench.run(60) == 4
    assert bench.hub.ends == []


def test_a_device_whose_face_was_never_there_or_said_goodbye_is_not_restarted(bench):
    assert bench.run(3600) > 200
    bench.hub.now, bench.hub.is_missed = "up", True
    bench.run(1)
    bench.hub.now, bench.hub.is_missed = "down", False
    assert bench.run(3600) > 200
    assert not bench.notes


def test_a_hung_face_is_ended_politely_then_killed_then_the_watchdog_starves(bench):
    bench.hub.now, bench.hub.is_missed = "up", True
    bench.run(10)
    bench.hub.now = "hung"
    assert bench.run(29) > 0
    assert bench.hub.ends == []
    bench.run(2)
    assert bench.hub.ends == [False]
    bench.run(KILL_AFTER_MS / 1000)
    assert bench.hub.ends == [False, True]
    bench.hub.now = "down"
    assert bench.run(100) > 0, "it may come back yet"
    bench.run(60)
    assert bench.guard.is_starving
    assert bench.run(600) == 0, "nobody feeds the watchdog of a device without a screen"
    assert bench.notes == ["face.ended", "watchdog.starved"]


def test_a_face_that_comes_back_is_fed_for_and_helped_again(bench):
    bench.hub.is_missed = True
    for _ in range(3):
        bench.hub.now = "hung"
        bench.run(40)
        bench.hub.now = "starting"
        bench.run(5)
        bench.hub.now = "up"
        assert bench.run(60) > 0
    assert bench.hub.ends == [False, True] * 3
    assert bench.notes == ["face.ended"] * 3


def test_a_crashed_face_that_does_not_come_back_starves_the_watchdog(bench):
    bench.hub.now, bench.hub.is_missed = "down", True
    bench.run(181)
    assert bench.run(60) == 0


def test_what_is_switched_off_is_never_done(systemd):
    bench = Bench(systemd, end_after_ms=0, starve_after_ms=0)
    bench.hub.now, bench.hub.is_missed = "hung", True
    assert bench.run(3600) > 200
    assert bench.hub.ends == []


@given(st.lists(st.tuples(st.sampled_from(["up", "starting", "hung", "down"]), st.booleans(), st.integers(1, 400)), max_size=12))
def test_the_watchdog_is_never_left_hungry_within_the_time_a_face_has_to_come_back(tmp_path_factory, history):
    systemd = Systemd(tmp_path_factory.mktemp("s"))
    try:
        bench, unwell_s = Bench(systemd), 0
        for condition, missed, seconds in history:
            bench.hub.now, bench.hub.is_missed = condition, missed
            well = condition in ("up", "starting") or (condition == "down" and not missed)
            unwell_s = 0 if well else unwell_s + seconds
            bench.run(seconds)
            assert bench.guard.is_starving == (unwell_s > 180)
    finally:
        systemd.close()


FACE = """
import sys, time
from pathlib import Path
from runtime.clock import SystemClock
from runtime.facelink import FaceLink
from runtime.local import FaceState
folder = Path(sys.argv[1])
link = FaceLink(folder / "agent.sock", data_dir=folder, role="terminal", software="t", device="nwtest", clock=SystemClock(),
                on_message=lambda _: None, retry_s=0.05)
link.report(FaceState(screen="attract"))
link.start()
while sys.stdin.readable() and (line := sys.stdin.readline()) != "stop\\n":
    if line == "crash\\n":
        try:
            raise RuntimeError
        finally:
            link.stop()
    link.beat()
link.stop()
"""


class Process:
    """A face process without pixels: it beats at every line, and ends when told."""

    def __init__(self, folder):
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen([sys.executable, "-c", FACE, str(folder)], stdin=subprocess.PIPE, text=True, cwd=root)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


@pytest.fixture
def stage(tmp_path, until):
    events = []
    hub = FaceHub(tmp_path / "agent.sock", on_event=events.append, hung_after_ms=1_000)
    hub.start()
    faces = []

    def turn():
        while events:
            hub.take(events.pop(0), time.monotonic_ns() // 1_000_000)
        return hub.condition(time.monotonic_ns() // 1_000_000)

    def start():
        faces.append(Process(tmp_path))
        until(lambda: turn() == "up", "the face is up")
        return faces[-1]

    yield hub, turn, start
    for face in faces:
        face.process.kill()
        face.process.wait()
        face.process.stdin.close()
    hub.stop()


def test_a_face_stopped_by_sigstop_is_killed_and_the_watchdog_starves_until_a_new_one_draws(stage, systemd, until):
    hub, turn, start = stage
    guard = Guard(hub, Notifier(systemd.environment(0.2)), end_after_ms=200, starve_after_ms=400, note=lambda _: None)

    def tick():
        turn()
        guard.tick(time.monotonic_ns() // 1_000_000)
        return True

    face = start()
    until(lambda: tick() and "WATCHDOG=1" in systemd.told(), "fed while the face beats")
    os.kill(face.process.pid, signal.SIGSTOP)
    until(lambda: tick() and guard.is_starving, "hung for too long")
    systemd.told()
    until(lambda: tick() and face.process.poll() is not None, "killed", timeout_s=15)
    assert face.process.returncode == -signal.SIGKILL
    assert systemd.told() == []
    start()
    until(lambda: tick() and "WATCHDOG=1" in systemd.told(), "a new face draws")


@pytest.mark.parametrize(("line", "missed"), [("stop", False), ("crash", True)])
def test_only_a_face_that_ends_by_an_error_is_missed(stage, until, line, missed):
    hub, turn, start = stage
    start().say(line)
    until(lambda: turn() == "down", "the connection has ended")
    assert hub.is_missed == missed


def test_a_real_agent_tells_systemd_that_it_is_ready_alive_and_ending(tmp_path, systemd, until):
    config = tmp_path / "device.toml"
    config.write_text(f'role = "terminal"\ndata_dir = "{tmp_path}/data"\n')
    command = [sys.executable, "-m", "runtime.cli", "run", "--config", str(config)]
    root = Path(__file__).parents[2]
    agent = subprocess.Popen(command, cwd=root, env=os.environ | systemd.environment(1.0), stderr=subprocess.DEVNULL)
    told = []
    try:
        until(lambda: told.extend(systemd.told()) or told.count("WATCHDOG=1") >= 3, "fed three times", timeout_s=30)
        agent.send_signal(signal.SIGSTOP)
        systemd.told()
        time_s = time.monotonic()
        until(lambda: time.monotonic() - time_s > 1.5, "more than a watchdog's time")
        assert systemd.told() == [], "an agent that stands still feeds nobody"
        agent.send_signal(signal.SIGCONT)
        agent.terminate()
        assert agent.wait(15) == 0
        told += systemd.told()
    finally:
        agent.kill()
        agent.wait()
    assert told[0] == "READY=1"
    assert told[-1] == "STOPPING=1"
