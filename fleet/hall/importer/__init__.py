"""Reads item lists as halls really have them. `read_items` reads a file, `compare` says what importing it would change."""

from fleet.hall.importer.headers import Mapping, MappingInvalid, load_mapping
from fleet.hall.importer.plan import compare
from fleet.hall.importer.read import read_bytes, read_items
from fleet.hall.importer.result import ImportPlan, ImportReport, Problem, ReadItem, ReadResult

__all__ = [
    "ImportPlan",
    "ImportReport",
    "Mapping",
    "MappingInvalid",
    "Problem",
    "ReadItem",
    "ReadResult",
    "compare",
    "load_mapping",
    "read_bytes",
    "read_items",
]
