"""A text that is not yet in any language: its id and arguments. The flow speaks in phrases, screens and paper translate."""

from collections.abc import Callable, Iterable, Mapping
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


def spoken(value: "Phrase | str", say: Callable[..., str]) -> str:
    """The sentence in a language: `say(message_id, **args)` translates, phrases among the arguments are spoken first."""
    if isinstance(value, str):
        return value
    if not value.id:
        return ""
    args = {key: spoken(arg, say) if isinstance(arg, Phrase) else arg for key, arg in value.args.items()}
    return say(value.id, **args)


def joined(values: "Iterable[Phrase | str]", say: Callable[..., str], *, mark: str = " · ") -> str:
    """Several remarks on one line, without those that say nothing.

    A sentence among them loses its full stop: "证件在有效期内。 · 公安机关签发" would look like a mistake in any language.
    """
    said = [text for value in values if (text := spoken(value, say).strip())]
    if len(said) < 2:
        return "".join(said)
    return mark.join(text if text.endswith("..") else text.rstrip("。．.") for text in said)
