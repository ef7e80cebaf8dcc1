"""A record before it is interpreted: which fields it speaks of, where each value stood, and what nobody recognises."""

from dataclasses import dataclass, field
from typing import Any

from fleet.hall.importer.told import Told


@dataclass
class Cell:
    """A value as found (text, or what JSON held) and the column or key it stood in."""

    value: Any
    column: str


@dataclass
class Raw:
    """One row. `fields` by canonical field name (see `headers.SYNONYMS`); `kept` by the file's own column name."""

    row: int
    fields: dict[str, Cell] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)


class FileRefused(ValueError):
    """A file that cannot be read at all; the message, `told` in both languages, says why and what to do."""

    def __init__(self, told: Told) -> None:
        super().__init__(told.en)
        self.told = told
