"""Decides whether and where a query lies in a text. This is the definition of the search; the index only makes it fast."""

from bisect import bisect_left
from enum import IntEnum
from functools import cached_property
from itertools import accumulate
from typing import Literal, NamedTuple

from pack.fold import Folded, fold, latin, units

Kind = Literal["text", "word", "pinyin", "initials", "code"]
MAX_QUERY = 200


class Position(IntEnum):
    """Where a match lies; lower ranks higher."""

    EXACT = 0
    PREFIX = 1
    INSIDE = 2


class Match(NamedTuple):
    """`start` and `end` are offsets in the original text, half open."""

    position: Position
    kind: Kind
    start: int
    end: int


class Query:
    """What somebody has typed so far."""

    def __init__(self, raw: str) -> None:
        raw = raw[: 2 * MAX_QUERY]
        folded = fold(raw)
        self.text = folded.text[:MAX_QUERY]
        self.latin = latin(raw)[:MAX_QUERY]
        self.latin_u = self.latin.replace("v", "u")
        self.words = folded.word_texts() if self.text.isascii() else []


class Term:
    """A searchable text with its readings: variants separated by `|`, syllables by spaces, as a pack stores them."""

    def __init__(self, text: str, readings: str = "") -> None:
        self.text = text
        self.readings = readings

    @cached_property
    def folded(self) -> Folded:
        """The text as it is compared."""
        return fold(self.text)

    @cached_property
    def units(self) -> list[str]:
        """The folded text cut into what is read as one."""
        return units(self.folded.text)

    @cached_property
    def bounds(self) -> list[int]:
        """The folded index where each unit begins, and the length at the end."""
        return [0, *accumulate(map(len, self.units))]

    @cached_property
    def variants(self) -> list["Variant"]:
        """The ways to read the text aloud."""
        return [Variant(self.units, spoken.split(" ")) for spoken in self.readings.split("|") if spoken]


class Variant:
    """One reading of a text, prepared for comparing: a syllable, and the letters typed for it, each unit."""

    def __init__(self, pieces: list[str], syllables: list[str]) -> None:
        self.syllables = syllables
        self.joined = "".join(syllables).replace("v", "u")
        self.starts = [0, *accumulate(map(len, syllables))]
        self.initials = initials(pieces, syllables)

    def find(self, query: "Query") -> tuple[int, int, bool] | None:
        """First and last unit (exclusive) that full pinyin touches, and whether the last was typed in full."""
        at = self.joined.find(query.latin_u)
        while at >= 0:
            unit = bisect_left(self.starts, at)
            if self.starts[unit] == at and (read := _pinyin_at(query.latin, self.syllables, unit)):
                return unit, *read
            at = self.joined.find(query.latin_u, at + 1)
        return None


def forms(syllable: str) -> tuple[str, ...]:
    """How people type a syllable: nü as `nv` or `nu`, ju also as `jv`."""
    if "v" in syllable and syllable[0] in "ln":
        return syllable, syllable.replace("v", "u")
    if syllable[:2] in ("ju", "qu", "xu", "yu"):
        return syllable, syllable[0] + "v" + syllable[2:]
    return (syllable,)


def _pinyin_at(query: str, syllables: list[str], start: int) -> tuple[int, bool] | None:
    """Read `query` from unit `start` on: the unit after the last one touched, and whether that one was typed in full."""
    reached = {0}
    for index in range(start, len(syllables)):
        following: set[int] = set()
        is_begun = False
        for offset in reached:
            rest = query[offset:]
            for form in forms(syllables[index]):
                if form == rest:
                    return index + 1, True
                is_begun = is_begun or form.startswith(rest)
                if rest.startswith(form):
                    following.add(offset + len(form))
        if is_begun:
            return index + 1, False
        if not following:
            return None
        reached = following
    return None


