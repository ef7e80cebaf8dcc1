"""Which kind a device's part is of: `printer` and `printer_left` are both printers, as its configuration names them."""

KINDS = (
    "buttons", "keypad", "id_card", "printer", "a4_printer", "scanner", "desk", "smart_card", "camera", "door", "tamper",
    "presence", "temperature", "light", "ups", "backlight", "speaker", "speech", "board",
)  # fmt: skip
"""Kinds of peripherals, as devices name them."""
_SERVICES = {"printer": "print", "id_card": "id_card", "buttons": "rating"}


def kind_of(part: str) -> str:
    """The kind of a part; the part itself when it is not a peripheral, or of a newer release."""
    return max((kind for kind in KINDS if part == kind or part.startswith(f"{kind}_")), key=len, default=part)


def place_of(part: str) -> str:
    """What tells a part from others of its kind, such as `left`; empty for one that is named like its kind."""
    return part[len(kind_of(part)) + 1 :]


def service_of(part: str) -> str:
    """The service that people lose without it (`fleet.watch.ability.SERVICES`); empty for none."""
    return _SERVICES.get(kind_of(part), "")
