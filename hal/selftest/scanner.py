"""Self-test of a code scanner: its light, and one code held up."""

from __future__ import annotations

from hal.api import Scanned, Scanner, ScanRefused
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Reads one code; of its text only the length is shown, because it may be somebody's."""
    scanner: Scanner = bench.peripheral(section)
    bench.say("do.scan")
    scanner.trigger(True)
    event = bench.wait(Scanned, ScanRefused)
    scanner.trigger(False)
    if event is None:
        return [bench.silent("step.scan")]
    return [scan_step(event)]


def scan_step(event: Scanned | ScanRefused) -> Step:
    """The step that a code makes; also for a camera."""
    if isinstance(event, Scanned):
        return Step("step.scan", True, "seen.scanned", {"characters": str(len(event.text))})
    return Step("step.scan", False, event.reason)
