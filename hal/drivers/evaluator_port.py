"""A thread that keeps a serial port open and talks the evaluator protocol on it; what both drivers of that protocol share."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from hal.drivers.evaluator_frames import ROLES, Frame
from hal.drivers.evaluator_talk import Talk
from hal.drivers.line import Line, LineSlow, keep_open
from hal.health import HealthRecord

WRITE_S = 1.0
TICK_S = 0.5


class Owner(Protocol):
    """The driver behind a port; everything is called on the port's thread."""

    def greeted(self, talk: Talk) -> None:
        """A session has begun: nothing said before counts any more."""
        ...

    def take(self, frame: Frame, talk: Talk, now_s: float) -> None:
        """A frame for the application, exactly once and in order."""
        ...

    def tick(self, talk: Talk, now_s: float) -> float:
        """Time passes; returns after how many seconds to call again at the latest."""
        ...


class EvaluatorPort:
    """Runs one `Talk` after another, a new one each time the port was opened."""

    def __init__(
        self,
        name: str,
        open_line: Callable[[], Line],
        make_talk: Callable[[], Talk],
        owner: Owner,
        *,
        health: HealthRecord,
        port: str,
    ) -> None:
        self._open_line, self._make_talk, self._owner = open_line, make_talk, owner
        self._health, self._port = health, port
        self._asked: deque[Callable[[Talk], object]] = deque(maxlen=256)
        self._stop = threading.Event()
        self._wake_lock = threading.Lock()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name=f"hal-{name}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """End within two seconds; afterwards the owner is not called."""
        self._stop.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join(2)
        with self._wake_lock:
            for end in (self._wake_read, self._wake_write):
                if end >= 0:
                    os.close(end)
            self._wake_read = self._wake_write = -1

    @property
    def stopped(self) -> bool:
        """Whether `close` was called."""
        return self._stop.is_set()

    def ask(self, do: Callable[[Talk], object]) -> None:
        """Have `do` called with the present talk on the port's thread; nothing happens while the port is not open."""
        self._asked.append(do)
        self._wake()

    def _wake(self) -> None:
        with self._wake_lock, contextlib.suppress(BlockingIOError):
            if self._wake_write >= 0:
                os.write(self._wake_write, b"!")

    def _run(self) -> None:
        keep_open(self._open_line, self._session, health=self._health, stop=self._stop)

    def _session(self, line: Line) -> None:
        talk = self._make_talk()
        buffer = bytearray(1024)
        session = 0
        self._asked.clear()
        while not self._stop.is_set():
            now_s = time.monotonic()
            while self._asked:
                self._asked.popleft()(talk)
            wait_s = self._owner.tick(talk, now_s)
            self._send(line, talk.due(now_s))
            self._wait(line, min(wait_s, talk.wait_s(time.monotonic()), TICK_S))
            count = line.read_into(buffer, 0)
            now_s = time.monotonic()
            for frame in talk.feed(memoryview(buffer)[:count], now_s):
                if talk.session != session:
                    session = talk.session
                    self._owner.greeted(talk)
                self._owner.take(frame, talk, now_s)
            if talk.session != session:
                session = talk.session
                self._owner.greeted(talk)
            # What has been read may hold a level; the buffer keeps nothing.
            buffer[:count] = bytes(count)

    def _send(self, line: Line, data: bytes) -> None:
        if not data:
            return
        try:
            line.write(data, WRITE_S)
        except LineSlow:
            # Nobody reads at the other end; what was cut off is repeated when somebody does.
            line.drop_unsent()

    def _wait(self, line: Line, timeout_s: float) -> None:
        ready = select.select([line.fileno(), self._wake_read], [], [], max(0.0, timeout_s))[0]
        if self._wake_read in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 512)


def judge_wrong(talk: Talk, health: HealthRecord, port: str, expected: int) -> bool:
    """Tell as health that somebody is there who cannot be talked to; whether that is so."""
    wrong = talk.wrong
    if wrong is None:
        return False
    hello = wrong.hello
    if wrong.why == "version":
        health.set("link.version", port=port, ours="1", theirs=f"{hello.lowest}-{hello.highest}")
    else:
        found = f"{ROLES.get(hello.role, f'role {hello.role}')} {hello.model}".strip()
        health.set("hal.wrong_device", port=port, expected=ROLES[expected], found=found)
    return True
