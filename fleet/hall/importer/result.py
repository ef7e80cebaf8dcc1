"""What an import reads and reports. Open this to learn what `read_items` and `compare` give back."""

from typing import Literal

from msgspec import Struct

from fleet.hall.importer.told import Told
from pack.model import Department, Hall, Item, Scenario

Severity = Literal["error", "warning", "note"]
"""error: the row or file was refused · warning: something could not be interpreted and was kept as text, or was decided
by a rule that a person should know · note: cleaned without loss."""

MAX_PROBLEMS = 20_000
_SHOWN = 200


class Problem(Struct, frozen=True):
    """One finding. `row` counts as the file's own program does (from 1; 0 = the whole file); `value` is cut to 200 characters.

    `reason` is English, `reason_zh` the same in Chinese.
    """

    file: str
    row: int
    column: str
    value: str
    reason: str
    severity: Severity
    reason_zh: str


class ReadItem(Struct, frozen=True):
    """One item as read. `fields` names what the file spoke of (`guide.materials` for parts of the guide).

    A field that the file does not speak of stays as it is when the item already exists. `is_full` records replace
    everything.
    """

    item: Item
    row: int
    fields: frozenset[str]
    is_full: bool = False


class ReadResult(Struct, frozen=True):
    """Everything a file holds, with every problem. `refused` counts rows that gave no item; each has an error problem."""

    file: str
    items: tuple[ReadItem, ...] = ()
    departments: tuple[Department, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    hall: Hall | None = None
    problems: tuple[Problem, ...] = ()
    more_problems: int = 0
    """How many more there were beyond the first 20,000."""
    refused: int = 0
    refused_codes: frozenset[str] = frozenset()
    """Codes on refused rows, as far as they could be read: these items are not taken for withdrawn."""

    @property
    def is_readable(self) -> bool:
        """Whether anything at all came out of the file."""
        return bool(self.items or self.departments or self.scenarios or self.hall)


class ImportReport(Struct, frozen=True):
    """The summary a person sees before anything is written; the lists hold item codes."""

    file: str
    problems: tuple[Problem, ...]
    more_problems: int
    new: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    withdrawn: tuple[str, ...]
    refused: int

    def summary(self) -> str:
        """One sentence with the figures."""
        counts = {"new": self.new, "changed": self.changed, "unchanged": self.unchanged, "withdrawn": self.withdrawn}
        said = ", ".join(f"{len(codes)} {name}" for name, codes in counts.items())
        problems = len(self.problems) + self.more_problems
        return f"{self.file}: {said}, {self.refused} refused, {problems} problem(s)"


class ImportPlan(Struct, frozen=True):
    """What to write, all or nothing: records that are new or differ. Nothing when `blocked` says why not."""

    report: ImportReport
    items: tuple[Item, ...] = ()
    departments: tuple[Department, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    hall: Hall | None = None
    blocked: str = ""
    blocked_zh: str = ""


class Problems:
    """Collects the problems of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []
        self.more = 0

    def add(self, severity: Severity, row: int, column: str, value: object, reason: Told) -> None:
        """Keep one problem, or count it when there are very many."""
        if len(self.found) >= MAX_PROBLEMS:
            self.more += 1
            return
        self.found.append(Problem(self.file, row, column, str(value)[:_SHOWN], reason.en, severity, reason.zh))
