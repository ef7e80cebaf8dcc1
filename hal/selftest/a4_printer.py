"""Self-test of the A4 printer: one sheet with a frame at its edges and a line of text."""

from __future__ import annotations

import queue
import time

from hal.api import Document, Outcome
from hal.config import Section
from hal.selftest.bench import Bench, Step
from hal.selftest.printer import SPARE_S, outcome_step

PRINTS_S = 60.0
"""A laser printer warms up first."""


def steps(bench: Bench, section: Section) -> list[Step]:
    """Prints the sheet and waits for its outcome."""
    outcomes: queue.Queue[Outcome] = queue.Queue()
    bench.say("do.printing")
    deadline_s = max(PRINTS_S, bench.wait_s)
    document = Document(f"self-test-{time.time_ns()}", sheet(section.name), deadline_s=deadline_s)
    bench.peripheral(section).submit(document, outcomes.put)
    return [outcome_step(outcomes, deadline_s + SPARE_S)]


def sheet(name: str) -> bytes:
    """The test sheet as PDF 1.4: A4, a frame 10 mm from the edges, the name of the section (ASCII) in a font every printer has."""
    drawn = f"28 28 539 786 re S BT /F 24 Tf 60 740 Td (Nightwindow A4 test: {name}) Tj ET".encode("ascii")
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
    ]
    text, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(text))
        text += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return text + b"xref\n0 5\n0000000000 65535 f \n%strailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (table, len(text))
