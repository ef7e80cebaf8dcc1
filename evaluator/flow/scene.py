"""What the screen shows at one moment, as plain values: equal scenes look equal, and a screen needs nothing else."""

from dataclasses import dataclass
from typing import Literal

from evaluator.flow.tags import Tag
from wire.kinds import Language, Profile
from wire.messages import WindowCard, Words

Pairing = Literal["none", "unreachable", "waiting", "refused", "expired", "paired", "revoked"]


@dataclass(frozen=True)
class Signs:
    """Small signs that stand on every screen: what works less than usual, while rating goes on."""

    offline: bool = False
    buttons_down: bool = False
    on_battery: bool = False
    clock_unsure: bool = False


@dataclass(frozen=True)
class Scene:
    """Shared by all scenes. `name` is what the agent reports."""

    signs: Signs
    language: Language
    profile: Profile

    @property
    def name(self) -> str:
        """The scene's name without any content."""
        return type(self).__name__.lower()


@dataclass(frozen=True)
class Starting(Scene):
    """The device starts; nothing is known yet."""


@dataclass(frozen=True)
class Unpaired(Scene):
    """The device belongs to no fleet yet, or no longer. `code` is shown big while an operator has to compare it."""

    pairing: Pairing
    code: str
    device: str


@dataclass(frozen=True)
class Idle(Scene):
    """The clerk's card and the window. `card` is None while the fleet has given this device no window."""

    card: WindowCard | None
    hall: Words | None
    notice: Words | None
    ratings_paused: bool
    uninvited: bool
    """Whether somebody pressed although no service is to be rated."""
    identify: str
    """The device's name while the operations desk wants to know which one it is, else empty."""
    resting: bool = False
    """Whether nobody is asked because the power is out and the battery has to last."""


@dataclass(frozen=True)
class Ask(Scene):
    """The question with its five answers. `correcting`: the same question again after 改一下."""

    item: Words | None
    case_tail: str
    card: WindowCard | None
    left_s: int
    of_s: float
    correcting: bool
    pressed: int | None
    """The level on its way to the disk; its card stays pressed and no other answer is taken."""


@dataclass(frozen=True)
class Reasons(Scene):
    """Thanks, and reasons to choose from. `correction_s` is 0 when 改一下 is no longer offered."""

    level: int
    tags: tuple[Tag, ...]
    chosen: frozenset[str]
    correction_s: int
    left_s: int
    of_s: float


@dataclass(frozen=True)
class Receipt(Scene):
    """The code to take home."""

    code: str
    hall: Words | None
    card: WindowCard | None
    left_s: int
    of_s: float


@dataclass(frozen=True)
class Failed(Scene):
    """The press could not be recorded, and the screen says so."""

    reason: str
    left_s: int
    of_s: float
