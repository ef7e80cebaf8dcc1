"""The face's end of the socket to its agent: connects for ever, never blocks the screen, works with no agent at all."""

import os
import queue
import select
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from runtime.clock import Clock
from runtime.local import (
    AskRequest,
    CommandReply,
    DeviceView,
    FaceHello,
    FaceState,
    FromAgent,
    FromFace,
    Heartbeat,
    Leaving,
    LocalError,
    PictureReply,
    Unframer,
    kept_view,
    peer_of,
    send_message,
)
from wire.codec import MAX_PICTURE_BYTES, WireError

log = structlog.get_logger("runtime.facelink")

HEARTBEAT_S = 2.0


class FaceLink:
    """The face's end of the socket. Runs in a thread of its own, reconnects for ever, never blocks the caller.

    `on_message` is called in that thread with each message of the agent (`FromAgent`); hop to the Kivy thread through the
    bridge. `view` is the latest DeviceView, from the disk until an agent is there. A clock repair by the fleet is applied to
    `clock` before the view is handed over.
    """

    def __init__(
        self,
        path: Path,
        *,
        data_dir: Path,
        role: Literal["terminal", "evaluator"],
        software: str,
        device: str,
        clock: Clock,
        on_message: Callable[[FromAgent], None],
        retry_s: float = 1.0,
    ) -> None:
        self._path, self._clock, self._on_message, self._retry_s = path, clock, on_message, retry_s
        self._hello = FaceHello(role=role, pid=os.getpid(), software=software)
        self._outgoing: queue.Queue[FromFace] = queue.Queue(maxsize=64)
        self._state: FaceState | None = None
        self._state_is_new = threading.Event()
        self._beaten = threading.Event()
        self._stop = threading.Event()
        self._says_so = False
        self._connected = threading.Event()
        self.view = msgspec.structs.replace(kept_view(data_dir, device), link="unknown", true_wall_ms=None, pairing_code="")
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="face-link", daemon=True)

    @property
    def is_connected(self) -> bool:
        """Whether an agent is there now."""
        return self._connected.is_set()

    def start(self) -> None:
        """Begin to connect. Messages may arrive from now on."""
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End the thread and the connection. The agent is told that the face leaves, unless an error is what ends it now."""
        self._says_so = sys.exc_info()[0] is None
        self._stop.set()
        self._wake()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def beat(self) -> None:
        """Call from the face's main loop every second or two: this is what shows the fleet that the face is alive."""
        self._beaten.set()

    def report(self, state: FaceState) -> None:
        """Tell the agent the face's present state; the latest one is repeated on every connection."""
        if state != self._state:
            self._state = state
            self._state_is_new.set()
            self._wake()

    def send(self, message: PictureReply | CommandReply | AskRequest) -> bool:
        """Hand over one message without waiting; False when no agent is there, too much is waiting, or a picture is too big.

        Nothing was sent then.
        """
        if not self._connected.is_set() or (isinstance(message, PictureReply) and len(message.png) > MAX_PICTURE_BYTES):
            return False
        try:
            self._outgoing.put_nowait(message)
        except queue.Full:
            return False
        self._wake()
        return True

    def _wake(self) -> None:
        try:
            self._wake_write.send(b"\0")
        except OSError:
            # A full pipe wakes the thread just as well, and a closed one has nobody left to wake.
            return

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                    connection.settimeout(5.0)
                    connection.connect(str(self._path))
                    peer_of(connection)
                    self._talk(connection)
            except (OSError, WireError, LocalError) as error:
                log.debug("no agent", error=str(error))
            finally:
                if self._connected.is_set():
                    self._lost()
            self._stop.wait(self._retry_s)

    def _lost(self) -> None:
        self._connected.clear()
        while not self._outgoing.empty():
            self._outgoing.get_nowait()
        self._take(msgspec.structs.replace(self.view, link="unknown", link_since_ms=self._clock.now().wall_ms))

    def _talk(self, connection: socket.socket) -> None:
        send_message(connection, self._hello)
        self._connected.set()
        self._state_is_new.set()
        unframer = Unframer(FromAgent)
        next_beat = 0.0
        connection.setblocking(False)
        while not self._stop.is_set():
            readable = _wait_readable([connection, self._wake_read], 0.5)
            if self._wake_read in readable:
                self._wake_read.recv(4_096)
            if connection in readable:
                data = connection.recv(65_536)
                if not data:
                    raise LocalError("the agent closed the connection")
                for message in unframer.feed(data):
                    self._take(message)
            connection.settimeout(5.0)
            if time.monotonic() >= next_beat and self._beaten.is_set():
                self._beaten.clear()
                next_beat = time.monotonic() + HEARTBEAT_S
                send_message(connection, Heartbeat())
            self._send_waiting(connection)
            connection.setblocking(False)
        if self._says_so:
            connection.settimeout(0.5)
            send_message(connection, Leaving())

    def _send_waiting(self, connection: socket.socket) -> None:
        if self._state_is_new.is_set():
            self._state_is_new.clear()
            if self._state is not None:
                send_message(connection, self._state)
        while not self._outgoing.empty():
            send_message(connection, self._outgoing.get_nowait())

    def _take(self, message: FromAgent) -> None:
        if isinstance(message, DeviceView):
            if message.true_wall_ms is not None:
                self._clock.repair(message.true_wall_ms, message.true_mono_ms)
            self.view = message
        try:
            self._on_message(message)
        except Exception:
            # A mistake in a screen must not cut the face off from the fleet.
            log.exception("a face could not take a message", message=type(message).__name__)


def _wait_readable(sockets: list[socket.socket], timeout_s: float) -> list[socket.socket]:
    readable, _, _ = select.select(sockets, [], [], timeout_s)
    return readable
