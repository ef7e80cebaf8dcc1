"""Who sits at the window and whether it serves: as the fleet says it, or as a clerk said it here since."""

from msgspec import structs

from evaluator.flow.ports import Seat
from wire.messages import Clerk, WindowCard


class Seating:
    """The newer word holds: what a clerk says at the window stands until the fleet says something else about clerk or state."""

    def __init__(self) -> None:
        self._fleet: WindowCard | None = None
        self._seat: Seat | None = None

    def fleet_says(self, card: WindowCard | None) -> None:
        """The window's card as the fleet has it now."""
        if _seated(card) != _seated(self._fleet) and self._fleet is not None:
            self._seat = None
        self._fleet = card

    def sit(self, seat: Seat) -> None:
        """What a clerk said here."""
        self._seat = seat

    @property
    def card(self) -> WindowCard | None:
        """The card to show; None while the fleet has given this device no window."""
        card, seat = self._fleet, self._seat
        if card is None or seat is None:
            return card
        clerk = card.clerk if seat.clerk else None
        if seat.clerk and (clerk is None or clerk.number != seat.clerk):
            # Name and photo come from the fleet; until it has them the number stands alone.
            clerk = Clerk(number=seat.clerk, name="")
        return structs.replace(card, state=seat.window, clerk=clerk)


def _seated(card: WindowCard | None) -> tuple[str, str] | None:
    return (card.state, card.clerk.number if card.clerk else "") if card else None
