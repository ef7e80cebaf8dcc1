"""Self-test of a receipt printer: a page with everything that a receipt may need."""

from __future__ import annotations

import queue
import time

from hal.api import Block, Job, Outcome
from hal.config import Section
from hal.paper import Columns, Cut, Feed, Qr, Rule, Text
from hal.selftest.bench import Bench, Step

SPARE_S = 6.0
"""A driver gives an outcome at the latest five seconds after the deadline."""


def steps(bench: Bench, section: Section) -> list[Step]:
    """Prints the test page and waits for its outcome."""
    outcomes: queue.Queue[Outcome] = queue.Queue()
    bench.say("do.printing")
    deadline_s = max(5.0, bench.wait_s)
    job = Job(f"self-test-{time.time_ns()}", page(section.settings.profile), deadline_s)
    bench.peripheral(section).submit(job, outcomes.put)
    return [outcome_step(outcomes, deadline_s + SPARE_S)]


def outcome_step(outcomes: queue.Queue[Outcome], within_s: float) -> Step:
    """The step that a print's outcome makes; also for sheets."""
    try:
        outcome = outcomes.get(timeout=within_s)
    except queue.Empty:
        return Step("step.print", False, "seen.no_outcome")
    told = {"result": outcome.result, "reason": outcome.reason, "detail": outcome.detail}
    return Step("step.print", outcome.result == "printed", "seen.outcome", told)


def page(profile: str) -> tuple[Block, ...]:
    """The test page: Chinese, Latin, sizes, columns, a QR code, a cut."""
    return (
        Text("打印测试", bold=True, size=2, align="centre"),
        Text("Nightwindow printer test", align="centre"),
        Rule(),
        Columns(("型号", profile), (12, 0)),
        Columns(("左", "中", "右"), (0, 0, 0), ("left", "centre", "right")),
        Text("大字", size=3),
        Text("0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz"),
        Qr("NIGHTWINDOW PRINTER TEST"),
        Feed(1),
        Cut(),
    )
