"""Self-test of a camera: one QR code held up."""

from __future__ import annotations

from hal.api import Camera, LookEnded, Scanned, ScanRefused
from hal.config import Section
from hal.selftest.bench import Bench, Step
from hal.selftest.scanner import scan_step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Looks for one code; of its text only the length is shown, because it may be somebody's."""
    camera: Camera = bench.peripheral(section)
    bench.say("do.show")
    camera.look(bench.wait_s)
    event = bench.wait(Scanned, ScanRefused, LookEnded)
    camera.stop_looking()
    if event is None or isinstance(event, LookEnded):
        # A camera that failed has said so as its health.
        health = camera.health()
        return [bench.silent("step.scan") if health.state == "ok" else Step("step.scan", False, health.reason, health.args)]
    return [scan_step(event)]
