"""Self-test of a code scanner: its light, and one code held up."""

from __future__ import annotations

from hal.api import Scanned, Scanner, ScanRefused
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Reads one code; of its text only the length is shown, because it may be somebody's."""
    scanner: Scanner = bench.peripheral(section)
    bench.say("Hold a QR or bar code in front of the scanner, for example from a printed notice.")
    scanner.trigger(True)
    event = bench.wait(Scanned, ScanRefused)
    scanner.trigger(False)
    if isinstance(event, Scanned):
        return [Step("read a code", True, f"{len(event.text)} characters")]
    return [Step("read a code", False, event.reason if isinstance(event, ScanRefused) else bench.nothing)]
