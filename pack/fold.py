"""Reduces text to what is compared in a search, and keeps where each character came from. Open this for "why did it match".

Width, case and punctuation do not count: `（Ｃ１）驾驶证` folds to `c1驾驶证`. Folding works cluster by cluster (a character with
its combining marks), so the folded form of a part of a text is always a part of the text's folded form.
"""

import unicodedata
from functools import lru_cache
from typing import NamedTuple

_CONJOINING_JAMO = range(0x1160, 0x1200)  # Vowels and finals that join the Hangul letter before them.
_KEPT = ("L", "N", "M", "Co", "Cn")  # Letters, digits, marks, and code points this Python does not know yet.


class Folded(NamedTuple):
    """A folded text: `text[i]` stands for `original[starts[i]:ends[i]]`; `words` are indices where a word begins."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    words: tuple[int, ...]

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The half-open range in the original text that holds the folded characters `first` up to before `last`."""
        return self.starts[first], self.ends[last - 1]

    def word_texts(self) -> list[str]:
        """The folded words, in order."""
        stops = (*self.words[1:], len(self.text))
        return [self.text[start:stop] for start, stop in zip(self.words, stops, strict=True)] if self.text else []


@lru_cache(maxsize=16_384)
def _fold_cluster(cluster: str) -> str:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", cluster).casefold())
    return "".join(char for char in plain if unicodedata.category(char).startswith(_KEPT))


def _clusters(text: str) -> list[int]:
    """Where clusters begin; every character is its own cluster in text that is already composed."""
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return list(range(len(text)))
    return [
        index for index, char in enumerate(text) if index == 0 or not (unicodedata.combining(char) or ord(char) in _CONJOINING_JAMO)
    ]


def fold(text: str) -> Folded:
    """Fold `text`; an empty result means it holds nothing that can be searched for."""
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    words: list[int] = []
    begins = _clusters(text)
    in_word = False
    for start, end in zip(begins, [*begins[1:], len(text)], strict=True):
        folded = _fold_cluster(text[start:end])
        if folded and not in_word:
            words.append(len(chars))
        in_word = bool(folded)
        for char in folded:
            chars.append(char)
            starts.append(start)
            ends.append(end)
    return Folded("".join(chars), tuple(starts), tuple(ends), tuple(words))


def is_hanzi(char: str) -> bool:
    """Whether a folded character may have a pinyin reading."""
    return "\u3400" <= char <= "\u9fff" or "\U00020000" <= char <= "\U0003ffff" or char == "〇"


def units(folded: str) -> list[str]:
    """Cut folded text into what is read as one: a run of Latin letters and digits, or a single other character."""
    found: list[str] = []
    for char in folded:
        if char.isascii() and found and found[-1].isascii():
            found[-1] += char
        else:
            found.append(char)
    return found


def latin(text: str) -> str:
    """What was typed, as plain Latin letters and digits, or "" when it holds anything else.

    Tone marks fall away and ü becomes v, as on a keyboard: `lǜ sè` → `lvse`.
    """
    plain = unicodedata.normalize("NFD", text.casefold()).replace("u\u0308", "v").replace("u\u0304\u0308", "v")
    folded = fold("".join(char for char in plain if not unicodedata.combining(char))).text
    return folded if folded.isascii() else ""
