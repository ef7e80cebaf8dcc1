"""A month of ratings, visits and prints of the invented hall, taken by the real intake with real signatures."""

import datetime as dt
import random
from typing import Any

from sqlalchemy import insert

from demo.seed.device import DAY_MS, SeedDevice
from fleet.ingest.directory import Directory
from fleet.ingest.intake import Intake
from fleet.ratings.tables import services
from fleet.services import Fleet
from fleet.store import open_store
from wire.kinds import PrintAsked, PrintFinished, SessionClosed, SessionOpened

HOUR_MS = 3_600_000
SHARES = {"12": 0.97, "06": 0.965, "07": 0.95, "21": 0.93, "17": 0.89}
"""How many of a window's ratings are good, by its number."""


def live_a_month(fleet: Fleet, devices: dict[str, SeedDevice], dice: random.Random, *, now_ms: int, days: int) -> None:
    """A month of ratings, visits and prints, taken by the intake as if day by day."""
    seal_key, clock = bytes(fleet.keys.seal.public_key), [0]
    store = open_store(fleet.config.database or fleet.data, writes="journal")
    intake = Intake(store, Directory(fleet.store), fleet.keys.signing, clock=lambda: clock[0])
    given: list[dict[str, Any]] = []
    midnight = now_ms - now_ms % DAY_MS - 8 * HOUR_MS
    for back in range(days - 1, -1, -1):
        start = midnight - back * DAY_MS + 9 * HOUR_MS
        for device in devices.values():
            for number in range(dice.randint(6, 11)):
                at = start + number * 40 * 60_000 + dice.randint(0, 20) * 60_000
                if at > now_ms - 20_000:
                    break
                _occasion(device, at, seal_key, dice, given)
        clock[0] = min(now_ms, start + 9 * HOUR_MS)
        for device in devices.values():
            intake.take(list(device.batches(fleet.config.tenant)))
    store.close()
    with fleet.store.write() as connection:
        connection.execute(insert(services), given)
    fleet.projection.catch_up()


def _occasion(device: SeedDevice, at: int, seal_key: bytes, dice: random.Random, given: list[dict[str, Any]]) -> None:
    if device.role == "terminal":
        session, job = dice.randbytes(16), dice.randbytes(6).hex()
        device.append("session.opened", SessionOpened(session=session), at_ms=at)
        device.append("print.asked", PrintAsked(job=job, what="notice", session=session), at_ms=at + 30_000)
        outcome = dice.choices(("printed", "not_printed", "unknown"), (95, 4, 1))[0]
        device.append("print.finished", PrintFinished(job=job, what="notice", outcome=outcome, session=session), at_ms=at + 40_000)  # type: ignore[arg-type]
        if dice.random() < 0.4:
            device.rate(_level(0.96, dice), at_ms=at + 50_000, seal_key=seal_key, dice=dice, stage="selfservice")
        how = dice.choices(("done", "timeout"), (85, 15))[0]
        closed = SessionClosed(session=session, how=how, matters=("search", "guide", "notice"), duration_ms=70_000)  # type: ignore[arg-type]
        device.append("session.closed", closed, at_ms=at + 70_000)
        return
    chance = dice.random()
    level = _level(SHARES.get(device.window, 0.95), dice) if chance < 0.72 else None
    device.rate(
        level,
        at_ms=at,
        seal_key=seal_key,
        dice=dice,
        clerk=f"1{device.window[-2:]}",
        item="000133001000",
        invited=chance < 0.7 or chance > 0.74,
    )
    if dice.random() < 0.3:
        local = dt.datetime.fromtimestamp(at / 1000, dt.UTC) + dt.timedelta(hours=8)
        row = {
            "occasion": dice.randbytes(16),
            "source": "api",
            "hall": device.hall,
            "window": device.window,
            "item": "",
            "stage": "finish",
        }
        given.append(row | {"clerk": "", "at_ms": at, "day": local.date().isoformat(), "hour": local.hour, "invited": False})


def _level(share: float, dice: random.Random) -> int:
    if dice.random() > share:
        return dice.choice((2, 2, 1))
    return dice.choices((5, 4, 3), (70, 24, 6))[0]
