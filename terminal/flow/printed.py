"""The part of a visit that puts notices on paper: whom the printer may print for, and what its answer means for the visit."""

from collections.abc import Callable

from terminal.flow.phrase import Phrase
from terminal.flow.places import Paper
from terminal.flow.ports import Outcome, Sheet, Subject
from terminal.flow.rated import RatedVisit


class PrintingVisit(RatedVisit):
    """A visit that prints; a finished print is a matter to rate."""

    def print_notice(self, subject: Subject) -> None:
        """Print the one-time notice, if the machine can print now."""
        session = self.session
        if session is None or self.content is None or session.desk.busy or not self.can_print:
            return
        sheet = Sheet(
            job_id=self._new_id().hex(),
            subject=subject,
            language=session.language,
            ticked=frozenset(session.ticks(subject)),
            masked_name=session.card.masked_name if session.card else "",
        )
        if not isinstance(session.place, Paper):
            session.trail.append(session.place)
            session.place = Paper()
        session.desk.send(sheet)
        self.idle.hold(session.desk.busy)
        self.changed()

    def print_again(self) -> None:
        """The same notice once more, after a failed or unclear print."""
        if self.session and self.session.desk.job and not self.session.desk.busy:
            self.print_notice(self.session.desk.job.sheet.subject)

    def paper_taken(self) -> None:
        """The printer said nothing, but the visitor holds the paper."""
        if self.session and self.session.desk.job:
            self.session.desk.taken()
            if self.session.desk.job.state == "taken":
                self._finish_matter(self.session.desk.job.sheet.subject)
            self.changed()

    def _asked_paper(self, sheet: Sheet, kept: Callable[[bool], None]) -> None:
        session = self.session
        if session is None:
            return

        def told(is_kept: bool) -> None:
            kept(is_kept)
            if self.session is session:
                self.idle.hold(session.desk.busy)
                self.changed()

        self._diary.print_asked(sheet, session=session.id, done=told)

    def _paper_finished(self, sheet: Sheet, outcome: Outcome, reason: Phrase, evidence: str) -> None:
        session = self.session
        if session is None:
            return
        self._diary.print_finished(sheet, session=session.id, outcome=outcome, reason=reason, evidence=evidence)
        if outcome == "printed":
            session.did("notice")
            self._finish_matter(sheet.subject)
        self.idle.hold(False)
        self._printed_ms = self._clock.monotonic_ms()
        self.changed()
