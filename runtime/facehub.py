"""The agent's end of the local socket: takes the face in, watches its heartbeat, and can end it when it hangs."""

import contextlib
import os
import queue
import signal
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import structlog

from runtime.local import (
    FaceHello,
    FaceState,
    FromAgent,
    FromFace,
    Heartbeat,
    Leaving,
    LocalError,
    Peer,
    Unframer,
    peer_of,
    send_message,
)
from wire.codec import WireError

log = structlog.get_logger("runtime.facehub")

WAITING_MESSAGES = 64
WAITING_FACES = 8
SEND_TIMEOUT_S = 5.0


class FaceCame(NamedTuple):
    """A face introduced itself. `number` tells connections apart."""

    number: int
    hello: FaceHello
    peer: Peer


class FaceSaid(NamedTuple):
    """A message of the face of that connection."""

    number: int
    message: FromFace


class FaceWent(NamedTuple):
    """The connection ended."""

    number: int


HubEvent = FaceCame | FaceSaid | FaceWent


class _Connection:
    """One accepted connection with a thread for each direction, so that a face that does not read holds up nobody."""

    def __init__(self, number: int, connection: socket.socket, peer: Peer, on_event: Callable[[HubEvent], None]) -> None:
        self.number, self.peer = number, peer
        self._socket, self._on_event = connection, on_event
        self._outgoing: queue.Queue[FromAgent | None] = queue.Queue(maxsize=WAITING_MESSAGES)
        # A pidfd names this very process for ever; a pid may name another one a second later.
        self.pidfd = os.pidfd_open(peer.pid)

    def start(self) -> None:
        threading.Thread(target=self._read, name=f"face-{self.number}-in", daemon=True).start()
        threading.Thread(target=self._write, name=f"face-{self.number}-out", daemon=True).start()

    def send(self, message: FromAgent) -> bool:
        try:
            self._outgoing.put_nowait(message)
        except queue.Full:
            return False
        return True

    def _read(self) -> None:
        unframer = Unframer(FromFace)
        introduced = False
        try:
            while data := self._socket.recv(65_536):
                for message in unframer.feed(data):
                    if isinstance(message, FaceHello):
                        introduced = True
                        self._on_event(FaceCame(self.number, message, self.peer))
                    elif introduced:
                        self._on_event(FaceSaid(self.number, message))
                    else:
                        raise LocalError("the first message has to be a hello")
        except (OSError, WireError, LocalError) as error:
            log.warning("a face's connection ended", pid=self.peer.pid, error=str(error))
        finally:
            self.close()
            if introduced:
                self._on_event(FaceWent(self.number))
            else:
                os.close(self.pidfd)

    def _write(self) -> None:
        try:
            while (message := self._outgoing.get()) is not None:
                send_message(self._socket, message)
        except (OSError, WireError) as error:
            log.warning("a face does not take messages", pid=self.peer.pid, error=str(error))
            self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(queue.Full):
            self._outgoing.put_nowait(None)

    def signal(self, number: int) -> bool:
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self.pidfd, number)
            return True
        return False


class FaceHub:
    """Listens on the socket. One face at a time: the newest connection replaces the one before.

    Not thread-safe but for the events: all methods belong to the agent's own thread.
    """

    def __init__(self, path: Path, *, on_event: Callable[[HubEvent], None], hung_after_ms: int) -> None:
        self._path, self._on_event, self._hung_after_ms = path, on_event, hung_after_ms
        self._listener: socket.socket | None = None
        self._pending: dict[int, _Connection] = {}
        self._pending_lock = threading.Lock()
        self._current: _Connection | None = None
        self._process: _Connection | None = None
        self._last_beat_ms = 0
        self.hello: FaceHello | None = None
        self.state: FaceState | None = None
        self._has_left = False

    def start(self) -> None:
        """Listen. Raises LocalError when another agent is there or the path cannot be used."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and is_answered(self._path):
                raise LocalError(f"{self._path} is in use: another agent runs. Stop it first")
            self._path.unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            mask = os.umask(0o177)
            try:
                listener.bind(str(self._path))
            finally:
                os.umask(mask)
            listener.listen(4)
        except OSError as error:
            raise LocalError(f"{self._path} cannot be used ({error}); check the directory and its owner") from error
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="face-hub", daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        number = 0
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            number += 1
            try:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _seconds(SEND_TIMEOUT_S))
                face = _Connection(number, connection, peer_of(connection), self._on_event)
            except (OSError, LocalError) as error:
                log.warning("a connection was refused", error=str(error))
                connection.close()
                continue
            with self._pending_lock:
                self._pending[number] = face
                # Those that never introduced themselves are forgotten; nothing they say counts.
                for old in sorted(self._pending)[:-WAITING_FACES]:
                    self._pending.pop(old).close()
            face.start()

    def take(self, event: HubEvent, now_ms: int) -> bool:
        """Keep account of an event; whether it is from the face that counts (and not one that was replaced)."""
        if isinstance(event, FaceCame):
            with self._pending_lock:
                newcomer = self._pending.pop(event.number, None)
            if newcomer is None:
                return False
            if self._current is not None:
                self._current.close()
            if self._process is not None:
                os.close(self._process.pidfd)
            self._process, self._has_left = newcomer, False
            self._current, self.hello, self.state, self._last_beat_ms = newcomer, event.hello, None, now_ms
            return True
        if self._current is None or event.number != self._current.number:
            return False
        if isinstance(event, FaceWent):
            self._current = None
        elif isinstance(event.message, Heartbeat):
            self._last_beat_ms = now_ms
        elif isinstance(event.message, FaceState):
            self.state = event.message
        elif isinstance(event.message, Leaving):
            self._has_left = True
        return True

    def condition(self, now_ms: int) -> Literal["up", "down", "hung", "starting"]:
        """How the face is. Without a connection it is down; without a heartbeat it is hung, whatever it said before."""
        if self._current is None:
            return "down"
        if now_ms - self._last_beat_ms > self._hung_after_ms:
            return "hung"
        return "starting" if self.state is None or self.state.starting else "up"

    @property
    def is_missed(self) -> bool:
        """Whether there was a face which did not say that it leaves."""
        return self._process is not None and not self._has_left

    @property
    def pid(self) -> int | None:
        """The last face's process, as the kernel says; it may have ended."""
        return self._process.peer.pid if self._process is not None else None

    def send(self, message: FromAgent) -> bool:
        """Send to the face; False when there is none or it does not read."""
        return self._current is not None and self._current.send(message)

    def end_face(self, *, by_force: bool) -> bool:
        """Terminate (or, by force, kill) the last face's process; whether it was still there."""
        return self._process is not None and self._process.signal(signal.SIGKILL if by_force else signal.SIGTERM)

    def stop(self) -> None:
        """Stop listening and let the face go."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._path.unlink(missing_ok=True)
        if self._current is not None:
            self._current.close()


def is_answered(path: Path) -> bool:
    """Whether somebody listens on this socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _seconds(value: float) -> bytes:
    return struct.pack("ll", int(value), int(value % 1 * 1_000_000))
