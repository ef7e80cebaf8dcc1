"""Every place a visitor can be, as plain values. The screen shows a place; going back returns to the one before."""

from dataclasses import dataclass
from typing import Literal

Shelf = Literal["popular", "person", "company"]
"""A ready-made list of items: asked most, for people, for companies."""


@dataclass(frozen=True)
class Home:
    """What can be done here, six tiles and the search field."""


@dataclass(frozen=True)
class Search:
    """The keyboard, what was typed, and results with every key."""

    query: str = ""
    by_keys: bool = False
    """Whether the query is digits of a telephone's keys, each of which stands for three or four letters."""


@dataclass(frozen=True)
class Departments:
    """All departments of the hall that handle items."""


@dataclass(frozen=True)
class DepartmentItems:
    """The items of one department."""

    department: str


@dataclass(frozen=True)
class ShelfItems:
    """The items of a ready-made list."""

    shelf: Shelf


@dataclass(frozen=True)
class Windows:
    """Which window is where, with the hall's hours and phones."""


@dataclass(frozen=True)
class Guide:
    """The six answers about one item."""

    code: str


@dataclass(frozen=True)
class GuideDetails:
    """Everything else the guide says: conditions, steps, fees and their basis, questions, phones."""

    code: str


@dataclass(frozen=True)
class Scenarios:
    """Life events handled at once."""


@dataclass(frozen=True)
class Asking:
    """One question of a life event's tree."""

    scenario: str
    question: str


@dataclass(frozen=True)
class Plan:
    """What one situation of a life event needs: its items, and their materials merged."""

    scenario: str
    situation: str


@dataclass(frozen=True)
class TakeAway:
    """The guide's text as a QR code that needs no network. `code` is an item; or a plan's scenario and situation."""

    code: str = ""
    scenario: str = ""
    situation: str = ""


@dataclass(frozen=True)
class Paper:
    """A print under way or finished: printed, not printed, or unknown."""


@dataclass(frozen=True)
class Rate:
    """Five levels, asked by the terminal after a finished matter."""


@dataclass(frozen=True)
class Reasons:
    """Tags for the level pressed, with five seconds to correct it."""


@dataclass(frozen=True)
class Parting:
    """After a finished matter: the receipt code if something was rated, and 还要办别的 or 结束."""

    receipt: str = ""
    trouble: bool = False
    """A press could not be kept; the screen says so instead of thanking."""


Place = (
    Home
    | Search
    | Departments
    | DepartmentItems
    | ShelfItems
    | Windows
    | Guide
    | GuideDetails
    | Scenarios
    | Asking
    | Plan
    | TakeAway
    | Paper
    | Rate
    | Reasons
    | Parting
)
