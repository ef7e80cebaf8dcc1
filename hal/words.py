"""Words for a technician at the machine: message ids in Chinese or English, with their arguments. JSON carries the ids alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Literal

from hal.words_of_health import HEALTH
from hal.words_of_tests import TESTS

Lang = Literal["zh", "en"]

WORDS: dict[str, tuple[str, str]] = HEALTH | TESTS
"""Message id → Chinese, English. `{name}` stands for an argument; an argument that is itself an id is told in words too."""


class _Args(dict[str, str]):
    """Shows `…` for an argument that is missing, so that words never fail."""

    def __missing__(self, key: str) -> str:
        return "…"


def words(message: str, args: Mapping[str, str], lang: Lang) -> str:
    """The sentence of an id; an id without words comes back as it is, with its arguments."""
    row = WORDS.get(message)
    if row is None:
        return " ".join([message, *args.values()]).strip()
    # Arguments are looked up once, without arguments of their own: a device's answer can not reach further.
    told = {key: WORDS[value][lang == "en"] if value in WORDS else value for key, value in args.items()}
    return row[lang == "en"].format_map(_Args(told))


def padded(text: str, columns: int) -> str:
    """`text` with spaces up to so many columns of a terminal, in which a Hanzi takes two."""
    taken = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
    return text + " " * max(1, columns - taken)
