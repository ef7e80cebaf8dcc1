"""Counts what devices wrote against what the fleet holds, from both sides' own files: the demonstration's verdict."""

from __future__ import annotations

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

JOURNAL_FILE = re.compile(r"(evidence|ops)(\.\d+)?\.db")


@dataclass(frozen=True)
class Count:
    """Entries by where they are. `lost`: a device wrote it, the fleet does not hold that very entry.

    `duplicated`: the fleet holds the same signed entry in more than one place. An entry is known by its hash, which covers
    journal, number and content; the store's unique key forbids a second row under the same number only. That no *rating* is
    counted twice is another comparison: the occasions that the simulated citizens saw against the read model (demo.summary).
    """

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


def ends_of_deleted(fleet_data: Path, present: Iterable[object]) -> dict[object, tuple[int, object]]:
    """Last number and hash of journals whose file a device has deleted after they were archived, by journal id.

    Each successor names its predecessor in its first entry, signed; followed back from the journals that devices still have.
    """
    query = "SELECT journal_id, predecessor_id, predecessor_seq, predecessor_hash FROM journals WHERE predecessor_id IS NOT NULL"
    before = {
        journal_id: (older, (int(str(seq)), digest)) for journal_id, older, seq, digest in _rows(fleet_data / "entries.db", query)
    }
    here, found = set(present), {}
    for journal_id in here:
        while journal_id in before:
            journal_id, end = before[journal_id]
            if journal_id in here or journal_id in found:
                break
            found[journal_id] = end
    return found


def count(data_dirs: Iterable[Path], fleet_data: Path, *, leave_out: Collection[object] = ()) -> Count:
    """Compare once, but for the journals in `leave_out`."""
    # Pruning between two looks must not seem a loss: look at the devices' marks first and at the fleet last.
    dirs = list(data_dirs)
    cut, written = pruned(dirs), device_entries(dirs)
    for journal_id, (seq, digest) in ends_of_deleted(fleet_data, cut).items():
        cut[journal_id] = seq - 1
        written.add((journal_id, seq, digest))
    cut = {journal_id: through for journal_id, through in cut.items() if journal_id not in leave_out}
    written = {entry for entry in written if entry[0] not in leave_out}
    held = Counter({entry: times for entry, times in fleet_entries(fleet_data).items() if entry[0] not in leave_out})
    kept = {entry for entry in held if entry not in written and int(str(entry[1])) <= cut.get(entry[0], 0)}
    gone = sum(cut.values())
    places: Counter[object] = Counter()
    for (_, _, digest), times in held.items():
        places[digest] += times
    return Count(
        appended=len(written) + gone,
        in_custody=len(written & held.keys()) + len(kept),
        lost=len(written - held.keys()) + gone - len(kept),
        duplicated=sum(times - 1 for times in places.values()),
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
