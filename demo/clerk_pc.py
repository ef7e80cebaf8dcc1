"""A clerk's PC: `nw-desk lines` at the end of a cable to an evaluator, as a hall's business system would run it."""

from __future__ import annotations

import importlib.util
import json
import queue
import shlex
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from demo.device import NotFound

ANSWER_S = 30.0


class ClerkPc:
    """One PC. Its program is started with the first command, and again when it has ended."""

    def __init__(self, port: Path, log: Path) -> None:
        self._port, self._log = port, log
        self._lock = threading.Lock()
        self._program: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()

    def say(self, *words: str) -> dict[str, Any]:
        """One command; what the evaluator answered. Raises NotFound when nobody answers or it refuses."""
        with self._lock:
            program = self._running()
            assert program.stdin is not None
            line = shlex.join(words)
            try:
                program.stdin.write(line + "\n")
                program.stdin.flush()
                answer = self._answers.get(timeout=ANSWER_S)
            except (OSError, queue.Empty) as error:
                self._end()
                raise NotFound(f"{self._port.name}: the clerk's PC got no answer to {line}") from error
        if not answer.get("ok"):
            raise NotFound(f"{self._port.name}: the clerk's PC was told {answer}")
        return answer

    def _running(self) -> subprocess.Popen[str]:
        if self._program is not None and self._program.poll() is None:
            return self._program
        spec = importlib.util.find_spec("evaluator.desk_tool")
        assert spec is not None
        assert spec.origin is not None
        # The file alone, as it is copied to a clerk's PC.
        command = [sys.executable, spec.origin, "--port", str(self._port), "--json", "lines"]
        with self._log.open("a") as log:
            self._program = program = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8"
            )
        self._answers = answers = queue.Queue()
        threading.Thread(target=_read, args=(program, answers), name=f"clerk's PC {self._port.name}", daemon=True).start()
        return program

    def _end(self) -> None:
        if self._program is not None:
            self._program.kill()
            self._program.wait()
            self._program = None

    def close(self) -> None:
        """Switch it off."""
        with self._lock:
            self._end()


def _read(program: subprocess.Popen[str], answers: queue.Queue[dict[str, Any]]) -> None:
    assert program.stdout is not None
    for line in program.stdout:
        said = json.loads(line)
        if "ok" in said:
            answers.put(said)
