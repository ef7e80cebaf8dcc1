"""What tests of a whole hall share: waiting, reading the fleet's tables, and the plain errands at a window."""

import sqlite3
import time
from collections.abc import Callable
from typing import Any

from demo.device import Device
from demo.hall import Hall


def eventually(look: Callable[[], Any], *, within_s: float = 30.0) -> Any:
    """The first true thing that `look` sees."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.1)
    raise AssertionError(f"not within {within_s:.0f} s")


def rows(hall: Hall, query: str, *, file: str = "fleet.db") -> list[tuple[Any, ...]]:
    """What a query finds in one of the fleet's files."""
    with sqlite3.connect(f"file:{hall.fleet_data / file}?mode=ro", uri=True, timeout=10) as connection:
        return connection.execute(query).fetchall()


def counted(hall: Hall) -> int:
    """How many ratings count."""
    return int(rows(hall, "SELECT count(*) FROM ratings WHERE outcome = 'rated' AND standing_of = 'counted'")[0][0])


def invite(hall: Hall, device: Device) -> None:
    """A service is finished at the device's window; its screen asks."""
    assert hall.clerks is not None
    device.wait_screen("idle", within_s=60)
    hall.clerks.finish(device.window, item=hall.item_codes[0])
    device.wait_screen("ask", within_s=20)


def finish(device: Device) -> None:
    """After a press: no reasons, the receipt, and the screen is free again."""
    device.touch("done")
    device.wait_screen("receipt", within_s=10)
    device.touch("done")
    device.wait_screen("idle", within_s=20)
