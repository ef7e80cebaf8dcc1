"""Receipt: a code to take home, made without any network, and what it is good for."""

from evaluator.flow.scene import Receipt
from evaluator.screens.view import View
from ui.language import words


class ReceiptView(View):
    """Draws scene.Receipt."""


def take_home(scene: Receipt, date: str) -> str:
    """What a phone reads from the QR code: plain text with code, place and day, useful without any network."""
    where = [words.of(scene.hall)]
    if scene.card is not None:
        where.append(words.t("idle.window", number=scene.card.number))
    return "\n".join([words.t("receipt.label") + " " + scene.code, " · ".join(filter(None, where)), date]).strip()
