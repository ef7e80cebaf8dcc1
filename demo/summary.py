"""The demonstration's verdict: what people saw, what devices wrote, what the fleet holds, side by side."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import asdict
from typing import Any

from demo import account
from demo.hall import Hall
from demo.people import Tally

SETTLE_S = 60.0
"""How long everything may take to be handed over after the last visitor left."""


def sum_up(hall: Hall, tally: Tally) -> dict[str, Any]:
    """Compare both sides' books. `ok` only if nothing was lost, duplicated or unverified."""
    found = account.settle(hall.data_dirs, hall.fleet_data, within_s=SETTLE_S)
    pressed = sum(tally.pressed.values())
    ratings = _stored(hall, pressed)
    chain = json.loads(hall.nw_fleet("verify", "--json"))
    paper = _papers(hall)
    errors = [*hall.processes.errors, *tally.puzzled]
    ok = (
        found.is_whole
        and pressed <= ratings["stored"] <= pressed + tally.unsure
        and chain["journals"] == chain["verified"]
        and not errors
    )
    return {
        "ok": ok,
        "entries": asdict(found),
        "ratings": {
            "pressed": pressed,
            **ratings,
            "unsure": tally.unsure,
            "skipped": tally.skipped,
            "refused": tally.refused,
            "services": tally.services,
        },
        "prints": {"asked": tally.papers, **paper},
        "visits": tally.visits,
        "cards": tally.cards,
        "chain": {"journals": chain["journals"], "verified": chain["verified"]},
        "errors": errors,
    }


def _rows(hall: Hall, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{hall.fleet_data / 'fleet.db'}?mode=ro", uri=True, timeout=10) as connection:
        return connection.execute(query).fetchall()


def _stored(hall: Hall, pressed: int) -> dict[str, Any]:
    """Ratings in the fleet's read model, once it has caught up."""
    deadline = time.monotonic() + SETTLE_S
    query = "SELECT level, count(*) FROM ratings WHERE standing_of = 'counted' AND outcome = 'rated' GROUP BY level"
    while True:
        by_level = {str(level): count for level, count in _rows(hall, query)}
        if sum(by_level.values()) >= pressed or time.monotonic() > deadline:
            return {"stored": sum(by_level.values()), "by_level": by_level}
        time.sleep(0.2)


def _papers(hall: Hall) -> dict[str, int]:
    outcomes = dict(_rows(hall, "SELECT outcome, count(*) FROM prints GROUP BY outcome"))
    return {name: outcomes.get(name, 0) for name in ("printed", "not_printed", "unknown")}
