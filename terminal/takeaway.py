"""The text a phone takes away in a QR code: the answers that matter, small enough to be read off a screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pack.model import Language, Place
from terminal.flow.answers import Answers, Bring, checklist, where
from terminal.flow.phrase import joined, spoken
from terminal.flow.ports import Content, Subject
from terminal.flow.tree import TreeBroken, situation

MOST_BYTES = 640
"""UTF-8 bytes in one code. At 213 Hanzi and error correction M a code has about 101 modules a side, which a cheap phone
reads from a 21-inch panel at arm's length; more would only fit, not be read."""

Say = Callable[..., str]


@dataclass(frozen=True)
class TakenText:
    """What the code holds. `shortened` tells that not all materials are in it, and the text says so itself."""

    name: str
    text: str
    shortened: bool


def item_text(said: Answers, say: Say) -> TakenText:
    """The core of a guide in words: materials, place, time, fee, phone."""
    place = _with_windows(said.where, said.windows, say)
    tail = [
        say("take.text_where") + place if place else "",
        say("take.text_long") + spoken(said.how_long, say) if said.how_long.id else "",
        say("take.text_fee") + joined(said.how_much, say, mark=say("list.semicolon")),
        say("take.text_phone") + said.phone if said.phone else "",
    ]
    return _fitted(said.name, said.bring, tail, say)


def plan_text(content: Content, subject: Subject, language: Language, say: Say) -> TakenText | None:
    """The core of a life event's situation: its items and where each is handled. None when the content lacks it."""
    scenario = content.scenario(subject.scenario)
    if scenario is None:
        return None
    try:
        chosen = situation(scenario, subject.situation)
    except TreeBroken:
        return None
    items = [item for item in map(content.item, chosen.items) if item is not None]
    listed = say("list.comma").join((item.short_name or item.name).get(language) for item in items)
    tail = [
        say("take.text_items") + listed,
        say("take.text_where") + place if (place := _plan_place(scenario.place, language, say)) else "",
        say("take.text_phone") + content.hall.phone if content.hall.phone else "",
    ]
    name = f"{scenario.name.get(language)} · {chosen.name.get(language)}"
    return _fitted(name, checklist(items, language), tail, say)


def _plan_place(place: Place | None, language: Language, say: Say) -> str:
    return _with_windows(where(place, language), place.windows if place else (), say)


def _with_windows(place: str, windows: Sequence[str], say: Say) -> str:
    said = say("guide.windows", windows=say("list.comma").join(windows)) if windows else ""
    return " ".join(filter(None, [place, said]))


def _fitted(name: str, bring: Sequence[Bring], tail: list[str], say: Say) -> TakenText:
    """The longest form that fits: materials with their kinds, then names alone, then as many names as fit."""
    full = [say("take.text_material", name=row.name, about=spoken(row.about[0], say)) if row.about else row.name for row in bring]
    short = [row.name for row in bring]
    for rows in (full, short):
        text = _text(name, rows, tail, say)
        if len(text.encode()) <= MOST_BYTES:
            return TakenText(name, text, shortened=False)
    for count in range(len(short) - 1, -1, -1):
        more = say("take.text_more", count=len(short))
        text = _text(name, [*short[:count], more], tail, say)
        if len(text.encode()) <= MOST_BYTES:
            return TakenText(name, text, shortened=True)
    cut = text.encode()[: MOST_BYTES - 3].decode(errors="ignore") + "…"
    return TakenText(name, cut, shortened=True)


def _text(name: str, rows: list[str], tail: list[str], say: Say) -> str:
    bring = say("take.text_bring") + say("list.comma").join(rows) if rows else ""
    return "\n".join(filter(None, [name, bring, *tail]))
