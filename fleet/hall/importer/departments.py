"""Finds a hall's departments by the names that lists give them, and makes codes for what has none."""

import hashlib
from collections.abc import Iterable

from fleet.hall.importer.headers import Mapping
from pack.fold import fold
from pack.model import Department, Text


def derived(prefix: str, *parts_: str) -> str:
    """A code made from what identifies a record, the same at every import."""
    return f"{prefix}{hashlib.sha256(chr(0).join(parts_).encode(errors='replace')).hexdigest()[:16]}"


class Departments:
    """Finds departments by code or name, and makes those that nobody has listed yet."""

    def __init__(self, known: Iterable[Department], mapping: Mapping) -> None:
        self.made: dict[str, Department] = {}
        self._by_name = {fold(name).text: code for name, code in mapping.departments.items()}
        for department in known:
            for name in (department.code, department.name.zh, department.short_name.zh):
                self._by_name.setdefault(fold(name).text, department.code)

    def known(self) -> set[str]:
        """Every code that a record may name."""
        return set(self._by_name.values())

    def code_of(self, name: str) -> str:
        """The code of the department with this code or name."""
        key = fold(name).text
        if key not in self._by_name:
            code = derived("d-", key)
            self._by_name[key] = code
            self.made[code] = Department(code=code, name=Text(zh=name), short_name=Text(zh=name))
        return self._by_name[key]
