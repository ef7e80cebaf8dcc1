"""Whether somebody may be asked for a rating now, and why not: what the clerk is told and what an invitation is answered."""

from collections import deque
from typing import Literal, NamedTuple

from wire.messages import Invitation

REMEMBERED = 64
"""So many finished occasions are refused when they are announced again."""

Trouble = Literal["none", "starting", "not_paired", "no_room", "on_battery"]


class Reply(NamedTuple):
    """What became of an invitation or its withdrawal; `detail` is a message id."""

    state: Literal["done", "refused", "expired", "failed"]
    detail: str | None = None


class Admission:
    """What a rating needs, as the desk learns it: set its fields, ask its answers."""

    def __init__(self) -> None:
        self.known = False
        """Whether the agent has said anything yet."""
        self.can_seal = False
        """Whether the fleet's key is there, without which no level may be recorded."""
        self.full = False
        """Whether the evidence budget nears its end."""
        self.resting = False
        """Whether the battery has to last."""
        self._finished: deque[bytes] = deque(maxlen=REMEMBERED)

    @property
    def trouble(self) -> Trouble:
        """Why nobody can be asked now."""
        if not self.known:
            return "starting"
        if not self.can_seal:
            return "not_paired"
        if self.resting:
            return "on_battery"
        return "no_room" if self.full else "none"

    @property
    def can_record(self) -> bool:
        """Whether a press can be sealed and stored."""
        return self.can_seal and not self.full

    def refusal(self, invitation: Invitation, *, now_ms: int) -> Reply | None:
        """Why this invitation is not followed; None when it is."""
        if invitation.expires_ms <= now_ms:
            return Reply("expired", "rating.expired")
        if self.full:
            return Reply("refused", "rating.storage_full")
        if self.resting:
            return Reply("refused", "rating.on_battery")
        if not self.can_seal:
            return Reply("refused", "rating.not_paired")
        if invitation.occasion in self._finished:
            return Reply("refused", "rating.already_over")
        return None

    def finished(self, occasion: bytes) -> None:
        """This occasion is over; nobody is asked about it again."""
        self._finished.append(occasion)
