"""A screen as it is read out: what it is about, what stands on it, and what can be chosen. Made by screens."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """Words of the screen. `private` ones only the person in front may hear."""

    text: str
    private: bool = False


@dataclass(frozen=True)
class Choice:
    """Something that can be chosen: its name (unique on the screen), what it says, and the touch that it stands for.

    `ticked` is None for what is not ticked at all.
    """

    name: str
    line: Line
    act: Callable[[], object] = field(compare=False)
    ticked: bool | None = None


@dataclass(frozen=True)
class Reading:
    """One screen. Equal keys mean the same screen, whatever changed on it."""

    key: Hashable
    headline: Line
    lines: tuple[Line, ...] = ()
    choices: tuple[Choice, ...] = ()
    bar: tuple[Choice, ...] = ()
    """The way back and the buttons at the foot, which every screen has; reached after the choices."""
    panel: str = ""
    """The panel that covers the place: `help`, `language`, `scan`, `warning`."""
    machine: str = ""
    """Which machine this is, and the time."""
    page: int = 0
    pages: int = 1
    turn: Callable[[int], object] | None = field(default=None, compare=False)
    """Turns to the page after (+1) or before (-1)."""
    writes: bool = False
    """Whether digits are written here."""
    written: int = 0
    """How many are written."""

    @property
    def ring(self) -> tuple[Choice, ...]:
        """Everything that can be chosen, in the order in which keys reach it."""
        return (*self.choices, *self.bar)
