"""One job on one printer: sent, watched, and given up when it does not get on; what it returns is what is known to be on the paper.

How it is known that paper came out: see `escpos_fences`. When the printer stops in the middle of a job it is told to drop
the rest, so that half a ticket does not come out an hour later; only its confirmation makes that "not printed", else, or when
the line was noisy, the outcome is "unknown".
"""

from __future__ import annotations

import threading
import time

from msgspec.structs import replace

from hal.api import Outcome
from hal.drivers import escpos_status
from hal.drivers.escpos import Encoded
from hal.drivers.escpos_profiles import Profile
from hal.drivers.escpos_talk import IDLE_S, SILENT, Talk, Timing

CHUNK = 512
SLOWEST_MM_PER_S = 50
"""A printer that confirms nothing is watched for as long as the slowest would print."""


class Watched:
    """Prints jobs over `talk`; `stop` ends whatever is under way."""

    def __init__(self, talk: Talk, profile: Profile, timing: Timing, stop: threading.Event) -> None:
        self._talk = talk
        self._profile = profile
        self._timing = timing
        self._stop = stop

    def print(self, job_id: str, encoded: Encoded, deadline_at_s: float) -> Outcome:
        """Send the job, whose fences are the talk's, and find out what became of it."""
        talk = self._talk
        outcome = Outcome(job_id, "unknown", "printer.no_status", talk.status, SILENT, paper_mm=encoded.paper_mm)
        dropped = talk.parser.dropped
        reason = self._send(encoded.data, deadline_at_s)
        if self._profile.tells == "nothing":
            return outcome
        if self._profile.tells == "realtime":
            return self._watch_status(outcome, reason, deadline_at_s)
        reason = reason or self._await_end(deadline_at_s)
        if reason is not None:
            outcome = self._give_up(outcome, reason, dropped)
        if talk.fences.end:
            return replace(outcome, result="printed", reason="hal.ok", after=talk.status, cut=encoded.cuts)
        return outcome

    def _over(self, deadline_at_s: float) -> str | None:
        if self._stop.is_set():
            return "job.stopped"
        return "job.deadline" if time.monotonic() >= deadline_at_s else None

    def _send(self, data: bytes, deadline_at_s: float) -> str | None:
        """Send in pieces and listen in between, so that sending ends soon after the printer stops; returns why."""
        at = 0
        while at < len(data):
            reason = self._over(deadline_at_s)
            if reason is None:
                at += self._talk.send(memoryview(data)[at : at + CHUNK])
                while self._talk.pump(0):
                    pass
                reason = self._talk.stopped_by()
            if reason is not None:
                return reason
        return None

    def _watch_status(self, outcome: Outcome, reason: str | None, deadline_at_s: float) -> Outcome:
        """What a printer's status alone tells of a job: trouble while it must have been printing, or nothing at all."""
        end_s = min(deadline_at_s, time.monotonic() + outcome.paper_mm / SLOWEST_MM_PER_S)
        while reason is None and time.monotonic() < end_s:
            self._talk.listen(lambda: False, min(self._timing.look_again_s, end_s - time.monotonic()))
            reason = escpos_status.trouble(self._talk.ask()) or ("job.stopped" if self._stop.is_set() else None)
        if reason is not None:
            self._talk.clear()
        self._talk.ask()
        return replace(outcome, reason=reason or outcome.reason, after=self._talk.status)

    def _await_end(self, deadline_at_s: float) -> str | None:
        """Wait until the printer has worked through the job; returns None, or what keeps it from that."""
        talk = self._talk
        quiet_since_s = time.monotonic()
        while not talk.fences.end:
            if talk.fences.proof_wanted:
                talk.fences.proof_wanted = False
                talk.ask_end()
            if talk.pump(IDLE_S):
                quiet_since_s = time.monotonic()
            elif time.monotonic() - quiet_since_s > self._timing.look_again_s:
                talk.ask()
                quiet_since_s = time.monotonic()
            reason = talk.stopped_by() or self._over(deadline_at_s)
            if reason is not None:
                return reason
        return None

    def _give_up(self, outcome: Outcome, reason: str, dropped: int) -> Outcome:
        """Stop a job that does not get on, find out how far it came, and say only what the printer confirmed."""
        talk = self._talk
        if reason.startswith("job."):
            talk.ask()
        sure = True
        if reason == "job.deadline" and escpos_status.trouble(talk.status) is None:
            # It works, so either it is slow or its answers were damaged on the way: it may answer once more.
            sure = False
            if talk.fences.can_ask_again:
                talk.ask_end()
                talk.listen(lambda: talk.fences.end, self._timing.proof_s)
        if talk.fences.end:
            return outcome
        talk.clear()
        if talk.status.answered:
            talk.ask()
        outcome = replace(outcome, reason=escpos_status.trouble(talk.status) or reason, after=talk.status)
        if talk.fences.content:
            return replace(outcome, result="printed")
        if talk.cleared and sure and talk.parser.dropped == dropped:
            return replace(outcome, result="not_printed", partial=True)
        return outcome
