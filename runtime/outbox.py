"""What the agent sends that has to arrive or end: reports of commands, and questions of the face."""

from collections.abc import Callable
from typing import Protocol

from runtime.clock import Clock
from runtime.local import AskAnswer, AskRequest, FromAgent
from wire.codec import decode, encode
from wire.messages import Answer, Ask, Report
from wire.topics import Channel

MOST = 200
LONGEST_ASK_MS = 60_000


class Publish(Protocol):
    """Hands a message to the broker; the number its confirmation will carry, or None without a connection."""

    def __call__(self, channel: Channel, payload: bytes, *, correlation: bytes | None = None) -> int | None:
        """See the class."""
        ...


class Reports:
    """Reports of commands: kept until the broker has confirmed them, sent again on every connection."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._waiting: dict[tuple[bytes, str], bytes] = {}
        self._sent: dict[int, tuple[bytes, str]] = {}

    def add(self, report: Report) -> None:
        """Send a report, now or on the next connection. Beyond MOST the oldest is given up."""
        while len(self._waiting) >= MOST:
            self._waiting.pop(next(iter(self._waiting)))
        key = (report.command, report.state)
        self._waiting[key] = encode(report)
        self._send(key)

    def confirmed(self, number: int) -> None:
        """The broker has the message of that number."""
        self._waiting.pop(self._sent.pop(number, (b"", "")), None)

    def connected(self) -> None:
        """Send what was never confirmed, in its order."""
        self._sent.clear()
        for key in list(self._waiting):
            self._send(key)

    def _send(self, key: tuple[bytes, str]) -> None:
        number = self._publish("report", self._waiting[key])
        if number is not None:
            self._sent[number] = key


class Questions:
    """Questions of the face: each is answered by the fleet or, at its deadline, with nothing."""

    def __init__(self, publish: Publish, *, send: Callable[[FromAgent], bool], clock: Clock) -> None:
        self._publish, self._send, self._clock = publish, send, clock
        self._open: dict[bytes, int] = {}

    def ask(self, request: AskRequest) -> None:
        """Pass a question on. Without a connection it ends at once."""
        now = self._clock.now()
        left_ms = min(LONGEST_ASK_MS, request.deadline_ms - now.wall_ms)
        payload = encode(Ask(what=request.what, args=request.args, deadline_ms=request.deadline_ms))
        if left_ms > 0 and self._publish("ask", payload, correlation=request.id) is not None:
            self._open[request.id] = now.mono_ms + left_ms
        else:
            self._send(AskAnswer(id=request.id, answer=None))

    def answered(self, payload: bytes, correlation: bytes) -> None:
        """Pass an answer to the face; one that nobody waits for is dropped. Raises Malformed or TooLarge."""
        answer = decode(payload, Answer)
        if self._open.pop(correlation, None) is not None:
            self._send(AskAnswer(id=correlation, answer=answer))

    def tick(self, now_ms: int) -> None:
        """End what has run out of time."""
        for ask in [ask for ask, ends_ms in self._open.items() if now_ms >= ends_ms]:
            del self._open[ask]
            self._send(AskAnswer(id=ask, answer=None))
