"""Reduces text to what is compared in a search, and keeps where each character came from. Open this for "why did it match".

Width, case and punctuation do not count: `（Ｃ１）驾驶证` folds to `c1驾驶证`. Folding works cluster by cluster (a character with
its combining marks), so the folded form of a part of a text is always a part of the text's folded form.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

_CONJOINING_JAMO = range(0x1160, 0x1200)  # Vowels and finals that join the Hangul letter before them.
_KEPT = ("L", "N", "M", "Co", "Cn")  # Letters, digits, marks, and code points this Python does not know yet.


class Folded(NamedTuple):
    """A folded text: `text[i]` stands for `original[starts[i]:ends[i]]`; `words` are indices where a word begins."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    words: tuple[int, ...]

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The half-open range in the original text that holds the folded characters `first` up to before `last`."""
        return self.starts[first], self.ends[last - 1]

    def word_texts(self) -> list[str]:
        """The folded words, in order."""
        stops = (*self.words[1:], len(self.text))
        return [self.text[start:stop] for start, stop in zip(self.words, stops, strict=True)] if self.text else []


# Text of these characters alone is its own folded form; most names are.
_PLAIN = re.compile(r"[0-9a-z\u4e00-\u9fff\uac00-\ud7a3]+")
_PIECE = re.compile(_PLAIN.pattern + "|.", re.DOTALL)


@lru_cache(maxsize=16_384)
def _fold_cluster(cluster: str) -> str:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", cluster).casefold())
    return "".join(char for char in plain if unicodedata.category(char).startswith(_KEPT))


def _clusters(text: str) -> Iterator[str]:
    """Each character with the marks that follow it, unless the text is composed already."""
    if unicodedata.is_normalized("NFC", text):
        yield from _PIECE.findall(text)
        return
    cluster = ""
    for char in text:
        if cluster and not (unicodedata.combining(char) or ord(char) in _CONJOINING_JAMO):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


def fold(text: str) -> Folded:
    """Fold `text`; an empty result means it holds nothing that can be searched for."""
    if _PLAIN.fullmatch(text):
        return Folded(text, range(len(text)), range(1, len(text) + 1), (0,))
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    words: list[int] = []
    at = 0
    in_word = False
    for cluster in _clusters(text):
        is_plain = len(cluster) > 1 and _PLAIN.fullmatch(cluster) is not None
        chars = cluster if is_plain else _fold_cluster(cluster)
        if chars and not in_word:
            words.append(len(starts))
        in_word = bool(chars)
        folded.append(chars)
        after = at + len(cluster)
        if is_plain:
            starts.extend(range(at, after))
            ends.extend(range(at + 1, after + 1))
        else:
            starts.extend([at] * len(chars))
            ends.extend([after] * len(chars))
        at = after
    return Folded("".join(folded), starts, ends, tuple(words))


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
