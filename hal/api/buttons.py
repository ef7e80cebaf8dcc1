"""Rating buttons, call-staff button, lamps and buzzer."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import msgspec

from hal.api.core import Peripheral

Lamp = Literal["off", "on", "blink"]


class BufferedPress(msgspec.Struct, frozen=True):
    """Which press of a button box this is; the box keeps it until `Buttons.taken`.

    `box` 16 hexadecimal digits, `number` grows with every press of that box for ever. `age_s` how long ago it was when it
    arrived; None when the box was without power in between and cannot know.
    """

    box: str
    number: int
    age_s: float | None


class ButtonPressed(msgspec.Struct, frozen=True, tag="button_pressed"):
    """One press, counted once whatever the contact bounced.

    `button` is `level_5` … `level_1` or `call_staff`; `level` is 5 … 1, or None for call staff.
    `at_s` is the monotonic time (seconds) of the first edge. `buffered` is set by a button box, which sends the press again
    until it is told `taken`: after a crash the same press arrives a second time, perhaps long after it was made.
    """

    button: str
    level: int | None
    at_s: float
    buffered: BufferedPress | None = None


@runtime_checkable
class Buttons(Peripheral, Protocol):
    """Five rating buttons, the call-staff button, their lamps and a buzzer. Emits `ButtonPressed`."""

    def names(self) -> tuple[str, ...]:
        """The buttons that are wired, `level_5` first."""
        ...

    def lamp(self, name: str, state: Lamp) -> None:
        """Switch the lamp of a button, by the button's name; a lamp that is not wired is ignored."""
        ...

    def lamps(self, state: Lamp) -> None:
        """Switch the lamps of all five levels alike."""
        ...

    def buzz(self, duration_ms: int = 80) -> None:
        """Sound the buzzer for 1 to 2000 ms; nothing happens without one."""
        ...

    def taken(self, press: BufferedPress) -> None:
        """The press is recorded where no power cut can take it, or was refused before somebody's eyes: the box may forget it."""
        ...
