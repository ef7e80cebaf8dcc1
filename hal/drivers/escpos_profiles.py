"""What each model of receipt printer can and cannot do, as data; docs/hardware.md has the same table in words."""

from __future__ import annotations

from typing import Literal

import msgspec

MM_PER_INCH = 25.4

Tells = Literal["all", "realtime", "nothing"]
NearEnd = Literal["sensor", "inverted", "none"]
Cutter = Literal["partial", "full", "none"]


class Profile(msgspec.Struct, frozen=True):
    """One model, or many that behave alike.

    `columns` and `width_dots` of a line at size 1. `tells`: `all` answers in its own queue (GS r or GS I), so that it is
    known what came out; `realtime` only DLE EOT, so trouble is seen but no ticket is ever confirmed; `nothing`. `near_end`:
    `inverted` where the sensor's bits say 1 while there is enough paper, `none` where there is no sensor. `cutter` `none`: a
    tear bar. `cutter_mm` from the head to the cutter or tear bar. `hanzi` and `qr`: whether the printer draws them itself.
    """

    columns: int
    width_dots: int
    dpi: int = 203
    tells: Tells = "all"
    near_end: NearEnd = "sensor"
    cutter: Cutter = "partial"
    cutter_mm: float = 15.0
    hanzi: bool = True
    qr: bool = True

    @property
    def dots_per_mm(self) -> float:
        """Along the paper as across it."""
        return round(self.dpi / MM_PER_INCH)

    @property
    def cutter_dots(self) -> int:
        """What must be fed before a cut leaves the last line whole."""
        return round(self.cutter_mm * self.dots_per_mm)


_WIDE = Profile(48, 576)
_NARROW = Profile(32, 384)

PROFILES: dict[str, Profile] = {
    "generic80": _WIDE,
    "generic58": _NARROW,
    "dpi180": Profile(42, 512, dpi=180),
    "fullcut80": msgspec.structs.replace(_WIDE, cutter="full"),
    "tear58": msgspec.structs.replace(_NARROW, cutter="none", cutter_mm=10.0, near_end="none"),
    "western80": msgspec.structs.replace(_WIDE, hanzi=False),
    "realtime80": msgspec.structs.replace(_WIDE, tells="realtime"),
    "realtime58": msgspec.structs.replace(_NARROW, tells="realtime"),
    "silent80": msgspec.structs.replace(_WIDE, tells="nothing", near_end="none"),
    "silent58": msgspec.structs.replace(_NARROW, tells="nothing", near_end="none"),
}

ProfileName = Literal[
    "generic80",
    "generic58",
    "dpi180",
    "fullcut80",
    "tear58",
    "western80",
    "realtime80",
    "realtime58",
    "silent80",
    "silent58",
]
