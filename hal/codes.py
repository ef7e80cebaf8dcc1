"""What a scanned code may be: bytes become clean text or a refusal, and text is sorted by the shapes that a caller names.

A code is written by whoever holds it up, so everything here treats it as hostile: it is limited, stripped of characters
that steer screens and terminals, never opened or run, and only believed when it has the whole shape of something expected.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal

MAX_BYTES = 4096

RefusalReason = Literal["scan.too_long", "scan.not_text", "scan.damaged"]

# Control, format (which turns the direction of text, or is invisible), private use, unassigned, line and paragraph separators.
_STEERING = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})


class CodeRefused(ValueError):
    """A code that cannot be used; `reason` is a message id, and nothing here repeats its content."""

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(reason)
        self.reason: RefusalReason = reason


def text_of(data: bytes | bytearray | memoryview) -> str:
    """The text of a code: UTF-8, else GB 18030, without characters that steer; empty when nothing else is in it.

    Raises:
        CodeRefused: more than 4,096 bytes, or no text in either encoding.
    """
    if len(data) > MAX_BYTES:
        raise CodeRefused("scan.too_long")
    for encoding in ("utf-8", "gb18030"):
        try:
            text = str(data, encoding)
        except UnicodeDecodeError:
            continue
        return "".join(char for char in text if unicodedata.category(char) not in _STEERING).strip()
    raise CodeRefused("scan.not_text")


def shape_of(text: str, shapes: Mapping[str, re.Pattern[str]]) -> str | None:
    """The name of the first of `shapes` that the whole of `text` has, None when it has none: then it is to be refused.

    Shapes are the caller's, for example case numbers or tickets of its hall. Write them without nested repetition, which
    hostile text can make slow, and with the longest length in them.
    """
    return next((name for name, shape in shapes.items() if shape.fullmatch(text)), None)


def masked(text: str) -> str:
    """What may be shown or logged of a code: its length alone."""
    return f"<{len(text)} characters>"
