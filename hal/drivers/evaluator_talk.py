"""One end of a link that speaks the reference evaluator protocol: greetings, acknowledgements, repeats. Does no input or output.

The owner of the port feeds what arrived and sends what `due` gives; time comes in as an argument. Each end has one numbered
frame on the line at a time; it is sent at most three times, then the link counts as down and the asking end greets anew.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator
from typing import Literal

import msgspec

from hal.drivers.evaluator_frames import (
    ACK,
    HELLO,
    HELLO_ANSWER,
    MAX_PAYLOAD,
    Frame,
    FrameError,
    Hello,
    Unframer,
    encode,
    read_hello,
)

RETRY_S = 0.3
TRIES = 3
GREET_S = 0.5
MAX_WAITING = 64
LONGEST_FRAME = 2 * (MAX_PAYLOAD + 5) + 2


class Wrong(msgspec.Struct, frozen=True):
    """Somebody is there who cannot be talked to: another role than expected, or no version in common."""

    why: Literal["role", "version"]
    hello: Hello


class Talk:
    """One end. `asks` is True for the end that greets (evaluator at a button box, desk at an evaluator).

    `up` becomes True with a greeting; each greeting makes `session` grow, and everything of the session before is forgotten:
    numbers, and what waited to be sent.
    """

    def __init__(self, *, role: int, peer_role: int, asks: bool, baud: int, identity: bytes = bytes(8), model: str = "") -> None:
        self._role, self._peer_role, self._asks = role, peer_role, asks
        self._identity, self._model = identity, model
        self._byte_s = 10 / baud
        self._unframer = Unframer()
        self.peer: Hello | None = None
        self.wrong: Wrong | None = None
        self.session = 0
        self.heard_s = 0.0
        """When the last whole frame arrived."""
        self._nonce = bytes(4)
        self._greet_at = 0.0
        self._now_out = bytearray()
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._current: Frame | None = None
        self._tries = 0
        self._repeat_at = 0.0
        self._next_seq = self._expected = 1
        self._last_taken = 0
        self._announce = not asks

    @property
    def up(self) -> bool:
        """Whether both ends have greeted and nothing has been lost since."""
        return self.peer is not None

    @property
    def damaged(self) -> int:
        """How many damaged frames arrived."""
        return self._unframer.damaged

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be sent or acknowledged."""
        return self._current is None and not self._waiting and not self._now_out

    def put(self, cmd: int, payload: bytes = b"") -> bool:
        """Have a frame sent, after those that wait; False when the link is down or 64 wait already."""
        if not self.up or len(self._waiting) >= MAX_WAITING:
            return False
        self._waiting.append((cmd, payload))
        return True

    def feed(self, data: bytes | memoryview, now_s: float) -> Iterator[Frame]:
        """Take what arrived, as the result is iterated over: the frames for the application, each exactly once and in order.

        At each of them `session` is the one in which it was sent.
        """
        for frame in self._unframer.feed(data):
            self.heard_s = now_s
            if frame.cmd in (HELLO, HELLO_ANSWER):
                self._greeted(frame, now_s)
            elif frame.cmd == ACK:
                self._acknowledged(frame)
            elif self._take(frame):
                yield frame

    def due(self, now_s: float) -> bytes:
        """What has to be sent now; empty when nothing has."""
        if self._announce:
            self._announce = False
            self._send(Frame(0, HELLO_ANSWER, self._hello(bytes(4)).payload()))
        if self._asks and not self.up and now_s >= self._greet_at:
            # A fresh number for each greeting, so that its answer belongs to this one and no other.
            self._nonce = secrets.token_bytes(3) + b"\x01"
            self._greet_at = now_s + GREET_S
            self._send(Frame(0, HELLO, self._hello(self._nonce).payload()))
        self._pump(now_s)
        out = bytes(self._now_out)
        self._now_out.clear()
        return out

    def wait_s(self, now_s: float) -> float:
        """After how many seconds `due` has to be called again if nothing arrives."""
        if self._asks and not self.up:
            return max(0.0, self._greet_at - now_s)
        if self._current is not None:
            return max(0.0, self._repeat_at - now_s)
        return 0.0 if self._waiting else GREET_S

    def _hello(self, nonce: bytes) -> Hello:
        return Hello(self._role, nonce, self._identity, self._model)

    def _send(self, frame: Frame) -> None:
        self._now_out += encode(frame)

    def _pump(self, now_s: float) -> None:
        if self._current is not None and now_s >= self._repeat_at:
            if self._tries >= TRIES:
                self.down(now_s)
                return
            self._transmit(now_s)
        if self._current is None and self._waiting:
            cmd, payload = self._waiting.popleft()
            self._current, self._tries = Frame(self._next_seq, cmd, payload), 0
            self._next_seq = _after(self._next_seq)
            self._transmit(now_s)

    def _transmit(self, now_s: float) -> None:
        assert self._current is not None
        data = encode(self._current)
        self._now_out += data
        self._tries += 1
        # The acknowledgement may have to wait behind the longest frame of the other end.
        self._repeat_at = now_s + RETRY_S + (len(data) + LONGEST_FRAME) * self._byte_s

    def _take(self, frame: Frame) -> bool:
        if not self.up:
            # The other end does not know that this one has just started.
            self._announce = not self._asks
            return False
        if frame.seq == self._expected:
            self._last_taken, self._expected = frame.seq, _after(frame.seq)
            self._send(Frame(frame.seq, ACK))
            return True
        if frame.seq == self._last_taken:
            self._send(Frame(frame.seq, ACK))
        return False

    def _acknowledged(self, frame: Frame) -> None:
        if self._current is not None and frame.seq == self._current.seq:
            self._current = None

    def _greeted(self, frame: Frame, now_s: float) -> None:
        try:
            hello = read_hello(frame.payload)
        except FrameError:
            return
        if frame.cmd == HELLO and not self._asks:
            self._announce = False
            self._begin(hello)
            self._send(Frame(0, HELLO_ANSWER, self._hello(hello.nonce).payload()))
        elif frame.cmd == HELLO_ANSWER and self._asks and not self.up and hello.nonce == self._nonce:
            self._begin(hello)
        elif frame.cmd == HELLO_ANSWER and self._asks:
            # The other end has begun anew, or answered a greeting that was not of now: begin together.
            if self.up or hello.nonce == bytes(4):
                self.down(now_s)
                self._greet_at = now_s
        elif frame.cmd == HELLO:
            # Two ends that both ask: the cable is in the wrong place.
            self.wrong = Wrong("role", hello)

    def _begin(self, hello: Hello) -> None:
        self.forget()
        if hello.role != self._peer_role:
            self.wrong = Wrong("role", hello)
        elif self._hello(bytes(4)).common_version(hello) is None:
            self.wrong = Wrong("version", hello)
        else:
            self.wrong, self.peer = None, hello
            self.session += 1

    def down(self, now_s: float) -> None:
        """Count the link as down; the asking end greets again after half a second."""
        self.forget()
        self._greet_at = now_s + GREET_S

    def forget(self) -> None:
        """Begin with nothing: no peer, no numbers, nothing to be sent."""
        self.peer = None
        self._current = None
        self._waiting.clear()
        self._next_seq = self._expected = 1
        self._last_taken = 0


def _after(seq: int) -> int:
    return seq % 255 + 1
