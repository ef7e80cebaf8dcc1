"""What a peripheral is to the rest of the device: Protocols, events and outcomes, without any hardware.

Events and outcomes are delivered on hal threads, never on the screen's: hop to the screen's thread before drawing, and
return soon. No method here waits for hardware; what takes time answers by callback, within a stated deadline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

import msgspec

from hal.health import Health, State
from hal.paper import Block, Raster, Rasterise, TextStyle

__all__ = [
    "Block",
    "ButtonPressed",
    "Buttons",
    "CardData",
    "CardError",
    "CardPresent",
    "CardRemoved",
    "Door",
    "DoorClosed",
    "DoorOpened",
    "Event",
    "EventListener",
    "Health",
    "HealthListener",
    "IdCardReader",
    "Job",
    "Lamp",
    "Outcome",
    "OutcomeListener",
    "Peripheral",
    "PrinterStatus",
    "Raster",
    "Rasterise",
    "ReceiptPrinter",
    "State",
    "TextStyle",
]

Lamp = Literal["off", "on", "blink"]


class ButtonPressed(msgspec.Struct, frozen=True, tag="button_pressed"):
    """One press, counted once whatever the contact bounced.

    `button` is `level_5` … `level_1` or `call_staff`; `level` is 5 … 1, or None for call staff.
    `at_s` is the monotonic time (seconds) of the first edge.
    """

    button: str
    level: int | None
    at_s: float


CardKind = Literal["resident", "hmt_resident", "foreigner_2017", "foreigner_2023"]


class CardData(msgspec.Struct, frozen=True):
    """What may be known of a card that was read; nothing here gives the person's full name or number.

    `name` and `number` are masked with `*`. `reference` is an HMAC-SHA256 (32 hex digits) of the number under this
    device's key: equal for the same card, useless elsewhere. `valid_to` is YYYYMMDD, or `long` for 长期.
    """

    kind: CardKind
    name: str
    number: str
    reference: str
    valid_to: str


class CardPresent(msgspec.Struct, frozen=True, tag="card_present"):
    """A card was laid on the reader and read."""

    card: CardData


class CardRemoved(msgspec.Struct, frozen=True, tag="card_removed"):
    """The card that was read has left the reader.

    `evidence`: `asked` the reader no longer finds the card's content; `another` a card was found again, which the
    reader does only after the last one left; `presumed` the time for which a card may lie there has passed and this
    model cannot be asked; `lost` the reader was unplugged or fell silent, so nobody knows.
    """

    evidence: Literal["asked", "another", "presumed", "lost"]


class CardError(msgspec.Struct, frozen=True, tag="card_error"):
    """A card was found but not read; `reason` is a message id.

    `card.read_failed` lift it and lay it down again, `card.moved` it left while being read, `card.rejected` card and
    reader do not accept each other, `card.unknown` not a card of a known kind, `card.data_invalid` what was read
    contradicts itself. Told once while the card lies there.
    """

    reason: Literal["card.read_failed", "card.moved", "card.rejected", "card.unknown", "card.data_invalid"]


class DoorOpened(msgspec.Struct, frozen=True, tag="door_opened"):
    """The cabinet's door was opened; `at_s` monotonic seconds of the first edge."""

    at_s: float


class DoorClosed(msgspec.Struct, frozen=True, tag="door_closed"):
    """The cabinet's door was closed; `at_s` monotonic seconds of the first edge."""

    at_s: float


Event = ButtonPressed | CardPresent | CardRemoved | CardError | DoorOpened | DoorClosed
EventListener = Callable[[str, Event], None]
"""Called as `listener(peripheral_name, event)`."""
HealthListener = Callable[[str, Health], None]
"""Called as `listener(peripheral_name, health)` whenever the reason changes."""


class Job(msgspec.Struct, frozen=True):
    """Something to print. The same `id` never comes out of the printer twice, see `ReceiptPrinter.submit`."""

    id: str
    blocks: tuple[Block, ...]
    deadline_s: float = 30.0


