"""Idle: who sits here, what this window does, whether it serves, and the time."""

from kivy.properties import BooleanProperty, ColorProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from evaluator.flow.scene import Idle
from evaluator.screens.view import View
from ui.language import words
from wire.messages import Clerk


class IdleView(View):
    """Draws scene.Idle. `message` is what has to be said at once; on a low panel it takes the place of other lines (`tight`)."""

    message = StringProperty("")
    tight = BooleanProperty(False)


def message_of(scene: Idle) -> str:
    """The one message that matters most, or nothing."""
    if scene.identify:
        return words.t("idle.identify", device=scene.identify)
    if scene.resting:
        return words.t("idle.resting")
    if scene.ratings_paused:
        return words.t("idle.ratings_paused")
    return words.t("idle.uninvited") if scene.uninvited else ""


class ClerkPanel(BoxLayout):
    """The clerk's card on a dark ground; `card` is a wire WindowCard or None."""

    card = ObjectProperty(None, allownone=True, rebind=True)
    dark = BooleanProperty(False)
    pen = ColorProperty("#FFFFFF")


def clerk_line(card: object) -> str:
    """Number and post of the clerk in one line."""
    clerk = getattr(card, "clerk", None)
    if clerk is None:
        return ""
    number = words.t("idle.clerk_number", number=clerk.number) if clerk.name else ""
    parts = [number, words.of(clerk.post)]
    return " · ".join(part for part in parts if part)


def clerk_title(clerk: Clerk) -> str:
    """The clerk's name; the number of one whose name the fleet has not told this window."""
    return spaced(clerk.name) or words.t("idle.clerk_number", number=clerk.number)


def spaced(name: str) -> str:
    """A two-character name with room between, as name plates have it."""
    return " ".join(name) if len(name) == 2 and not name.isascii() else name
