"""Talk between face and agent over one Unix socket: the messages and their framing. The face's end is runtime.facelink.

Each message is a 4-byte big-endian length and a MessagePack struct of the unions below. Both ends check the peer's user.
"""

import os
import socket
import struct
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from wire.codec import MAX_PICTURE_BYTES, Malformed, TooLarge, WireError, decode, encode
from wire.entry import Hash, Id16, Millis
from wire.messages import Answer, Desired, Invitation, Key, Name, PartHealth

MAX_MESSAGE_BYTES = MAX_PICTURE_BYTES + 4_096
_LENGTH = struct.Struct(">I")
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


class Leaving(Struct, frozen=True, kw_only=True, tag="leaving"):
    """The face ends because it was told to: nobody needs to miss it."""


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
    what: Literal["help", "help_state"]
    args: dict[Key, Name] = {}
    deadline_ms: Millis


FromFace = FaceHello | Heartbeat | Leaving | FaceState | PictureReply | CommandReply | AskRequest


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
    `desired` is verified by the agent. `content_path` is a pack that the agent opened and verified, or empty; a face verifies it
    once more with `fleet_key`, since the file may have been exchanged meanwhile.
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
    fleet_key: Hash | None = None
    """The fleet's Ed25519 key, which signs content packs; None before pairing."""
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
