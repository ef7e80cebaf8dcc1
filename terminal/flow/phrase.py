"""A text that is not yet in any language: its id and arguments. The flow speaks in phrases, screens and paper translate."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Phrase:
    """One translatable sentence: `id` names it in the catalogues, `args` fill its named placeholders."""

    id: str
    args: Mapping[str, object] = field(default_factory=dict)


NOTHING = Phrase("")
"""No sentence at all."""


def phrase(message_id: str, **args: object) -> Phrase:
    """A phrase with its arguments: `phrase("idle.left", seconds=20)`."""
    return Phrase(message_id, args)
