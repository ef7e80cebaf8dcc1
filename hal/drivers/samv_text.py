"""The 256 bytes of text on an identity card, in all four layouts, reduced to what may be known of a person.

Works on the raw UTF-16LE bytes: the full name and the full number never become a Python string, which could not be wiped.
"""

from __future__ import annotations

import hashlib
import hmac
import re

import msgspec

from hal.api import CardData, CardKind

TEXT_BYTES = 256

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_IN_LATIN = " ,.'-/"
_ENDLESS = "长期".encode("utf-16-le")


class CardInvalid(ValueError):
    """What was read contradicts itself; the message names the field, never its content."""


class Layout(msgspec.Struct, frozen=True):
    """Where a kind of card keeps what we take of it: (offset, length) in bytes."""

    kind: CardKind
    name: tuple[int, int] = (0, 30)
    sex: tuple[int, int] = (30, 2)
    birth: tuple[int, int] = (36, 16)
    number: tuple[int, int] = (122, 36)
    valid_from: tuple[int, int] = (188, 16)
    valid_to: tuple[int, int] = (204, 16)


# By the character at offset 248. The 2017 foreigners' card has its Chinese name elsewhere and may have none, so its
# English name is the one that is shown.
LAYOUTS: dict[str, Layout] = {
    " ": Layout("resident"),
    "J": Layout("hmt_resident"),
    "I": Layout("foreigner_2017", name=(0, 120), sex=(120, 2), number=(122, 30), birth=(220, 16)),
    "Y": Layout("foreigner_2023"),
}
_ENGLISH_NAME_2023 = (52, 70)


def read_text(text: memoryview, key: bytes) -> CardData:
    """Masked data of a card from its 256 bytes of text; the caller wipes `text` afterwards.

    Raises:
        CardInvalid: unknown layout, empty name, wrong check digit, impossible sex or date, dates that contradict.
    """
    if len(text) != TEXT_BYTES:
        raise CardInvalid(f"text has {len(text)} bytes; a card has {TEXT_BYTES}")
    letter = _decode(text[248:250], "kind")
    layout = LAYOUTS.get("".join(letter.split()) or " ")
    if layout is None:
        raise CardInvalid("the letter that tells the kind of card is none of space, J, I, Y")
    number = _field(text, layout.number)
    _check_number(number, layout.kind)
    # A frame's check byte misses one in 256 disturbances; what the fields must be, and what is written twice, does not.
    if layout.kind != "foreigner_2017" and _field(text, layout.birth) != number[12:28]:
        raise CardInvalid("birth date and number contradict each other")
    if str(_field(text, layout.sex), "utf-16-le", "replace") not in ("0", "1", "2", "9"):
        raise CardInvalid("sex is none of 0, 1, 2, 9")
    _date(_field(text, layout.birth), "birth")
    valid_to = _valid_to(_field(text, layout.valid_to))
    if _date(_field(text, layout.valid_from), "valid_from") > valid_to:
        raise CardInvalid("valid_from is after valid_to")
    name = _field(text, layout.name)
    if not name and layout.kind == "foreigner_2023":
        name = _field(text, _ENGLISH_NAME_2023)
    return CardData(
        kind=layout.kind,
        name=_mask_name(name),
        number=_mask_number(number),
        reference=hmac.new(key, number, hashlib.sha256).hexdigest()[:32],
        valid_to=valid_to,
    )


def _field(text: memoryview, place: tuple[int, int]) -> memoryview:
    """The bytes of a field without the spaces (or zeros) that fill it up."""
    start, length = place
    end = start + length
    while end > start and bytes(text[end - 2 : end]) in (b" \x00", b"\x00\x00"):
        end -= 2
    return text[start:end]


def _decode(data: memoryview, what: str) -> str:
    try:
        return str(data, "utf-16-le").replace("\0", " ")
    except UnicodeDecodeError as error:
        raise CardInvalid(f"{what} is no UTF-16 text") from error


def _char(data: memoryview, index: int, what: str) -> str:
    return _decode(data[2 * index : 2 * index + 2], what)


