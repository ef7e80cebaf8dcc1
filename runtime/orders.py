"""Commands of the fleet and their true states: a command is done when it is done, not when it was heard."""

from collections.abc import Callable
from typing import Literal, Protocol

import structlog
from msgspec import Struct

from runtime.clock import Clock
from runtime.local import (
    CommandReply,
    FromAgent,
    Identify,
    Invite,
    PictureReply,
    PictureRequest,
    RestartRequest,
    Withdraw,
)
from runtime.store import AgentStore
from wire.codec import Malformed, decode
from wire.entry import SYNCED
from wire.messages import Command, CommandHead, Picture, Report

log = structlog.get_logger("runtime.orders")

FINAL = ("done", "failed", "refused", "expired")
FACE_PATIENCE_MS = 15_000
KILL_AFTER_MS = 5_000
LONGEST_MS = 86_400_000

State = Literal["received", "running", "done", "failed", "refused", "expired"]


class Face(Protocol):
    """What orders need of the face's connection (runtime.facehub.FaceHub)."""

    @property
    def pid(self) -> int | None:
        """The last face's process."""
        ...

    def send(self, message: FromAgent) -> bool:
        """Whether the message could be handed over."""
        ...

    def end_face(self, *, by_force: bool) -> bool:
        """Terminate or kill the face's process."""
        ...


class _Active(Struct):
    command: Command
    ends_at_ms: int
    face_by_ms: int = 0
    terminate_at_ms: int = 0
    kill_at_ms: int = 0
    old_pid: int | None = None


