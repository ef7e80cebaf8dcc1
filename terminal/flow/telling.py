"""How a reading becomes phrases: lines, choices with their number, pages, what is new; private words are masked. Pure."""

import re
from collections.abc import Callable, Sequence

from terminal.flow.phrase import Phrase, phrase
from terminal.flow.reading import Choice, Line, Reading

MayHear = Callable[[bool], bool]
"""Whether words may be heard, given whether they are private."""
_DIGITS = re.compile(r"\d+")


def line(one: Line, may_hear: MayHear) -> Phrase | str:
    """A line of the screen, or that it is masked."""
    return one.text if may_hear(one.private) else phrase("keys.masked")


def lines(many: Sequence[Line], may_hear: MayHear) -> list[Phrase | str]:
    """Several lines; masked ones that follow each other are one."""
    said: list[Phrase | str] = []
    for each in many:
        part = line(each, may_hear)
        if isinstance(part, str) or not said or said[-1] != part:
            said.append(part)
    return said


def choice(reading: Reading, at: int, may_hear: MayHear) -> Phrase:
    """What enter would choose: 第 2 项，共 7 项：…"""
    one = reading.ring[at]
    text: Phrase | str = line(one.line, may_hear)
    if one.ticked is not None and may_hear(one.line.private):
        text = phrase("keys.ticked" if one.ticked else "keys.not_ticked", text=text)
    if at >= len(reading.choices):
        return phrase("keys.bar", text=text)
    return phrase("keys.choice", at=at + 1, of=len(reading.choices), text=text)


def extent(reading: Reading) -> list[Phrase | str]:
    """Which page of how many, where there are several."""
    return [phrase("keys.page", page=reading.page + 1, pages=reading.pages)] if reading.pages > 1 else []


def hides(reading: Reading, may_hear: MayHear) -> bool:
    """Whether something on the screen is masked."""
    private = any(each.private for each in (reading.headline, *reading.lines, *(choice.line for choice in reading.ring)))
    return private and not may_hear(True)


def news(before: Reading, now: Reading) -> list[Line]:
    """Lines that were not there before. What only counts, seconds or ticks, is no news."""
    known = {_uncounted(each.text) for each in (before.headline, *before.lines)}
    return [each for each in (now.headline, *now.lines) if _uncounted(each.text) not in known]


def same(before: Choice | None, now: Choice) -> bool:
    """Whether a choice still says the same, but for what counts."""
    return before is not None and before.ticked == now.ticked and _uncounted(before.line.text) == _uncounted(now.line.text)


def _uncounted(text: str) -> str:
    return _DIGITS.sub("#", text)
