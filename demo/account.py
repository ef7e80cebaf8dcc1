"""Counts what devices wrote against what the fleet holds, from both sides' own files: the demonstration's verdict."""

from __future__ import annotations

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

JOURNAL_FILE = re.compile(r"(evidence|ops)(\.\d+)?\.db")


@dataclass(frozen=True)
class Count:
    """Entries by where they are. `lost`: a device wrote it, the fleet does not hold that very entry. `duplicated`: held twice."""

    appended: int
    in_custody: int
    lost: int
    duplicated: int
    strange: int
    """Held by the fleet though no device wrote it."""

    @property
    def is_whole(self) -> bool:
        """Nothing lost, duplicated or invented."""
        return not (self.lost or self.duplicated or self.strange)


def _rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as connection:
        return connection.execute(query).fetchall()


def device_entries(data_dirs: Iterable[Path]) -> set[tuple[object, ...]]:
    """(journal id, seq, hash) of every entry that the devices' files hold; the hash is computed here from the header bytes."""
    from wire.entry import header_hash

    found: set[tuple[object, ...]] = set()
    for folder in data_dirs:
        for path in sorted(folder.glob("*.db")):
            if JOURNAL_FILE.fullmatch(path.name):
                [(journal_id,)] = _rows(path, "SELECT journal_id FROM journal")
                rows = _rows(path, "SELECT seq, header FROM entries")
                found |= {(journal_id, seq, header_hash(bytes(header))) for seq, header in rows}  # type: ignore[call-overload]
    return found


def pruned(data_dirs: Iterable[Path]) -> dict[object, int]:
    """How far each journal was pruned on its device: what the fleet must hold all the more."""
    found: dict[object, int] = {}
    for folder in data_dirs:
        for path in sorted(folder.glob("*.db")):
            if JOURNAL_FILE.fullmatch(path.name):
                [(journal_id, through)] = _rows(path, "SELECT journal_id, pruned_through FROM journal")
                found[journal_id] = int(str(through))
    return found


def fleet_entries(fleet_data: Path) -> Counter[tuple[object, ...]]:
    """How often the fleet's own table holds each entry."""
    query = "SELECT j.journal_id, e.seq, e.hash FROM entries e JOIN journals j ON j.no = e.journal_no"
    return Counter(_rows(fleet_data / "entries.db", query))


def count(data_dirs: Iterable[Path], fleet_data: Path) -> Count:
    """Compare once."""
    # Pruning between two looks must not seem a loss: look at the devices' marks first and at the fleet last.
    dirs = list(data_dirs)
    cut, written = pruned(dirs), device_entries(dirs)
    held = fleet_entries(fleet_data)
    kept = {entry for entry in held if entry not in written and int(str(entry[1])) <= cut.get(entry[0], 0)}
    gone = sum(cut.values())
    return Count(
        appended=len(written) + gone,
        in_custody=len(written & held.keys()) + len(kept),
        lost=len(written - held.keys()) + gone - len(kept),
        duplicated=sum(times - 1 for times in held.values()),
        strange=len(held.keys() - written) - len(kept),
    )


def settle(data_dirs: list[Path], fleet_data: Path, *, within_s: float) -> Count:
    """Compare until nothing is on its way any more, at most `within_s` seconds; gives the last comparison."""
    deadline = time.monotonic() + within_s
    while True:
        found = count(data_dirs, fleet_data)
        if found.lost == 0 or time.monotonic() > deadline:
            return found
        time.sleep(0.2)
