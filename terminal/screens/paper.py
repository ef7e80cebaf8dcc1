"""What became of the paper: printing, printed, not printed, or unknown; each with what to do next."""

from terminal.flow.places import TakeAway
from terminal.screens.view import View, say
from ui.language import words
from ui.theme import theme

SIGNS = {"sending": "wait", "printed": "check", "taken": "check", "not_printed": "warning", "unknown": "help", "refused": "info"}
BUTTONS = {
    "sending": (),
    "printed": ("done",),
    "taken": ("done",),
    "not_printed": ("take", "again"),
    "unknown": ("got_it", "again", "take"),
    "refused": ("take",),
}
"""The first one is the likeliest wish and stands out."""


class PaperView(View):
    """One large sign, one sentence, one line of advice, at most three buttons."""

    def refresh(self) -> None:
        job = self.visit.session.desk.job if self.visit.session else None
        if job is None:
            return
        self.ids.sign.name = SIGNS[job.state]
        self.ids.sign.color = theme.good if job.state in ("printed", "taken") else theme.action
        reason = say(job.reason)
        self.ids.title.text = words.t(f"paper.{job.state}", reason=reason)
        advice = "printed" if job.state == "taken" else job.state
        self.ids.advice.text = reason if job.state == "printed" and reason else words.t(f"paper.{advice}_do")
        self._offer(BUTTONS[job.state])

    def _offer(self, wanted: tuple[str, ...]) -> None:
        printing = self.visit.can_print
        names = [name for name in wanted if name != "again" or printing]
        for at, place in enumerate(("first", "second", "third")):
            button = self.ids[place]
            shown = at < len(names)
            button.opacity, button.disabled = (1, False) if shown else (0, True)
            button.height = theme.mm(27) if shown else 0
            button.text = words.t(f"paper.{names[at]}") if shown else ""
            button.name = names[at] if shown else ""

    def act(self, name: str) -> None:
        """A button was touched."""
        visit = self.visit
        if name == "done":
            visit.done()
        elif name == "got_it":
            visit.paper_taken()
        elif name == "again":
            visit.print_again()
        elif name == "take" and visit.session and visit.session.desk.job:
            subject = visit.session.desk.job.sheet.subject
            visit.go(TakeAway(subject.code, subject.scenario, subject.situation))
