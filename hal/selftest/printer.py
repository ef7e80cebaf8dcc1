"""Self-test of a receipt printer: a page with everything that a receipt may need."""

from __future__ import annotations

import queue
import time

from hal.api import Block, Job, Outcome
from hal.config import Section
from hal.paper import Columns, Cut, Feed, Qr, Rule, Text
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Prints the test page and waits for its outcome."""
    outcomes: queue.Queue[Outcome] = queue.Queue()
    bench.say("A test page is being printed.")
    deadline_s = max(5.0, bench.wait_s)
    job = Job(f"self-test-{time.time_ns()}", page(section.settings.profile), deadline_s)
    bench.peripheral(section).submit(job, outcomes.put)
    try:
        outcome = outcomes.get(timeout=deadline_s + 6)
    except queue.Empty:
        return [Step("print a page", False, "no outcome; this is a mistake in the driver, please report it")]
    return [Step("print a page", outcome.result == "printed", f"{outcome.result}, {outcome.reason} {outcome.detail}".strip())]


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
