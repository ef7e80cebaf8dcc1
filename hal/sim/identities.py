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


def text_area(kind: str, fields: dict[str, Any]) -> bytes:
    """The 256 bytes of text that a card of `kind` holds."""
    area = bytearray(" ".encode("utf-16-le") * 128)

    def put(at: int, size: int, value: str) -> None:
        data = value.encode("utf-16-le")
        if len(data) > size:
            raise ValueError(f"{value!r} takes {len(data)} bytes; that field has {size}")
        area[at : at + len(data)] = data

    if kind == "foreigner_2017":
        put(0, 120, fields["english_name"])
        put(120, 2, fields["sex"])
        put(122, 30, fields["number"])
        put(152, 6, fields["nationality"])
        put(158, 30, fields["name"])
        put(188, 16, fields["valid_from"])
        put(204, 16, fields["valid_to"])
        put(220, 16, fields["birth"])
        put(236, 4, "01")
        put(240, 8, "9999")
        put(248, 2, "I")
        return bytes(area)
    put(0, 30, fields["name"])
    put(30, 2, fields["sex"])
    put(36, 16, fields["birth"])
    put(122, 36, fields["number"])
    put(188, 16, fields["valid_from"])
    put(204, 16, fields["valid_to"])
    if kind == "foreigner_2023":
        put(32, 4, "00")
        put(52, 70, fields["english_name"])
        put(242, 6, fields["nationality"])
        put(248, 2, "Y")
        return bytes(area)
    put(52, 70, fields["address"])
    put(158, 30, fields["issuer"])
    if kind == "resident":
        put(32, 4, fields["nation"])
    else:
        put(220, 18, "C99999999")
        put(238, 4, "01")
        put(248, 2, "J")
    return bytes(area)
