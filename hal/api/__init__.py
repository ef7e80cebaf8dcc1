"""What a peripheral is to the rest of the device: Protocols, events and outcomes, without any hardware."""

from hal.api.buttons import ButtonPressed, Buttons, Lamp
from hal.api.cabinet import (
    Door,
    DoorClosed,
    DoorOpened,
    Glow,
    Key,
    Keypad,
    KeyPressed,
    Light,
    Presence,
    PresenceChanged,
    Tamper,
    Tampered,
    TamperEnded,
    Thermometer,
)
from hal.api.cards import CardData, CardError, CardKind, CardPresent, CardRemoved, IdCardReader
from hal.api.core import HealthListener, Peripheral
from hal.api.events import Event, EventListener
from hal.api.paper import Job, Outcome, OutcomeListener, PrinterStatus, ReceiptPrinter
from hal.health import Health, State
from hal.paper import Block, Raster, Rasterise, TextStyle

__all__ = [
    "Block",
    "ButtonPressed",
    "Buttons",
    "CardData",
    "CardError",
    "CardKind",
    "CardPresent",
    "CardRemoved",
    "Door",
    "DoorClosed",
    "DoorOpened",
    "Event",
    "EventListener",
    "Glow",
    "Health",
    "HealthListener",
    "IdCardReader",
    "Job",
    "Key",
    "KeyPressed",
    "Keypad",
    "Lamp",
    "Light",
    "Outcome",
    "OutcomeListener",
    "Peripheral",
    "Presence",
    "PresenceChanged",
    "PrinterStatus",
    "Raster",
    "Rasterise",
    "ReceiptPrinter",
    "State",
    "Tamper",
    "TamperEnded",
    "Tampered",
    "TextStyle",
    "Thermometer",
]
