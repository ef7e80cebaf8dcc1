"""Self-test of the UPS: what it says of itself, and a power cut of a few seconds."""

from __future__ import annotations

import time

from hal.api import PowerChanged, Ups
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Reads it, then waits until the mains are gone and back. The device is never switched off by the test."""
    ups: Ups = bench.peripheral(section)
    end_s = time.monotonic() + bench.wait_s
    while ups.power().state == "unknown" and time.monotonic() < end_s:
        time.sleep(0.05)
    power = ups.power()
    if power.state == "unknown":
        return [bench.silent("step.power")]
    found = [_read("step.power", power)]
    for what, state in (("unplug_mains", "battery"), ("plug_mains", "mains")):
        bench.say(f"do.{what}")
        step = _changes(bench, f"step.{what}", state)
        found.append(step)
        if not step.ok:
            break
    return found


def _changes(bench: Bench, what: str, state: str) -> Step:
    event: PowerChanged | None = bench.wait(PowerChanged)
    if event is None:
        return bench.silent(what)
    # A battery that is nearly empty at once is worth knowing: it counts as seen, and its state is shown.
    return _read(what, event, ok=event.state == state or (state == "battery" and event.state == "low"))


def _read(what: str, power: PowerChanged, *, ok: bool = True) -> Step:
    told = {"state": power.state, "charge": _known(power.charge), "runtime_s": _known(power.runtime_s)}
    return Step(what, ok, "seen.power", told)


def _known(value: int | None) -> str:
    return "?" if value is None else str(value)
