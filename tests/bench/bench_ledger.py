"""The public ledger's speed: a day of 100,000 leaves, a proof among a million, the stand-alone verifier over a month of them.

Leaves are real commitments with real openings. They are made from 2,000 scalars by adding, which is quicker than making each
anew and costs the same to check. Rows go into the read model directly; making them from entries is `./run bench ratings`.
"""

import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from nacl import bindings as sodium
from nacl.signing import SigningKey
from sqlalchemy import insert

from fleet.ratings.ledger import entries, ledger_verify
from fleet.ratings.ledger.cells import ORDER
from fleet.ratings.ledger.dump import dump_lines
from fleet.ratings.ledger.entries import Entry, rating
from fleet.ratings.ledger.service import Ledger
from fleet.ratings.tables import ratings
from fleet.registry.records import Hall, Tenant
from fleet.registry.service import Registry
from fleet.store import create_store, open_store
from wire.leaf import LEVEL_POINTS, leaf, new_secret, scalar

DAY, WINDOWS, BASES = 100_000, 2_000, 1_000
MONTH_DAYS = 10
DAY_MS = 86_400_000
BEGIN_MS = 1_792_771_200_000
"""2026-10-24 00:00 in the hall: the month's days here are the 21st to the 31st, the last one empty."""
BLANK = {"journal_no": 1, "device": "nwbench", "hall": "yunxi", "clerk": "", "item": "", "stage": "", "channel": "window"}
BLANK |= {"occasion": None, "at_ms": BEGIN_MS + DAY_MS, "clock_trust": 2, "day": "2026-10-30", "hour": 9, "presses": 1}
BLANK |= {"via": "touch", "standing_of": "counted", "outcome": "rated", "how": "done", "reasons": [], "tag_set": "1"}
BLANK |= {"language": "zh", "profile": "standard", "duration_ms": 0}
PROOFS = 2_000


class Leaves:
    """Commitments r·G + H_level with r the sum of two of a few scalars: one addition each."""

    def __init__(self) -> None:
        self._dice = random.Random(1)
        self._low = [scalar(new_secret()) for _ in range(BASES)]
        self._high = [scalar(new_secret()) for _ in range(BASES)]
        self._points = [sodium.crypto_scalarmult_ed25519_base_noclamp(each) for each in self._low]
        high = [sodium.crypto_scalarmult_ed25519_base_noclamp(each) for each in self._high]
        self._levels = {
            level: [sodium.crypto_core_ed25519_add(each, point) for each in high] for level, point in LEVEL_POINTS.items()
        }
        self._next = 0

    def make(self) -> tuple[int, bytes, bytes]:
        """Level, scalar and leaf; no two are alike."""
        one, other = divmod(self._next, BASES)
        self._next += 1
        level = self._dice.choices((5, 4, 3, 2, 1), (70, 20, 6, 3, 1))[0]
        total = int.from_bytes(self._low[one % BASES], "little") + int.from_bytes(self._high[other], "little")
        made = sodium.crypto_core_ed25519_add(self._points[one % BASES], self._levels[level][other])
        return level, (total % ORDER).to_bytes(32, "little"), made


