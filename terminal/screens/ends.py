"""Where no visit is: goodbye with the card reminder, and the cabinet opened."""

from terminal.screens.view import View
from ui.language import words


class GoodbyeView(View):
    """Everything is cleared. A card still on the reader is what the screen shouts about."""

    def refresh(self) -> None:
        card = self.visit.card_on_reader
        self.ids.sign.name = "card" if card else "check"
        self.ids.title.text = words.t("leave.card" if card else "leave.title")
        if card:
            self.ids.advice.text = words.t("leave.card_do") + "\n" + words.t("leave.title")
        else:
            why = {"timeout": "leave.timeout", "power": "leave.power"}
            self.ids.advice.text = words.t(why.get(self.visit.ended_by or "", "leave.do"))


class SecuredView(View):
    """The cabinet's door is open."""
