"""What the screen shows of a rating: its present stage as a scene."""

import math

from evaluator.flow.occasion import Occasion
from evaluator.flow.scene import Ask, Failed, Reasons, Receipt, Scene, Signs
from evaluator.flow.tags import TagSet
from wire.kinds import Language, Profile
from wire.messages import WindowCard, Words

CALM_S, STEP_S = 10, 5
"""While more than `CALM_S` are left the screen counts in steps of `STEP_S`: a number that jumps every second hurries people, and
each change draws the whole screen, perhaps just when somebody presses."""


def rating_scene(
    at: Occasion, shared: tuple[Signs, Language, Profile], *, card: WindowCard | None, hall: Words | None, tags: TagSet
) -> Scene:
    """The scene of a rating that is not over; `shared` is what every scene has."""
    left, of = told(at.left_s), at.of_s
    if at.trouble is not None:
        return Failed(*shared, at.trouble, left, of)
    if at.stage == "receipt":
        return Receipt(*shared, at.receipt, hall, card, left, of)
    if at.stage in ("thanked", "closing") and at.level is not None:
        chosen, correction = frozenset(at.reasons), math.ceil(at.correction_left_s)
        return Reasons(*shared, at.level, tags.of(at.level), chosen, correction, left, of)
    pressed = at.level if at.stage == "committing" else None
    return Ask(
        *shared,
        item=at.invitation.item_name,
        case_tail=at.invitation.case_tail,
        card=card,
        left_s=left,
        of_s=of,
        correcting=at.stage == "correcting",
        pressed=pressed,
    )


def told(left_s: float) -> int:
    """The seconds left as the screen tells them, never fewer than there are."""
    left = math.ceil(left_s)
    return left if left <= CALM_S else STEP_S * math.ceil(left / STEP_S)
