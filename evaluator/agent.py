"""What the agent asks of an evaluator's face, and what the face tells it: invitations, pictures, identify, restart, health."""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog

from evaluator.flow.admission import Reply
from hal.api import Health
from runtime.local import (
    AskAnswer,
    CommandReply,
    DeviceView,
    EvidenceDamaged,
    FromAgent,
    Identify,
    Invite,
    PictureReply,
    PictureRequest,
    RestartRequest,
    Withdraw,
)
from ui import picture, window
from wire.codec import MAX_PICTURE_BYTES
from wire.messages import PartHealth

if TYPE_CHECKING:
    from evaluator.face import EvaluatorFace

log = structlog.get_logger("evaluator.agent")


def parts(health: Mapping[str, Health]) -> tuple[PartHealth, ...]:
    """The peripherals as the agent reports them."""
    return tuple(
        PartHealth(
            part=name,
            state=one.state,
            reason=one.reason,
            next_step=one.next_step,
            args={key: value[:200] for key, value in one.args.items()},
            since_ms=one.since_ms,
        )
        for name, one in sorted(health.items())
    )


def is_offline(view: DeviceView) -> bool:
    """Whether the sign for "no network" belongs on the screen; a device that never had a fleet does not complain."""
    return view.pairing != "none" and view.link != "up"


class AgentTalk:
    """Takes the agent's messages on the Kivy thread."""

    def __init__(self, face: "EvaluatorFace") -> None:
        self._face = face

    def take(self, message: FromAgent) -> None:
        """One message of the agent."""
        face = self._face
        match message:
            case DeviceView():
                face.take_view()
            case Invite(command=command, invitation=invitation):
                face.desk.invite(invitation, lambda reply: self._reply(command, reply))
            case Withdraw(command=command, occasion=occasion):
                self._reply(command, face.desk.withdraw(occasion))
            case Identify(command=command):
                face.desk.identify()
                self._reply(command, Reply("done"))
            case PictureRequest(command=command):
                self._picture(command)
            case RestartRequest():
                window.stop()
            case EvidenceDamaged(journal_id=journal_id, reason=reason):
                face.evidence.close_damaged(journal_id, reason)
            case AskAnswer():
                face.help.answered(message)

    def _reply(self, command: bytes, reply: Reply) -> None:
        message = CommandReply(command=command, state=reply.state, detail=reply.detail)
        if not self._face.link.send(message):
            log.warning("a reply could not be sent", command=command.hex(), state=reply.state)

    def _picture(self, command: bytes) -> None:
        face, screen = self._face, self._face.desk.scene.name
        try:
            taken = picture.take(face.stage, refusal="picture.rating" if face.desk.is_rating else None)
        except picture.PictureRefused as error:
            face.link.send(PictureReply(command=command, screen=screen, refused=error.reason))
            return

        def send() -> None:
            # Compressing takes longer than a frame, so it happens here.
            png = taken.png()
            fits = len(png) <= MAX_PICTURE_BYTES
            refused = None if fits else "picture.too_big"
            face.link.send(PictureReply(command=command, screen=screen, png=png if fits else b"", refused=refused))

        threading.Thread(target=send, name="picture", daemon=True).start()
