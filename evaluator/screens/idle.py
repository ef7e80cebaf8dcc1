"""Idle: who sits here, what this window does, whether it serves, and the time."""

from evaluator.screens.view import View
from ui.language import words


class IdleView(View):
    """Draws scene.Idle."""


def clerk_line(card: object) -> str:
    """Number and post of the clerk in one line."""
    clerk = getattr(card, "clerk", None)
    if clerk is None:
        return ""
    parts = [words.t("idle.clerk_number", number=clerk.number), words.of(clerk.post)]
    return " · ".join(part for part in parts if part)


def spaced(name: str) -> str:
    """A two-character name with room between, as name plates have it."""
    return " ".join(name) if len(name) == 2 and not name.isascii() else name
