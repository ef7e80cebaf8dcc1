"""Made-up people for the card simulator: right check digits, an area code that no place has, names that say so."""

from __future__ import annotations

import random
from typing import Any

FICTITIOUS_AREA = "999999"
FIELDS = (
    "name",
    "sex",
    "nation",
    "birth",
    "address",
    "number",
    "issuer",
    "valid_from",
    "valid_to",
    "english_name",
    "nationality",
)
_NAMES = ("样例甲", "样例乙", "样例丙", "样例丁", "样例", "示范一", "示范二", "示范三", "试用·演示", "示范")
_ENGLISH = ("SAMPLE, ANNA", "EXAMPLE, BORIS", "SPECIMEN, CHLOE", "FICTION, DAVID")


def person(kind: str, choose: random.Random) -> dict[str, str]:
    """All fields of a made-up holder of a card of `kind`."""
    birth = f"{choose.randint(1950, 2004)}{choose.randint(1, 12):02}{choose.randint(1, 28):02}"
    woman = choose.random() < 0.5
    serial = choose.randint(0, 499) * 2 + (0 if woman else 1)
    begin = choose.randint(2015, 2024)
    fields = {
        "name": choose.choice(_NAMES),
        "sex": "2" if woman else "1",
        "nation": choose.choice(("01", "10")),
        "birth": birth,
        "address": "云溪县示范路1号",
        "number": citizen_number(FICTITIOUS_AREA + birth + f"{serial:03}"),
        "issuer": "云溪县示范公安局",
        "valid_from": f"{begin}0301",
        "valid_to": f"{begin + 20}0301",
        "english_name": choose.choice(_ENGLISH),
        "nationality": "UTO",
    }
    if kind == "foreigner_2017":
        fields["number"] = f"UTO{choose.randint(0, 10**12 - 1):012}"
    elif kind == "foreigner_2023":
        fields["number"] = citizen_number("9" + FICTITIOUS_AREA[:2] + "000" + birth + f"{serial:03}")
    return fields


def citizen_number(first_17: str) -> str:
    """The 18-digit number whose last character is the check digit of GB 11643 (ISO 7064 MOD 11-2)."""
    total = 0
    for digit in first_17:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    return first_17 + ("X" if check == 10 else str(check))


_COMMON = ((0, 30, "name"), (30, 2, "sex"), (36, 16, "birth"), (122, 36, "number"), (188, 16, "valid_from"), (204, 16, "valid_to"))
_CITIZEN = (*_COMMON, (52, 70, "address"), (158, 30, "issuer"))
_PLACES: dict[str, tuple[tuple[int, int, str], ...]] = {
    "resident": (*_CITIZEN, (32, 4, "nation")),
    "hmt_resident": (*_CITIZEN, (220, 18, "=C99999999"), (238, 4, "=01"), (248, 2, "=J")),
    "foreigner_2023": (*_COMMON, (32, 4, "=00"), (52, 70, "english_name"), (242, 6, "nationality"), (248, 2, "=Y")),
    "foreigner_2017": (
        (0, 120, "english_name"), (120, 2, "sex"), (122, 30, "number"), (152, 6, "nationality"), (158, 30, "name"),
        (188, 16, "valid_from"), (204, 16, "valid_to"), (220, 16, "birth"), (236, 4, "=01"), (240, 8, "=9999"), (248, 2, "=I"),
    ),
}  # fmt: skip
"""Card → where each field stands in its text: first byte, bytes, name of the field, or after `=` the text itself."""
KINDS = tuple(_PLACES)


def text_area(kind: str, fields: dict[str, Any]) -> bytes:
    """The 256 bytes of text that a card of `kind` holds."""
    area = bytearray(" ".encode("utf-16-le") * 128)
    for at, size, what in _PLACES[kind]:
        value = what[1:] if what.startswith("=") else fields[what]
        data = value.encode("utf-16-le")
        if len(data) > size:
            raise ValueError(f"{value!r} takes {len(data)} bytes; that field has {size}")
        area[at : at + len(data)] = data
    return bytes(area)
