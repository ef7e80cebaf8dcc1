"""Starts the hall's processes, reports and restarts one that crashes, and ends exactly what it started."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STOP_S = 8.0
"""How long a process may take to end after SIGTERM before it is killed."""
RESTART_S = 0.5
FLAP = 5
"""A part that dies this often within FLAP_S stays down, and the demo says so."""
FLAP_S = 30.0


@dataclass
class Part:
    """One supervised process. `keep` are file descriptors its first start inherits; `expected_down` is True while somebody
    holds its power off."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    keep: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    expected_down: bool = False
    was_cut: bool = False
    deaths: list[float] = field(default_factory=list)

    @property
    def is_up(self) -> bool:
        """Whether the process runs now."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the last start. Raises LookupError when it never started."""
        if self.process is None:
            raise LookupError(f"{self.name} was never started")
        return self.process.pid

    def last_words(self, lines: int = 12) -> str:
        """The end of its log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


class Processes:
    """The processes of one demo. `say` gets a line for each thing a person should know; `errors` collects crashes."""

    def __init__(self, logs: Path, *, say: Callable[[str], None]) -> None:
        self.parts: dict[str, Part] = {}
        self.errors: list[str] = []
        self._logs = logs
        self._say = say
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="processes", daemon=True)
        self._watcher.start()

    def start(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str] | None = None, keep: tuple[int, ...] = ()
    ) -> Part:
        """Start a part under supervision. Raises RuntimeError when the program does not exist."""
        part = Part(name, list(command), os.environ | dict(environment or {}), self._logs / f"{name}.log", keep)
        with self._lock:
            self._launch(part)
            self.parts[name] = part
        return part

    def cut(self, name: str) -> None:
        """Kill a part without warning; it is started again, and nobody is blamed."""
        with self._lock:
            part = self.parts[name]
            part.was_cut = True
            _end(part, signal.SIGKILL)

    def power_off(self, name: str) -> None:
        """Take a part's power: SIGKILL, no restart until `power_on`."""
        with self._lock:
            part = self.parts[name]
            part.expected_down = True
            _end(part, signal.SIGKILL)

    def power_on(self, name: str) -> None:
        """Give it back."""
        with self._lock:
            part = self.parts[name]
            part.expected_down = False
            if not part.is_up:
                self._launch(part)

    def end(self, name: str) -> None:
        """End one part politely and forget it; kill it after STOP_S."""
        with self._lock:
            part = self.parts.pop(name)
            part.expected_down = True
        _end(part, signal.SIGTERM)

    def end_all(self) -> None:
        """End everything, last started first. Returns when nothing of it runs any more."""
        self._stopping.set()
        with self._lock:
            parts = list(reversed(self.parts.values()))
            self.parts = {}
        for part in parts:
            _end(part, signal.SIGTERM)

    def _launch(self, part: Part) -> None:
        with part.log.open("ab") as log:
            try:
                part.process = subprocess.Popen(
                    part.command, env=dict(part.environment), stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                    start_new_session=True, pass_fds=part.keep,
                )  # fmt: skip
                part.keep = ()
            except OSError as error:
                raise RuntimeError(f"{part.name} cannot start: {error}. Run ./run install") from error

    def _watch(self) -> None:
        while not self._stopping.wait(0.1):
            with self._lock:
                dead = [
                    part for part in self.parts.values() if part.process is not None and not part.is_up and not part.expected_down
                ]
                for part in dead:
                    self._mourn(part)

    def _mourn(self, part: Part) -> None:
        assert part.process is not None
        if part.was_cut:
            part.was_cut = False
            self._launch(part)
            return
        now = time.monotonic()
        part.deaths = [moment for moment in part.deaths if now - moment < FLAP_S] + [now]
        message = f"{part.name} ended by itself (status {part.process.returncode}); see {part.log}"
        self.errors.append(message)
        self._say(f"!! {message}\n{part.last_words()}")
        if len(part.deaths) >= FLAP:
            part.expected_down = True
            self._say(f"!! {part.name} died {FLAP} times in {FLAP_S:.0f} s and stays down")
            return
        self._stopping.wait(RESTART_S)
        self._launch(part)
        self._say(f"   {part.name} was started again")


def _end(part: Part, first: signal.Signals) -> None:
    """Signal the part's own session (it was made its leader at the start), and wait for it."""
    process = part.process
    if process is None or process.poll() is not None:
        return
    for number in (first, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_S)
            break
        except subprocess.TimeoutExpired:
            continue