class Orders:
    """Runs commands. `apply` and `pull` begin work of the agent; the agent calls `finish` when it is over."""

    def __init__(
        self,
        *,
        store: AgentStore,
        clock: Clock,
        face: Face,
        report: Callable[[Report], None],
        picture: Callable[[Picture], bool],
        apply: Callable[[bytes], None],
        pull: Callable[[bytes], None],
        terminate_after_ms: int,
    ) -> None:
        self._store, self._clock, self._face = store, clock, face
        self._report, self._picture, self._apply, self._pull = report, picture, apply, pull
        self._terminate_after_ms = terminate_after_ms
        self._active: dict[bytes, _Active] = {}

    def abandon_earlier(self) -> None:
        """Report commands that an earlier run of the agent did not finish as failed: nobody knows what became of them."""
        for command in self._store.unfinished_commands():
            self._say(command, "failed", "agent.restarted")

    def take(self, data: bytes) -> None:
        """Begin a command. One heard before is not run again, only answered again.

        One that this version does not understand is refused by its id, so that the operator learns it at once and not by its
        expiry. Raises Malformed or TooLarge when not even id and verb can be read.
        """
        head = decode(data, CommandHead)
        known = self._store.command_state(head.id)
        if known is not None:
            if known in FINAL:
                self._say(head.id, known, "command.repeated")  # type: ignore[arg-type]
            return
        try:
            command = decode(data, Command)
        except Malformed as error:
            log.warning("a command is not understood", verb=head.verb, error=str(error))
            self._say(head.id, "refused", "command.unknown", {"verb": head.verb})
            return
        now = self._clock.now()
        # A clock that was never set cannot judge an expiry; the broker drops what expired on its way.
        left_ms = command.expires_ms - now.wall_ms if now.trust == SYNCED else LONGEST_MS
        self._say(command.id, "received")
        if left_ms <= 0:
            self._say(command.id, "expired")
            return
        active = _Active(command, now.mono_ms + min(left_ms, LONGEST_MS))
        self._active[command.id] = active
        self._begin(active, now.mono_ms)

    def _begin(self, active: _Active, now_ms: int) -> None:
        command = active.command
        if command.verb == "apply_configuration":
            self._say(command.id, "running")
            self._apply(command.id)
        elif command.verb == "pull_content":
            self._say(command.id, "running")
            self._pull(command.id)
        elif command.verb == "restart_face":
            active.old_pid = self._face.pid
            active.terminate_at_ms = now_ms + self._terminate_after_ms
            self._face.send(RestartRequest(command=command.id, within_s=self._terminate_after_ms / 1_000))
            self._say(command.id, "running")
        else:
            self._hand_to_face(active, now_ms)

    def _hand_to_face(self, active: _Active, now_ms: int) -> None:
        try:
            message = _for_face(active.command)
        except Malformed as error:
            log.warning("a command is incomplete", error=str(error))
            self.finish(active.command.id, "refused", "command.incomplete")
            return
        active.face_by_ms = now_ms + FACE_PATIENCE_MS
        if self._face.send(message):
            self._say(active.command.id, "running")
        else:
            self.finish(active.command.id, "failed", "face.down")

    def face_replied(self, reply: CommandReply | PictureReply) -> None:
        """Pass the face's word on, for a command that still runs."""
        active = self._active.get(reply.command)
        if active is None:
            return
        if isinstance(reply, CommandReply):
            self.finish(reply.command, reply.state, reply.detail, reply.args)
        elif active.command.verb != "picture":
            log.warning("a face sent a picture nobody asked for")
        elif reply.refused is not None or not reply.png:
            self.finish(reply.command, "refused", reply.refused or "picture.empty")
        else:
            picture = Picture(command=reply.command, at_ms=self._clock.now().wall_ms, screen=reply.screen, png=reply.png)
            sent = self._picture(picture)
            self.finish(reply.command, "done" if sent else "failed", None if sent else "link.down")

    def face_came(self, pid: int) -> None:
        """A face introduced itself: a restart that was ordered is done, once it is another process."""
        for active in list(self._active.values()):
            if active.command.verb == "restart_face" and pid != active.old_pid:
                self.finish(active.command.id, "done")

    def tick(self, now_ms: int) -> None:
        """End what has run out of time; be firm with a face that does not restart by itself."""
        for active in list(self._active.values()):
            command = active.command
            if command.verb == "restart_face":
                self._press_on(active, now_ms)
            if active.face_by_ms and now_ms >= active.face_by_ms:
                self.finish(command.id, "failed", "face.hung")
            elif now_ms >= active.ends_at_ms:
                if command.verb == "restart_face":
                    self.finish(command.id, "failed", "face.not_back")
                else:
                    self.finish(command.id, "expired")

    def _press_on(self, active: _Active, now_ms: int) -> None:
        if self._face.pid != active.old_pid:
            return
        if active.terminate_at_ms and now_ms >= active.terminate_at_ms:
            active.terminate_at_ms = 0
            if self._face.end_face(by_force=False):
                active.kill_at_ms = now_ms + KILL_AFTER_MS
        elif active.kill_at_ms and now_ms >= active.kill_at_ms:
            active.kill_at_ms = 0
            self._face.end_face(by_force=True)

    def finish(self, command: bytes, state: State, detail: str | None = None, args: dict[str, str] | None = None) -> None:
        """Report a state of a running command; a final one ends it. Unknown commands are left alone."""
        if command not in self._active:
            return
        if state in FINAL:
            del self._active[command]
        else:
            # The face is alive and at it: only the command's own expiry counts now.
            self._active[command].face_by_ms = 0
        self._say(command, state, detail, args)

    def _say(self, command: bytes, state: State, detail: str | None = None, args: dict[str, str] | None = None) -> None:
        if detail != "command.repeated":
            self._store.set_command_state(command, state)
        self._report(Report(command=command, state=state, at_ms=self._clock.now().wall_ms, detail=detail, args=args or {}))


def _for_face(command: Command) -> Invite | Withdraw | Identify | PictureRequest:
    if command.verb == "invite":
        if command.invitation is None:
            raise Malformed("an invite without an invitation")
        return Invite(command=command.id, invitation=command.invitation)
    if command.verb == "withdraw":
        return Withdraw(command=command.id, occasion=command.occasion)
    if command.verb == "picture":
        return PictureRequest(command=command.id)
    return Identify(command=command.id)
