"""Figures of a device for the console's charts: what board and UPS tell, in few digits, so that they change seldom."""

from __future__ import annotations

from typing import cast

from hal.api import Board, Ups
from hal.factory import Hal

TOLD = ("memory_free_mb", "storage_used_life", "storage_errors", "unsafe_shutdowns")
"""Of the board's readings; its temperature and free disk are the agent's to tell, who lives when no face does."""


def gauges(hal: Hal) -> dict[str, float]:
    """`memory_free_mb` in steps of ten, `storage_used_life` in percent, `storage_errors`, `unsafe_shutdowns`, `ups_charge` in
    percent, `ups_runtime_min`; what is not fitted or not told is left out."""
    found: dict[str, float] = {}
    for board in cast(list[Board], hal.every("board")):
        readings = board.readings()
        found |= {name: readings[name] for name in TOLD if name in readings}
        if "memory_free_mb" in found:
            found["memory_free_mb"] = found["memory_free_mb"] // 10 * 10
    for ups in cast(list[Ups], hal.every("ups")):
        power = ups.power()
        if power.charge is not None:
            found["ups_charge"] = float(power.charge)
        if power.runtime_s is not None:
            found["ups_runtime_min"] = float(power.runtime_s // 60)
    return found