def initials(pieces: list[str], syllables: list[str]) -> str:
    """One letter a syllable; Latin runs keep all their letters and digits: ETC办理 is `etcbl`."""
    return "".join(piece if piece.isascii() else syllable[0] for piece, syllable in zip(pieces, syllables, strict=True))


def _position(start: int, is_whole: bool) -> Position:
    if start > 0:
        return Position.INSIDE
    return Position.EXACT if is_whole else Position.PREFIX


def _in_text(query: Query, term: Term) -> Match | None:
    if term.folded.text.isascii():
        return None
    start = term.folded.text.find(query.text)
    if start < 0:
        return None
    end = start + len(query.text)
    return Match(_position(start, end == len(term.folded.text)), "text", *term.folded.span(start, end))


def _in_words(query: Query, term: Term) -> Match | None:
    if not query.words or not term.folded.text.isascii():
        return None
    words = term.folded.word_texts()
    asked, last = query.words[:-1], query.words[-1]
    for at in range(len(words) - len(asked)):
        if words[at : at + len(asked)] == asked and words[at + len(asked)].startswith(last):
            begin = term.folded.words[at]
            end = term.folded.words[at + len(asked)] + len(last)
            return Match(_position(at, end == len(term.folded.text)), "word", *term.folded.span(begin, end))
    return None


def _in_pinyin(query: Query, term: Term) -> Match | None:
    best: Match | None = None
    for variant in term.variants:
        if (found := variant.find(query)) is None:
            continue
        start, last, is_full = found
        position = _position(start, is_full and last == len(variant.syllables))
        if best is None or position < best.position:
            best = Match(position, "pinyin", *term.folded.span(term.bounds[start], term.bounds[last]))
    return best


def _in_initials(query: Query, term: Term) -> Match | None:
    best: Match | None = None
    for variant in term.variants:
        start = variant.initials.find(query.latin)
        if start < 0:
            continue
        end = start + len(query.latin)
        position = _position(start, end == len(variant.initials))
        if best is None or position < best.position:
            best = Match(position, "initials", *_initials_span(term, start, end))
    return best


def _initials_span(term: Term, start: int, end: int) -> tuple[int, int]:
    """Every unit gave one letter, except Latin runs, which gave all of theirs."""
    owners = [unit for unit, piece in enumerate(term.units) for _ in (piece if piece.isascii() else "x")]
    return term.folded.span(term.bounds[owners[start]], term.bounds[owners[end - 1] + 1])


def locate(query: Query, term: Term) -> Match | None:
    """The best match of `query` in `term`, or None. Earlier positions win, then text, words, full pinyin, initials."""
    found = [_in_text(query, term), _in_words(query, term)] if query.text else []
    if query.latin:
        found += [_in_pinyin(query, term), _in_initials(query, term)]
    return min((match for match in found if match is not None), key=lambda match: match.position, default=None)


LETTERS = {"2": "abc", "3": "def", "4": "ghi", "5": "jkl", "6": "mno", "7": "pqrs", "8": "tuv", "9": "wxyz"}
"""The letters of a telephone's keys (ITU-T E.161)."""
_KEY_OF = str.maketrans({letter: digit for digit, letters in LETTERS.items() for letter in letters})


def locate_keys(digits: str, term: Term) -> Match | None:
    """The best match of pinyin initials, or of the beginning of a Latin word, typed on the keys of a telephone."""
    best: Match | None = None
    for variant in term.variants:
        start = variant.initials.translate(_KEY_OF).find(digits)
        if start < 0:
            continue
        position = _position(start, start + len(digits) == len(variant.initials))
        if best is None or position < best.position:
            best = Match(position, "initials", *_initials_span(term, start, start + len(digits)))
    if best is None and term.folded.text.isascii():
        for word, begin in zip(term.folded.word_texts(), term.folded.words, strict=True):
            if word.translate(_KEY_OF).startswith(digits):
                end = begin + len(digits)
                return Match(_position(begin, end == len(term.folded.text)), "word", *term.folded.span(begin, end))
    return best
