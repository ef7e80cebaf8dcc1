"""What a clerk's PC may do at an evaluator, and what it is told: never anything that depends on what the citizen did.

How a rating goes on is not even known here. For the clerk an occasion is open for a fixed time from its question on (or until
the clerk takes it back), whether somebody pressed at once, late, or not at all.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from evaluator.flow.admission import Reply
from evaluator.flow.desk import Desk
from evaluator.flow.ports import Clock, Seat
from hal.api.desk import DeskAnswer, DeskView, Invite, SetWindow, SignIn, SignOut, TakeBack, Wish
from wire.messages import Invitation

REMEMBERED = 256
"""So many services are not asked about a second time."""
_REFUSALS: dict[str | None, DeskAnswer] = {
    "rating.expired": "expired",
    "rating.storage_full": "no_room",
    "rating.not_paired": "not_paired",
    "rating.already_over": "already_asked",
    "rating.on_battery": "on_battery",
}
_TROUBLES: dict[str, DeskAnswer] = {
    "starting": "later",
    "not_paired": "not_paired",
    "no_room": "no_room",
    "on_battery": "on_battery",
}


class Line(Protocol):
    """The lines to the clerks' PCs; `desk` names one of them."""

    def answer(self, desk: str, command: int, answer: DeskAnswer) -> None:
        """Answer a command."""
        ...

    def show(self, view: DeskView) -> None:
        """Tell every desk how things stand."""
        ...


class ClerkLine:
    """Carries out what the clerks' PCs ask. Call on the flow's thread.

    `occasion_s` gives how long an occasion is open for the clerk: as long as a rating takes that uses all its time. `keep` stores
    who sits here, for the next start.
    """

    def __init__(
        self, *, desk: Desk, clock: Clock, line: Line, occasion_s: Callable[[], float], keep: Callable[[Seat], object]
    ) -> None:
        self._desk, self._clock, self._line = desk, clock, line
        self._occasion_s, self._keep = occasion_s, keep
        self._open: bytes | None = None
        self._open_until = 0.0
        self._asked: deque[bytes] = deque(maxlen=REMEMBERED)
        self._shown = DeskView()

    def take(self, desk: str, command: int, wish: Wish) -> None:
        """One wish of a clerk's PC; it is answered in any case."""
        answer = partial(self._line.answer, desk, command)
        match wish:
            case Invite():
                self._invite(wish, answer)
            case TakeBack():
                self._take_back()
                answer("accepted")
            case SignIn(number=number):
                self._sit(Seat(number, "serving"))
                answer("accepted")
            case SignOut():
                self._sit(Seat("", "closed"))
                answer("accepted")
            case SetWindow(state=state):
                clerk = self._desk.card.clerk if self._desk.card else None
                self._sit(Seat(clerk.number if clerk else "", state))
                answer("accepted")
        self.refresh()

    def refresh(self) -> None:
        """Tell the desks how things stand, if that has changed. Call it also when the window or the device has changed."""
        card = self._desk.card
        view = DeskView(
            open_until_s=self._open_until,
            window=card.state if card else "closed",
            signed_in=card is not None and card.clerk is not None,
            trouble=self._desk.trouble,
        )
        if view != self._shown:
            self._shown = view
            self._line.show(view)

    def _sit(self, seat: Seat) -> None:
        self._desk.sit(seat)
        self._keep(seat)

    def _invite(self, wish: Invite, answer: Callable[[DeskAnswer], object]) -> None:
        now_s = self._clock.mono_s()
        card = self._desk.card
        if wish.occasion in self._asked:
            # The same command once more, while the question stands; afterwards a second question about one service.
            answer("accepted" if wish.occasion == self._open and now_s < self._open_until else "already_asked")
        elif now_s < self._open_until:
            answer("busy")
        elif card is None or card.clerk is None:
            answer(_TROUBLES.get(self._desk.trouble, "nobody_signed_in"))
        else:
            self._open, self._open_until = wish.occasion, now_s + self._occasion_s()
            self._asked.append(wish.occasion)
            invitation = Invitation(
                occasion=wish.occasion,
                stage=wish.stage,
                item_code=wish.item_code,
                item_name={"zh": wish.item_name} if wish.item_name else None,
                case_tail=wish.case_tail,
                ticket=wish.ticket,
                clerk_number=card.clerk.number,
                expires_ms=self._clock.wall_ms() + wish.valid_s * 1000,
            )
            self._desk.invite(invitation, partial(self._invited, wish.occasion, answer))

    def _invited(self, occasion: bytes, answer: Callable[[DeskAnswer], object], reply: Reply) -> None:
        if reply.state == "done":
            answer("accepted")
            return
        if self._open == occasion:
            self._open, self._open_until = None, 0.0
        if occasion in self._asked:
            # It was never asked; the clerk may try again.
            self._asked.remove(occasion)
        answer(_REFUSALS.get(reply.detail, "not_recorded"))
        self.refresh()

    def _take_back(self) -> None:
        if self._open is not None:
            # What becomes of it depends on the citizen, so the answer to the clerk does not depend on it.
            self._desk.withdraw(self._open)
        self._open, self._open_until = None, 0.0
