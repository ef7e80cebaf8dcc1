"""Turns texts into index tokens, and queries into the full-text expressions that find them. Open this when search is slow.

FTS5 keeps for every token the rows that hold it, in row order, and rows are stored in rank order: so the first rows found
are the best ones, and a search stops as soon as it has enough. To keep every list of rows short, tokens are overlapping
grams: two characters of text, three initials, two syllables. A gram at the beginning of a text is stored a second time
before itself under another marker, which makes "begins with" a phrase of its own; a bare marker ends each text.
"""

from itertools import product
from typing import NamedTuple

from pack.fold import fold, units
from pack.match import LETTERS, Position, Query, forms, initials

MAX_PATHS = 24
_PART = 4
# The lengths, marker included, of token beginnings that are looked up while a syllable or word is still being typed.
PREFIX_LENGTHS = "2 3 4 5 6"


class Markers(NamedTuple):
    """First letters that keep the kinds of tokens apart: anywhere in a text, and at its beginning."""

    inside: str
    head: str


TEXT = Markers("t", "u")
INITIALS = Markers("i", "j")
PINYIN = Markers("p", "q")
WORD = Markers("w", "x")


def _grams(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(len(text))]


def _sealed(grams: list[str], markers: Markers) -> list[str]:
    """The tokens of one whole text."""
    return [markers.head + grams[0], *(markers.inside + gram for gram in grams), markers.inside]


def _syllable_grams(syllables: list[str]) -> list[str]:
    return [first + second for first, second in zip(syllables, [*syllables[1:], ""], strict=True)]


def index_tokens(text: str, variants: list[tuple[str, ...]]) -> list[str]:
    """All tokens under which `text`, read as in `variants`, is found."""
    folded = fold(text)
    if not folded.text:
        return []
    if folded.text.isascii():
        return _sealed(folded.word_texts(), WORD)
    tokens = _sealed(_grams(folded.text, 2), TEXT)
    pieces = units(folded.text)
    for letters in dict.fromkeys(initials(pieces, list(variant)) for variant in variants):
        tokens += _sealed(_grams(letters, 3), INITIALS)
    for variant in variants:
        tokens += _sealed(_syllable_grams(list(variant)), PINYIN)
    return tokens


class Syllables:
    """The syllables that occur in a pack, arranged to cut typed pinyin into them."""

    def __init__(self, syllables: list[str]) -> None:
        self._by_form: dict[str, list[str]] = {}
        self._by_beginning: dict[str, set[str]] = {}
        for syllable in syllables:
            for form in forms(syllable):
                self._by_form.setdefault(form, []).append(syllable)
                for length in range(1, len(form) + 1):
                    self._by_beginning.setdefault(form[:length], set()).add(syllable[:length])
        self._longest = max(map(len, self._by_form), default=0)

    def paths(self, typed: str) -> list[list[str]]:
        """The ways to read `typed` as whole syllables, the last of which may be unfinished; at most `MAX_PATHS`."""
        found: list[list[str]] = []
        open_paths: list[tuple[int, list[str]]] = [(0, [])]
        while open_paths and len(found) < MAX_PATHS:
            at, path = open_paths.pop()
            rest = typed[at:]
            found += [[*path, stem] for stem in sorted(self._by_beginning.get(rest, ()))]
            for length in range(1, min(self._longest, len(rest) - 1) + 1):
                for syllable in self._by_form.get(rest[:length], ()):
                    open_paths.append((at + length, [*path, syllable]))
        return found[:MAX_PATHS]


def _phrase(tokens: list[str], *, is_open: bool) -> str:
    """One phrase; of a long one only both ends and the middle are asked for, since every further list of rows costs time.

    `is_open` means that the last token is still being typed.
    """
    end = " *" if is_open else ""
    if len(tokens) <= 3 * _PART:
        return f'"{" ".join(tokens)}"{end}'
    middle = (len(tokens) - _PART) // 2
    first, inner, last = (" ".join(tokens[at:][:_PART]) for at in (0, middle, len(tokens) - _PART))
    return f'("{first}" AND "{inner}" AND "{last}"{end})'


def _anchored(grams: list[str], markers: Markers, position: Position) -> list[str]:
    inside = [markers.inside + gram for gram in grams]
    if position is Position.INSIDE:
        return inside
    head = markers.head + grams[0]
    return [head] if len(grams) == 1 else [head, *inside]


def _gram_phrase(text: str, size: int, markers: Markers, position: Position) -> str:
    if position is Position.EXACT:
        return _phrase(_sealed(_grams(text, size), markers), is_open=False)
    is_short = len(text) < size
    grams = [text] if is_short else _grams(text, size)[: len(text) - size + 1]
    return _phrase(_anchored(grams, markers, position), is_open=is_short)


def _open_phrase(whole: list[str], typed: list[str], markers: Markers, position: Position) -> str:
    if position is Position.EXACT:
        return _phrase(_sealed(whole, markers), is_open=False)
    return _phrase(_anchored(typed, markers, position), is_open=True)


def _pinyin_phrase(path: list[str], position: Position) -> str:
    grams = _syllable_grams(path)
    return _open_phrase(grams, grams[:-1] or path, PINYIN, position)


def expression(query: Query, position: Position, syllables: Syllables) -> str:
    """The FTS5 expression for everything that may match `query` at `position`; "" when nothing can.

    What it finds is a superset (long queries are asked for in parts): `pack.match.locate` has the last word.
    """
    phrases: list[str] = []
    if query.text:
        phrases.append(_gram_phrase(query.text, 2, TEXT, position))
    if query.words:
        phrases.append(_open_phrase(query.words, query.words, WORD, position))
    if query.latin:
        phrases.append(_gram_phrase(query.latin, 3, INITIALS, position))
        # One letter finds the same by initials, at a fraction of the cost.
        if len(query.latin) > 1 or position is Position.EXACT:
            phrases += [_pinyin_phrase(path, position) for path in syllables.paths(query.latin)]
    return " OR ".join(dict.fromkeys(phrases))


def keys_expression(digits: str) -> str:
    """The FTS5 expression for everything that may match letters typed on a telephone's keys: by the first three, and the last."""
    parts = dict.fromkeys((digits[:3], digits[-3:]))
    initials = " AND ".join(f"({_any_of(INITIALS, part, is_open=len(part) < 3)})" for part in parts)
    return f"({initials}) OR {_any_of(WORD, digits[:3], is_open=True)}"


def _any_of(markers: Markers, digits: str, *, is_open: bool) -> str:
    end = " *" if is_open else ""
    runs = product(*(digit + LETTERS[digit] for digit in digits))
    return " OR ".join(f'"{markers.inside}{"".join(run)}"{end}' for run in runs)
