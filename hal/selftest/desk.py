"""Self-test of the clerk's desk: somebody signs in and out from the PC, with nw-desk."""

from __future__ import annotations

import time

from hal.api import ClerkDesk, DeskAsked, DeskView
from hal.api.desk import SignIn, SignOut
from hal.config import Section
from hal.selftest.bench import Bench, Step


def steps(bench: Bench, section: Section) -> list[Step]:
    """Takes one command of each and answers it, as an evaluator would; nothing is kept of it."""
    desk: ClerkDesk = bench.peripheral(section)
    desk.show(DeskView(window="paused", trouble="none"))
    found = []
    for what, wanted in (("sign_in", SignIn), ("sign_out", SignOut)):
        bench.say(f"do.{what}")
        step = _asked(bench, desk, wanted, f"step.{what}")
        found.append(step)
        if not step.ok:
            break
    return found


def _asked(bench: Bench, desk: ClerkDesk, wanted: type[SignIn] | type[SignOut], what: str) -> Step:
    event = bench.wait(DeskAsked)
    if event is None:
        return bench.silent(what)
    fits = isinstance(event.wish, wanted)
    desk.answer(event.command, "accepted" if fits else "unreadable")
    # The answer goes out on the driver's beat; the port must stay open for it.
    time.sleep(min(1.0, bench.wait_s))
    return Step(what, fits, "seen.seen" if fits else "seen.other_wish")
