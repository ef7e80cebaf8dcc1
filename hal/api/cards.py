"""Readers of identity cards and what may be known of a card."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import msgspec

from hal.api.core import Peripheral

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


@runtime_checkable
class IdCardReader(Peripheral, Protocol):
    """Reads resident identity cards. Emits `CardPresent`, `CardRemoved` and `CardError`."""

    def card_present(self) -> bool:
        """Whether a card that was read has not been seen to leave."""
        ...


class SmartCardPresent(msgspec.Struct, frozen=True, tag="smart_card_present"):
    """A contact or contactless card lies on a PC/SC reader; nothing but its type and its chip's number was asked.

    `atr` the answer to reset in hex. `uid` the chip's number in hex, asked of contactless cards only, empty when there is
    none; many phones and some cards make up a new one each time. It tells a person apart from others, so it is not in
    `repr`: keep it out of logs, and drop it after use. `reader` the reader's PC/SC name.
    """

    atr: str
    uid: str
    interface: Literal["contact", "contactless"]
    reader: str

    def __repr__(self) -> str:
        """Without the number."""
        masked = "*" * len(self.uid)
        return f"SmartCardPresent(atr={self.atr!r}, uid={masked!r}, interface={self.interface!r}, reader={self.reader!r})"


class SmartCardRemoved(msgspec.Struct, frozen=True, tag="smart_card_removed"):
    """The card told before has left `reader`; `lost` when the reader or its service went away, so nobody knows."""

    reader: str
    evidence: Literal["asked", "lost"]


@runtime_checkable
class SmartCardReader(Peripheral, Protocol):
    """Contact and contactless cards by type and chip number. Emits `SmartCardPresent` and `SmartCardRemoved`."""

    def card_present(self) -> bool:
        """Whether a card that was told has not been seen to leave."""
        ...
