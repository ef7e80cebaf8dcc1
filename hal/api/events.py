"""Everything a peripheral can tell, in one union."""

from __future__ import annotations

from collections.abc import Callable

from hal.api.buttons import ButtonPressed
from hal.api.cabinet import DoorClosed, DoorOpened, KeyPressed, PresenceChanged, Tampered, TamperEnded
from hal.api.cards import CardError, CardPresent, CardRemoved, SmartCardPresent, SmartCardRemoved
from hal.api.codes import LookEnded, Scanned, ScanRefused
from hal.api.desk import DeskAsked
from hal.api.power import PowerChanged
from hal.api.senses import HeadphonesChanged, SpeechEnded

Event = (
    ButtonPressed
    | CardPresent
    | CardRemoved
    | CardError
    | DoorOpened
    | DoorClosed
    | Tampered
    | TamperEnded
    | PresenceChanged
    | KeyPressed
    | SmartCardPresent
    | SmartCardRemoved
    | Scanned
    | ScanRefused
    | LookEnded
    | DeskAsked
    | PowerChanged
    | HeadphonesChanged
    | SpeechEnded
)
EventListener = Callable[[str, Event], None]
"""Called as `listener(peripheral_name, event)`."""
