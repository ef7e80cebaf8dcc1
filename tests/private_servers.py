"""Private PostgreSQL and Mosquitto for tests: own data directory, own socket or port, stopped by process id."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

DEADLINE_S = 30.0
ENDED = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database()"""
"""Ends connections to a database that earlier tests left open: their locks would stop the next test."""


def wait_for(is_true: Callable[[], object], *, deadline_s: float = DEADLINE_S, what: str = "the condition") -> None:
    """Return once `is_true` gives something true; AssertionError after the deadline."""
    until = time.monotonic() + deadline_s
    while not is_true():
        assert time.monotonic() < until, f"{what} did not come true within {deadline_s:.0f} s"
        time.sleep(0.01)


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PrivatePostgres:
    """A PostgreSQL from Debian's binaries on a Unix socket; `missing` tells why it cannot be had."""

    def __init__(self) -> None:
        # Not below pytest's own temporary folder: pytest closes that to other users, and PostgreSQL refuses to run as root.
        self._folder = folder = Path(tempfile.mkdtemp(prefix="nw-pg-"))
        self._bin = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
        self._data, self._socket = folder / "data", folder
        self._count = 0
        self._shared: str | None = None
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        self._as([self._bin / "initdb", "-D", self._data, "-A", "trust", "-U", "fleet", "-E", "UTF8", "--locale=C.UTF-8", "-N"])
        options = f"-k {self._socket} -c listen_addresses= -c fsync=off -c max_connections=300"
        self._as([self._bin / "pg_ctl", "-D", self._data, "-o", options, "-l", folder / "log", "-w", "start"])

    @staticmethod
    def missing() -> str | None:
        """Why there can be none here, or None."""
        if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
            return "Debian's package postgresql is not installed"
        return None

    def new_database(self) -> str:
        """An empty database; gives its URL."""
        self._count += 1
        name = f"test{self._count}"
        self._as([self._bin / "createdb", "-h", self._socket, "-U", "fleet", name])
        return f"postgresql+psycopg://fleet@/{name}?host={self._socket}"

    def emptied_database(self) -> str:
        """The one database that tests share, emptied: much quicker than a new one. Ends connections that tests left open."""
        if self._shared is None:
            self._shared = self.new_database()
        with psycopg.connect(self._shared.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(ENDED)
            connection.execute("DROP SCHEMA IF EXISTS journal, fleet CASCADE")
        return self._shared

    def stop(self) -> None:
        """Stop the server and remove its data."""
        self._as([self._bin / "pg_ctl", "-D", self._data, "-m", "immediate", "stop"])
        shutil.rmtree(self._folder)

    def _as(self, command: list[object]) -> None:
        words = [str(word) for word in command]
        if os.geteuid() == 0:
            words = ["runuser", "-u", self._user, "--", *words]
        done = subprocess.run(words, cwd="/", capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"


class PrivateBroker:
    """A Mosquitto run from a configuration file the fleet wrote."""

    def __init__(self, configuration: Path, port: int) -> None:
        self._configuration, self.port = configuration, port
        self._log = configuration.with_name("log.txt")
        self.start()

    @property
    def pid(self) -> int:
        """Its process, for tests that stop it for a while."""
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Start and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(["mosquitto", "-c", str(self._configuration)], stdout=log, stderr=log)
        wait_for(self._listens, what="Mosquitto")

    def stop(self, *, kill: bool = False) -> None:
        """End it, at once with `kill`."""
        self._process.kill() if kill else self._process.terminate()
        self._process.wait(10)

    def _listens(self) -> bool:
        assert self._process.poll() is None, self.log
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