def run() -> dict[str, Any]:
    """Measure; gives name, figures and conditions."""
    with tempfile.TemporaryDirectory(prefix="nw-bench-") as folder:
        create_store(folder)
        store = open_store(folder, writes="fleet")
        now = [BEGIN_MS]
        registry = Registry(store)
        registry.put(Tenant(name="county", title={"zh": "county"}))
        registry.put(Hall(code="yunxi", tenant="county", title={"zh": "云溪"}))
        ledger = Ledger(store, registry, tenant="county", key=SigningKey(b"\x02" * 32), clock_ms=lambda: now[0])
        leaves = Leaves()
        for number in range(MONTH_DAYS - 1):
            _append(ledger, leaves, number)
        took = _real_day(ledger, now)
        cold, warm = _proofs(ledger)
        dump = Path(folder) / "dump"
        dump.write_text("".join(dump_lines(ledger, "2026-10")), encoding="utf-8")
        verified, spent = _verify(dump)
        size = dump.stat().st_size
        store.close()
    return {
        "name": "ledger",
        "figures": [
            _figure(f"a day of {DAY:,} leaves gathered, appended and signed", took["day"], "s", 10),
            _figure("the same in CPU time", took["day_cpu"], "s", None),
            _figure(f"a month's {MONTH_DAYS * DAY:,} leaves summed and published", took["month"], "s", None),
            _figure("the same in CPU time", took["month_cpu"], "s", None),
            _figure("inclusion proof among 1,000,000, tile not in memory, median", cold, "ms", 1),
            _figure("inclusion proof among 1,000,000, tile in memory, median", warm, "ms", 1),
            _figure(f"stand-alone verifier, {MONTH_DAYS * DAY:,} leaves of {WINDOWS:,} windows", verified, "s", 120),
            _figure("the same in CPU time of all its processes", spent, "s", None),
            _figure("its input", size / 1e6, "MB", None),
        ],
        "conditions": {
            "database": "SQLite, synchronous=FULL, rollback journal",
            "leaves": "real commitments; the verifier checks every point and every sum",
            "proof": "read through one SQL connection, as the API does",
            "machine": f"{os.cpu_count()} cores; the verifier uses all",
        },
    }


def _append(ledger: Ledger, leaves: Leaves, number: int) -> None:
    """A day of the month, put into the log directly."""
    label = f"2026-10-{21 + number:02d}"
    with ledger.store.write() as connection:
        before = ledger.log.head(connection)
        batch = [*_entries(leaves, number), *_told(label, before)]
        ledger.log.append(connection, label, batch, now_ms=BEGIN_MS)


def _entries(leaves: Leaves, number: int) -> Iterator[Entry]:
    for arrival in range(number * DAY, (number + 1) * DAY):
        level, opened, made = leaves.make()
        window = str(arrival % WINDOWS)
        yield rating(made, hall="yunxi", window=window, standing="counted", arrival=arrival, level=level, scalar=opened)


def _told(label: str, before: Any) -> list[Entry]:
    return [entries.day(label, DAY), *([entries.head(before.size, before.root)] if before else [])]


def _real_day(ledger: Ledger, now: list[int]) -> dict[str, float]:
    """The last full day through the service, from rows of the read model to the signed head; then an empty day and the cells."""
    rows = []
    for number in range(DAY):
        secret, level = new_secret(), 5 - number % 5
        rows.append(
            BLANK
            | {"rating": number.to_bytes(16, "big"), "window": str(number % WINDOWS), "level": level, "secret": secret}
            | {"leaf": leaf(level, secret)}
        )
    with ledger.store.write() as connection:
        connection.execute(insert(ratings), rows)
    now[0] = BEGIN_MS + 8 * DAY_MS + 3_600_000
    started, begun = time.perf_counter(), time.process_time()
    ledger.append_day(date(2026, 10, 30))
    appended, spent = time.perf_counter(), time.process_time()
    ledger.append_day(date(2026, 10, 31))
    month = time.perf_counter() - appended
    return {"day": appended - started, "day_cpu": spent - begun, "month": month, "month_cpu": time.process_time() - spent}


def _proofs(ledger: Ledger) -> tuple[float, float]:
    """Milliseconds for a proof: its tile read from the database and hashed, and already in memory."""
    dice, cold, warm = random.Random(2), [], []
    with ledger.store.read() as connection:
        head = ledger.log.head(connection)
        assert head is not None
        for _ in range(PROOFS):
            position = dice.randrange(head.size)
            for times in (cold, warm):
                started = time.perf_counter()
                ledger.log.inclusion(connection, position, head.size)
                times.append((time.perf_counter() - started) * 1000)
    return statistics.median(cold), statistics.median(warm)


def _verify(dump: Path) -> tuple[float, float]:
    """Seconds of wall clock and of CPU of the verifier as a process of its own."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, str(ledger_verify.__file__), str(dump)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the verifier found faults in an honest month: {done.stdout}{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - started, spent


def _figure(name: str, value: float, unit: str, limit: float | None) -> dict[str, Any]:
    told = f"under {limit} {unit}" if limit is not None else None
    return {"name": name, "value": value, "unit": unit, "limit": told, "ok": None if limit is None else value < limit}
