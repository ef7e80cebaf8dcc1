"""Talk between face and agent over one Unix socket: the messages, the framing, and the face's end (`FaceLink`).

Each message is a 4-byte big-endian length and a MessagePack struct of the unions below. Both ends check the peer's user.
A face works with no agent at all: `FaceLink.view` then holds what the agent wrote down last.
"""

import os
import queue
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import structlog
from msgspec import Meta, Struct

from runtime.clock import Clock
from wire.codec import MAX_PICTURE_BYTES, Malformed, TooLarge, WireError, decode, encode
from wire.entry import Id16, Millis
from wire.messages import Answer, Desired, Invitation, Key, Name, PartHealth

log = structlog.get_logger("runtime.local")

MAX_MESSAGE_BYTES = MAX_PICTURE_BYTES + 4_096
_LENGTH = struct.Struct(">I")
HEARTBEAT_S = 2.0
VIEW_FILE = "view.msgpack"


class LocalError(Exception):
    """The other end of the socket is not who or what it should be."""


# Face → agent


class FaceHello(Struct, frozen=True, kw_only=True, tag="hello"):
    """First on every connection."""

    role: Literal["terminal", "evaluator"]
    pid: Annotated[int, Meta(ge=1)]
    software: Name


class Heartbeat(Struct, frozen=True, kw_only=True, tag="beat"):
    """The face's main loop is alive (`FaceLink.beat`)."""


class FaceState(Struct, frozen=True, kw_only=True, tag="state"):
    """What a face tells of itself. `screen` is the name of the screen shown, never its content."""

    screen: Name
    starting: bool = False
    parts: Annotated[tuple[PartHealth, ...], Meta(max_length=48)] = ()
    levels: dict[Key, float] = {}
    evidence_free: Annotated[float, Meta(ge=0, le=1)] = 1.0


class PictureReply(Struct, frozen=True, kw_only=True, tag="picture"):
    """The masked picture that a PictureRequest asked for, or why there is none (`refused`, a message id)."""

    command: Id16
    screen: Name
    png: Annotated[bytes, Meta(max_length=MAX_PICTURE_BYTES)] = b""
    refused: Key | None = None


class CommandReply(Struct, frozen=True, kw_only=True, tag="reply"):
    """What became of an Invite, Withdraw or Identify at the face. `detail` is a message id."""

    command: Id16
    state: Literal["running", "done", "failed", "refused", "expired"]
    detail: Key | None = None
    args: dict[str, Name] = {}


class AskRequest(Struct, frozen=True, kw_only=True, tag="ask"):
    """A question for the fleet; the agent always answers, at the latest when `deadline_ms` (wall clock) has passed."""

    id: Id16
    what: Literal["help", "help_state", "receipt"]
    args: dict[Key, Name] = {}
    deadline_ms: Millis


FromFace = FaceHello | Heartbeat | FaceState | PictureReply | CommandReply | AskRequest


# Agent → face


class Archived(Struct, frozen=True, array_like=True):
    """How far the fleet holds one journal in a verified backup: the face may prune that far."""

    journal_id: Id16
    through_seq: Annotated[int, Meta(ge=0)]


class DeviceView(Struct, frozen=True, kw_only=True, tag="view"):
    """All that a face needs of the agent. Sent whole at every change.

    `pairing`: none (no fleet configured) · unreachable · waiting (show `pairing_code`) · refused · expired · paired ·
    revoked (the broker refuses this device now; it keeps trying).
    `link` is the connection to the fleet, since `link_since_ms`; `unknown` while no agent is there.
    `desired` is verified by the agent. `content_path` is a pack that was opened and verified, or empty.
    """

    device: Name
    pairing: Literal["none", "unreachable", "waiting", "refused", "expired", "paired", "revoked"] = "none"
    pairing_code: Name = ""
    pairing_expires_ms: Millis = 0
    link: Literal["up", "down", "unknown"] = "unknown"
    link_since_ms: Millis = 0
    desired: Desired | None = None
    content_path: str = ""
    content_version: Name = ""
    true_wall_ms: Millis | None = None
    """Wall time of the fleet, at `true_mono_ms` of this boot, when the fleet has repaired the clock."""
    true_mono_ms: Millis = 0
    archived: Annotated[tuple[Archived, ...], Meta(max_length=64)] = ()
    trouble: Key | None = None
    """What the agent cannot mend itself, a message id, for example custody.fork."""