class PrinterStatus(msgspec.Struct, frozen=True):
    """What the printer said of itself; `raw` holds the status bytes in hex, `answered` False means it said nothing."""

    answered: bool
    online: bool = False
    paper: Literal["ok", "near_end", "out", "unknown"] = "unknown"
    cover_open: bool = False
    cutter_error: bool = False
    mechanical_error: bool = False
    unrecoverable: bool = False
    head_hot: bool = False
    raw: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a job, with the evidence.

    `printed`: the printer confirmed that it worked through the whole ticket. `not_printed`: no complete ticket is on
    the paper and none will come (`partial` when its beginning is). `unknown`: bytes were sent and the printer then
    said nothing that would decide it. `reason` is a key of `hal.health.REASONS`, or `job.invalid`, `job.queue_full`,
    `job.no_font`, `job.deadline`, `job.stopped`. `cut` False with `printed`: the visitor must tear the paper off.
    `paper_mm` is the length of paper that the complete ticket takes.
    """

    job_id: str
    result: Literal["printed", "not_printed", "unknown"]
    reason: str
    before: PrinterStatus
    after: PrinterStatus
    partial: bool = False
    cut: bool = False
    paper_mm: int = 0
    detail: str = ""


OutcomeListener = Callable[[Outcome], None]


@runtime_checkable
class Peripheral(Protocol):
    """What all peripherals share."""

    @property
    def name(self) -> str:
        """Name within the device, the same as its section of the configuration."""
        ...

    def start(self) -> None:
        """Begin to talk to the hardware, and to retry for ever if it is missing. Returns at once."""
        ...

    def health(self) -> Health:
        """The present health, without asking the hardware."""
        ...

    def close(self) -> None:
        """Stop and let the hardware go; returns within two seconds. Afterwards no callback is called."""
        ...


@runtime_checkable
class Buttons(Peripheral, Protocol):
    """Five rating buttons, the call-staff button, their lamps and a buzzer. Emits `ButtonPressed`."""

    def lamp(self, name: str, state: Lamp) -> None:
        """Switch the lamp of a button, by the button's name; a lamp that is not wired is ignored."""
        ...

    def lamps(self, state: Lamp) -> None:
        """Switch the lamps of all five levels alike."""
        ...

    def buzz(self, duration_ms: int = 80) -> None:
        """Sound the buzzer for 1 to 2000 ms; nothing happens without one."""
        ...


@runtime_checkable
class ReceiptPrinter(Peripheral, Protocol):
    """A receipt printer that says whether paper came out."""

    @property
    def columns(self) -> int:
        """Columns of a line at size 1: 32 on 58 mm, 48 on 80 mm paper (a Hanzi takes two)."""
        ...

    @property
    def width_dots(self) -> int:
        """Printable dots of a row: 384 on 58 mm, 576 on 80 mm paper."""
        ...

    def submit(self, job: Job, on_outcome: OutcomeListener) -> None:
        """Print `job` and call `on_outcome` exactly once, at the latest five seconds after `job.deadline_s`.

        A job id that is waiting or in print gets the outcome of that one print. An id whose outcome was `printed` or
        `unknown` gets the same outcome again and no second paper; one that was `not_printed` is tried again. The last
        256 outcomes are remembered while the program runs.
        """
        ...

    def status(self) -> PrinterStatus:
        """The last status the printer told, without asking it again."""
        ...


@runtime_checkable
class IdCardReader(Peripheral, Protocol):
    """Reads resident identity cards. Emits `CardPresent`, `CardRemoved` and `CardError`."""

    def card_present(self) -> bool:
        """Whether a card that was read has not been seen to leave."""
        ...


@runtime_checkable
class Door(Peripheral, Protocol):
    """The cabinet's door contact. Emits `DoorOpened` and `DoorClosed`, also once at start if the door is open."""

    def is_open(self) -> bool | None:
        """Whether the door is open; None while nobody knows."""
        ...
