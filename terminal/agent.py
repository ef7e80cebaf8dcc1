"""What the agent asks of a terminal's face, and what the face tells it: picture, identify, restart, health."""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog

from hal.api import Health, ReceiptPrinter
from hal.factory import Hal
from hal.gauges import gauges
from runtime.local import (
    AskAnswer,
    CommandReply,
    DeviceView,
    EvidenceDamaged,
    FaceState,
    FromAgent,
    Identify,
    Invite,
    PictureReply,
    PictureRequest,
    RestartRequest,
    Withdraw,
)
from ui import picture, window
from wire.messages import PartHealth

if TYPE_CHECKING:
    from terminal.face import TerminalFace

log = structlog.get_logger("terminal.agent")

PICTURE_SCALE = 0.5
IDENTIFY_S = 10.0


def link_works(view: DeviceView) -> bool:
    """Whether visitors should count on the network; a device that was never meant to have a fleet does not complain."""
    return view.pairing == "none" or view.link == "up"


def parts(health: Mapping[str, Health]) -> tuple[PartHealth, ...]:
    """The peripherals as the agent reports them."""
    return tuple(
        PartHealth(
            part=name, state=one.state, reason=one.reason, next_step=one.next_step,
            args={key: value[:200] for key, value in one.args.items()}, since_ms=one.since_ms,
        )
        for name, one in sorted(health.items())
    )  # fmt: skip


def paper_levels(hal: Hal) -> dict[str, float]:
    """What is left of the paper, of the printer that has least, where that is known: metres, and sheets of the usual length.

    Coarse, because every change is sent at once.
    """
    rolls = [printer.roll() for printer in hal.every("printer") if isinstance(printer, ReceiptPrinter)]
    known = [roll for roll in rolls if roll.left_mm is not None]
    if not known:
        return {}
    least = min(known, key=lambda roll: roll.left_mm or 0)
    levels = {"paper_m": float((least.left_mm or 0) // 1000)}
    if least.tickets_left is not None:
        tickets = least.tickets_left
        levels["paper_tickets"] = float(tickets if tickets < 20 else tickets // 10 * 10)
    return levels


class AgentTalk:
    """Takes the agent's messages on the Kivy thread."""

    def __init__(self, face: "TerminalFace") -> None:
        self._face = face

    def report(self, screen: str, health: tuple[PartHealth, ...], evidence_free: float) -> None:
        """The face's present state."""
        # Two digits are enough to see a trend, and keep a changing third one from being sent at every entry.
        levels = paper_levels(self._face.hal) | gauges(self._face.hal)
        state = FaceState(screen=screen, parts=health, levels=levels, evidence_free=round(evidence_free, 2))
        self._face.link.report(state)

    def take(self, message: FromAgent) -> None:
        """One message of the agent."""
        match message:
            case DeviceView():
                self._face.take_view()
            case AskAnswer():
                self._face.help.answered(message)
            case PictureRequest(command=command):
                self._picture(command)
            case Identify(command=command):
                self._face.stage.identify(IDENTIFY_S)
                self._reply(CommandReply(command=command, state="done"))
            case Invite(command=command) | Withdraw(command=command):
                self._reply(CommandReply(command=command, state="refused", detail="invite.not_an_evaluator"))
            case RestartRequest():
                self._face.visit.end("restart")
                window.stop()
            case EvidenceDamaged(journal_id=journal_id, reason=reason):
                self._face.diary.close_damaged(journal_id, reason)

    def _reply(self, reply: CommandReply) -> None:
        if not self._face.link.send(reply):
            log.warning("a reply could not be sent", command=reply.command.hex(), state=reply.state)

    def _picture(self, command: bytes) -> None:
        face, screen = self._face, self._face.visit.screen_name
        refusal = "picture.rating" if face.visit.rating_open else None
        try:
            taken = picture.take(face.stage, refusal=refusal, scale=PICTURE_SCALE)
        except picture.PictureRefused as error:
            face.link.send(PictureReply(command=command, screen=screen, refused=error.reason))
            return

        def send() -> None:
            if not face.link.send(PictureReply(command=command, screen=screen, png=taken.png())):
                face.link.send(PictureReply(command=command, screen=screen, refused="picture.too_big"))

        threading.Thread(target=send, name="picture", daemon=True).start()