class Invite(Struct, frozen=True, kw_only=True, tag="invite"):
    """Ask for a rating of this occasion; answer with a CommandReply (done once the invitation is on the screen)."""

    command: Id16
    invitation: Invitation


class Withdraw(Struct, frozen=True, kw_only=True, tag="withdraw"):
    """Take an invitation back."""

    command: Id16
    occasion: Id16 | None


class Identify(Struct, frozen=True, kw_only=True, tag="identify"):
    """Show for some seconds which device this is."""

    command: Id16


class PictureRequest(Struct, frozen=True, kw_only=True, tag="picture_request"):
    """Make a masked picture of the screen; answer with a PictureReply."""

    command: Id16


class RestartRequest(Struct, frozen=True, kw_only=True, tag="restart"):
    """End soon and cleanly; after `within_s` the process is terminated."""

    command: Id16
    within_s: float


class AskAnswer(Struct, frozen=True, kw_only=True, tag="answer"):
    """The fleet's answer, or None when none came in time or no link was there."""

    id: Id16
    answer: Answer | None


class EvidenceDamaged(Struct, frozen=True, kw_only=True, tag="damaged"):
    """The agent met an unreadable entry in the face's journal: the face closes it (`Journal.close_damaged(reason)`)."""

    journal_id: Id16
    last_good: Annotated[int, Meta(ge=0)]
    reason: Name


FromAgent = DeviceView | Invite | Withdraw | Identify | PictureRequest | RestartRequest | AskAnswer | EvidenceDamaged


def send_message(connection: socket.socket, message: FromFace | FromAgent) -> None:
    """Write one message. Raises OSError when the peer is gone or does not read within the socket's timeout, TooLarge."""
    data = encode(message)
    if len(data) > MAX_MESSAGE_BYTES:
        raise TooLarge(f"{type(message).__name__} has {len(data)} bytes; the limit is {MAX_MESSAGE_BYTES}")
    connection.sendall(_LENGTH.pack(len(data)) + data)


class Unframer:
    """Cuts received bytes into messages of one union, checking each length before anything is kept."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """The messages that `data` completes. Raises TooLarge or Malformed; the connection is of no use then."""
        self._buffer += data
        messages = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_MESSAGE_BYTES:
                raise TooLarge(f"a local message claims {length} bytes; the limit is {MAX_MESSAGE_BYTES}")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            data_of_one = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            try:
                messages.append(msgspec.msgpack.decode(data_of_one, type=self._kind))
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
                raise Malformed(f"not a valid local message: {error}") from error
        return messages


class Peer(Struct, frozen=True):
    """Who is at the other end of a Unix socket, as the kernel says."""

    pid: int
    uid: int


def peer_of(connection: socket.socket) -> Peer:
    """The peer's process and user, from SO_PEERCRED. Raises LocalError unless it runs as this user or root."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, uid, _ = struct.unpack("3i", raw)
    if uid not in (0, os.getuid()):
        raise LocalError(f"process {pid} of user {uid} reached the socket; only user {os.getuid()} and root may")
    return Peer(pid, uid)


def read_view(data_dir: Path) -> DeviceView | None:
    """The view the agent wrote down last, or None when there is none or it cannot be read."""
    try:
        return decode((data_dir / VIEW_FILE).read_bytes(), DeviceView)
    except (OSError, WireError):
        return None


def kept_view(data_dir: Path, device: str) -> DeviceView:
    """What `read_view` finds, when it is of this device; otherwise the view of a device that knows nothing yet."""
    stored = read_view(data_dir)
    return stored if stored is not None and stored.device == device else DeviceView(device=device)


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
        """End the thread and the connection."""
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
