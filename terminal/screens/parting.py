"""After a finished matter: the receipt code if something was rated, then 继续办 or 结束并清除."""

from terminal.flow.places import Home
from terminal.screens.view import View
from ui.language import words
from ui.theme import theme


class PartingView(View):
    """Two equal ways on. A rating that could not be kept is admitted here."""

    def build(self) -> None:
        receipt, trouble = self.shown.receipt, self.shown.trouble
        title = "parting.trouble" if trouble else "parting.thanks" if receipt else "parting.more"
        self.ids.title.text = words.t(title)
        self.ids.said.text = words.t("parting.trouble_do") if trouble else ""
        self.ids.more.text = "" if title == "parting.more" else words.t("parting.more")
        self.ids.receipt.opacity = 1 if receipt else 0
        self.ids.receipt.height = theme.mm(64) if receipt else 0
        self.ids.code.text = receipt
        self.ids.image.data = receipt

    def go_on(self) -> None:
        """继续办: the same visit, from its first screen."""
        if self.visit.session and self.visit.place != Home():
            self.visit.home()
