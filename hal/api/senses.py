"""What people see and hear besides the screen's content: its brightness, the loudspeaker's volume, a voice."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import msgspec

from hal.api.core import Peripheral

Language = Literal["zh", "ko", "en"]


@runtime_checkable
class Backlight(Peripheral, Protocol):
    """The screen's brightness."""

    def set(self, percent: float) -> None:
        """Set the brightness, 0–100 % of what the panel can, soon; it is set again when the panel was away.

        Raises ValueError outside 0–100.
        """
        ...

    def dim(self, night: bool) -> None:
        """Take the configured brightness for the night, or for the day."""
        ...


class HeadphonesChanged(msgspec.Struct, frozen=True, tag="headphones_changed"):
    """Headphones were plugged in or out. What is said then only their wearer hears, or the whole hall."""

    plugged: bool


@runtime_checkable
class Speaker(Peripheral, Protocol):
    """Volume of loudspeaker and headphones. Emits `HeadphonesChanged` where the board can tell."""

    @property
    def steps(self) -> int:
        """How many steps above the normal volume there are; the last one is the loudest (+20 dB by default)."""
        ...

    def volume(self, step: int) -> None:
        """Set the volume, 0 (normal) to `steps`, soon. Raises ValueError outside."""
        ...

    def reset(self) -> None:
        """Back to the normal volume: call it whenever a visitor leaves."""
        ...

    def headphones(self) -> bool | None:
        """Whether headphones are plugged in; None where the board cannot tell."""
        ...


class SpeechEnded(msgspec.Struct, frozen=True, tag="speech_ended"):
    """What was being said has ended; `complete` False when it was interrupted or could not be said."""

    complete: bool


@runtime_checkable
class Speech(Peripheral, Protocol):
    """A voice. Emits `SpeechEnded` once for every text. Texts may be personal: they are in no log and on no command line."""

    def say(self, text: str, language: Language, *, slowly: bool = False) -> None:
        """Say `text` now; what was being said is interrupted. Returns at once. Only the latest text waits, never a queue."""
        ...

    def hush(self) -> None:
        """Be silent within 100 ms."""
        ...

    def is_speaking(self) -> bool:
        """Whether something is being said."""
        ...
