"""The look as data, without Kivy: panels, palettes and text sizes in millimetres. `ui.theme` turns them into live pixels."""

from dataclasses import dataclass, fields
from typing import Literal

Kind = Literal["kiosk", "desk"]
"""`kiosk`: a terminal one stands at. `desk`: a rating device on a counter, read from half the distance."""
Profile = Literal["standard", "elder", "contrast", "keypad"]
PROFILES: tuple[Profile, ...] = ("standard", "elder", "contrast")
"""Those that every device has; `keypad` (语音键盘) is a terminal's with twelve keys, in the colours of high contrast."""


class PanelError(ValueError):
    """A panel that cannot be: the message names the value, the limit and the remedy."""


@dataclass(frozen=True)
class Panel:
    """A screen's glass: its pixels and its real size, from the data sheet or a ruler."""

    width_px: int
    height_px: int
    width_mm: float
    height_mm: float

    def __post_init__(self) -> None:
        for name, low, high in (("width_px", 320, 7680), ("height_px", 240, 7680)):
            if not low <= getattr(self, name) <= high:
                raise PanelError(f"panel.{name} is {getattr(self, name)}; set the panel's own {low}–{high} pixels")
        for name in ("width_mm", "height_mm"):
            if not 30 <= getattr(self, name) <= 3000:
                raise PanelError(f"panel.{name} is {getattr(self, name)}; measure the lit glass, 30–3000 mm")
        if not 0.8 <= self._px_per_mm_across / self._px_per_mm_down <= 1.25:
            raise PanelError(
                f"panel {self.width_px}×{self.height_px} px on {self.width_mm:g}×{self.height_mm:g} mm has pixels that are "
                "not square; check that width and height are not swapped"
            )

    @property
    def _px_per_mm_across(self) -> float:
        return self.width_px / self.width_mm

    @property
    def _px_per_mm_down(self) -> float:
        return self.height_px / self.height_mm

    @property
    def px_per_mm(self) -> float:
        """Pixels a millimetre, the mean of both directions."""
        return (self._px_per_mm_across + self._px_per_mm_down) / 2

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width_px, self.height_px


def is_night(hour: int, *, day_from: int, night_from: int) -> bool:
    """Whether the dark palette belongs to this hour (0–23); night may begin after midnight."""
    if day_from < night_from:
        return not day_from <= hour < night_from
    return night_from <= hour < day_from


TERMINAL_21 = Panel(1080, 1920, 268, 476)
"""A 21.5-inch portrait panel, the usual terminal."""
EVALUATOR_10 = Panel(1280, 800, 217, 136)
"""A 10.1-inch landscape panel."""
EVALUATOR_7 = Panel(800, 480, 154, 92)
"""A 7-inch landscape panel, the smallest supported."""


@dataclass(frozen=True)
class Palette:
    """Colours as `#RRGGBB`. Text on paper and card reaches 4.5:1, `edge` and `action` 3:1; `lamp` never colours text on paper."""

    paper: str
    card: str
    ink: str
    soft: str
    line: str
    edge: str
    action: str
    action_soft: str
    action_ink: str
    lamp: str
    lamp_soft: str
    good: str
    bad: str
    bad_ink: str


DAY = Palette(
    paper="#F6F4EF",
    card="#FFFFFF",
    ink="#1B2430",
    soft="#5B6675",
    line="#E0DBD0",
    edge="#8E8778",
    action="#1F5FA8",
    action_soft="#E7EEF7",
    action_ink="#FFFFFF",
    lamp="#E8A33D",
    lamp_soft="#FBF1DF",
    good="#2E7D5B",
    bad="#B23A30",
    bad_ink="#FFFFFF",
)
NIGHT = Palette(
    paper="#0F1720",
    card="#182330",
    ink="#F2EDE2",
    soft="#A5AFBC",
    line="#2A3745",
    edge="#7C8896",
    action="#6FA8E6",
    action_soft="#1E3247",
    action_ink="#0F1720",
    lamp="#F0B458",
    lamp_soft="#2E2818",
    good="#63BF95",
    bad="#E5766C",
    bad_ink="#0F1720",
)
CONTRAST = Palette(
    paper="#000000",
    card="#000000",
    ink="#FFFFFF",
    soft="#FFFFFF",
    line="#FFFFFF",
    edge="#FFFFFF",
    action="#FFE14D",
    action_soft="#3A3300",
    action_ink="#000000",
    lamp="#FFE14D",
    lamp_soft="#141414",
    good="#8BFFBF",
    bad="#FFB3AA",
    bad_ink="#000000",
)
COLOURS = tuple(field.name for field in fields(Palette))


@dataclass(frozen=True)
class TextSizes:
    """Font sizes in millimetres; a capital letter is 0.733 of it (Noto Sans CJK)."""

    display: float
    title: float
    heading: float
    large: float
    body: float
    note: float


CAPITAL = 0.733
"""Height of a capital letter as a share of the font size."""
TEXT: dict[Kind, TextSizes] = {
    "kiosk": TextSizes(display=21.0, title=16.0, heading=11.4, large=9.2, body=7.6, note=6.7),
    "desk": TextSizes(display=15.4, title=9.2, heading=7.1, large=5.7, body=5.0, note=4.4),
}
ELDER_SCALE: dict[Kind, float] = {"kiosk": 1.25, "desk": 1.18}
FLOOR_MM: dict[Kind, float] = {"kiosk": 6.6, "desk": 3.4}
"""The smallest font size a text may shrink to when it does not fit: 4.8 mm capitals at a kiosk, 2.5 mm on a desk."""
TARGET_MM: dict[Kind, float] = {"kiosk": 20.0, "desk": 15.0}
"""The smallest side of anything that is touched."""


def text_px(kind: Kind, profile: Profile, px_per_mm: float) -> dict[str, int]:
    """The font size of each role in pixels. An elder one within a twentieth of a standard size takes it: fewer, less memory."""
    sizes = {field.name: round(getattr(TEXT[kind], field.name) * px_per_mm) for field in fields(TextSizes)}
    if profile != "elder":
        return sizes
    larger = {role: round(getattr(TEXT[kind], role) * px_per_mm * ELDER_SCALE[kind]) for role in sizes}
    near = {size: next((one for one in sizes.values() if abs(one - size) <= 0.05 * size), size) for size in larger.values()}
    return {role: near[size] for role, size in larger.items()}


def scale_px(kind: Kind, px_per_mm: float) -> tuple[int, ...]:
    """Every font size in pixels that texts of this kind have by themselves, in any profile, and steps down to the floor.

    A text that shrinks takes one of these: each further size of a font that is opened costs some megabytes.
    """
    sizes = {*text_px(kind, "standard", px_per_mm).values(), *text_px(kind, "elder", px_per_mm).values()}
    floor = int(FLOOR_MM[kind] * px_per_mm)
    while (step := round(min(sizes) * 0.88)) > floor:
        sizes.add(step)
    return tuple(sorted(sizes | {floor}))


def palette(profile: Profile, *, night: bool) -> Palette:
    """The colours of a profile by day or night; high contrast is the same at any hour."""
    if profile in ("contrast", "keypad"):
        return CONTRAST
    return NIGHT if night else DAY


def contrast_ratio(one: str, other: str) -> float:
    """WCAG 2 contrast of two `#RRGGBB` colours, 1–21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