def _check_number(number: memoryview, kind: CardKind) -> None:
    """Length and characters of a number, and its check digit where the card's kind has one."""
    count = len(number) // 2
    wanted = 15 if kind == "foreigner_2017" else 18
    if count != wanted:
        raise CardInvalid(f"number has {count} characters; this kind of card has {wanted}")
    if kind == "foreigner_2017":
        # Three letters of the country, then digits.
        if not all("A" <= _char(number, index, "number") <= "Z" for index in range(3)):
            raise CardInvalid("number does not begin with three letters")
        for index in range(3, count):
            _digit(number, index)
        return
    total = sum(weight * _digit(number, index) for index, weight in enumerate(_WEIGHTS))
    if _CHECK[total % 11] != _char(number, 17, "number").upper():
        raise CardInvalid("number has a wrong check digit")


def _digit(number: memoryview, index: int) -> int:
    char = _char(number, index, "number")
    if not (char.isascii() and char.isdigit()):
        raise CardInvalid("number has a character that is no digit")
    return int(char)


def _mask_number(number: memoryview) -> str:
    """The first two and last two characters, which the owner recognises and nobody else can complete."""
    count = len(number) // 2
    ends = [_char(number, index, "number") for index in (0, 1, count - 2, count - 1)]
    return "".join(ends[:2]) + "*" * (count - 4) + "".join(ends[2:]).upper()


def _mask_name(name: memoryview) -> str:
    """The first character of a Chinese name, or of each word of a Latin one (at most three), the rest as `*`."""
    count = len(name) // 2
    if count == 0:
        raise CardInvalid("name is empty")
    first = _first_character(name)
    if not _printable(first):
        raise CardInvalid("name begins with a character that cannot be shown")
    _check_name(name, count, latin=first.isascii())
    if not first.isascii():
        return first + "*" * (1 if count <= 2 else 2)
    starts = [first]
    for index in range(1, count):
        if _char_at(name, index) != 0x20 and _char_at(name, index - 1) == 0x20:
            starts.append(chr(_char_at(name, index)))
    return " ".join(f"{start}***" for start in starts[:3] if _printable(start))


def _first_character(name: memoryview) -> str:
    """The first character, which takes four bytes when it is a rare Hanzi beyond the basic plane."""
    return _decode(name[: 4 if 0xD800 <= _char_at(name, 0) < 0xDC00 else 2], "name")


def _char_at(data: memoryview, index: int) -> int:
    return int.from_bytes(data[2 * index : 2 * index + 2], "little")


def _check_name(name: memoryview, count: int, *, latin: bool) -> None:
    """Whether a name is of one script and without a gap, so that a disturbance of it, or behind it, is not shown as a name."""
    for index in range(count):
        code = _char_at(name, index)
        fine = code < 0x80 and (chr(code).isalpha() or chr(code) in _IN_LATIN) if latin else _in_chinese(code)
        if not fine or (code == 0x20 and _char_at(name, index - 1) == 0x20):
            raise CardInvalid("name has a character or a gap that no name has")


def _in_chinese(code: int) -> bool:
    """Hanzi, half of a rare one, private use (rare ones on older cards), Latin letters, and the points between names."""
    hanzi = 0x3400 <= code <= 0x9FFF or 0xD800 <= code <= 0xFAFF
    return hanzi or (code < 0x80 and chr(code).isalpha()) or chr(code) in "·•・．.〇"


def _printable(char: str) -> bool:
    return len(char) == 1 and char.isprintable() and not char.isspace()


def _valid_to(field: memoryview) -> str:
    """A date, or `long`, which is after every date as text too."""
    return "long" if bytes(field) == _ENDLESS else _date(field, "valid_to", or_else=" and not 长期")


def _date(field: memoryview, what: str, *, or_else: str = "") -> str:
    value = _decode(field, what)
    if not re.fullmatch(r"[12]\d{3}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", value, re.ASCII):
        raise CardInvalid(f"{what} is no date YYYYMMDD{or_else}")
    return value
