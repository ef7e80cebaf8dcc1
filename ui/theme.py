"""The live look: colours and sizes in pixels as Kivy properties, so that every widget follows a change of profile or hour."""

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, ObjectProperty, OptionProperty
from kivy.utils import get_color_from_hex

from ui import tokens
from ui.tokens import Kind, Panel, Profile


class Theme(EventDispatcher):
    """What kv rules read, for example `theme.ink`, `theme.body`, `theme.mm(20)`.

    `mm` is a property holding a function from millimetres to whole pixels; rules that call it are evaluated again when the panel
    changes. Text sizes (`display` … `note`) and `target` are pixels. `floor` is the smallest text size, in pixels.
    """

    profile = OptionProperty("standard", options=(*tokens.PROFILES, "keypad"))
    night = BooleanProperty(False)
    motion = BooleanProperty(True)

    paper = ColorProperty()
    card = ColorProperty()
    ink = ColorProperty()
    soft = ColorProperty()
    line = ColorProperty()
    edge = ColorProperty()
    action = ColorProperty()
    action_soft = ColorProperty()
    action_ink = ColorProperty()
    lamp = ColorProperty()
    lamp_soft = ColorProperty()
    good = ColorProperty()
    bad = ColorProperty()
    bad_ink = ColorProperty()

    display = NumericProperty(0)
    title = NumericProperty(0)
    heading = NumericProperty(0)
    large = NumericProperty(0)
    body = NumericProperty(0)
    note = NumericProperty(0)
    floor = NumericProperty(0)

    mm = ObjectProperty()
    target = NumericProperty(0)
    gap = NumericProperty(0)
    radius = NumericProperty(0)
    stroke = NumericProperty(1)
    elder = BooleanProperty(False)
    contrast = BooleanProperty(False)
    """Whether the colours are those of high contrast: so they are in 语音键盘 too."""
    wide = BooleanProperty(True)
    """Whether the panel is wider than it is high."""
    compact = BooleanProperty(False)
    """Whether the panel is so low (under 110 mm) that screens leave out what is only nice to have."""

    def __init__(self) -> None:
        super().__init__()
        self.panel: Panel = tokens.EVALUATOR_10
        self.kind: Kind = "desk"
        self.scale: tuple[int, ...] = ()
        self.ruler = 0
        self._apply()

    def use(
        self,
        panel: Panel | None = None,
        *,
        kind: Kind | None = None,
        profile: Profile | None = None,
        night: bool | None = None,
    ) -> None:
        """Change what is given and leave the rest; every rule that reads the theme follows."""
        self.panel = panel or self.panel
        self.kind = kind or self.kind
        self.profile = profile or self.profile
        self.night = self.night if night is None else night
        self._apply()

    def _apply(self) -> None:
        panel, kind = self.panel, self.kind
        scale = panel.px_per_mm
        self.mm = lambda millimetres: round(millimetres * scale)
        colours = tokens.palette(self.profile, night=self.night)
        for name in tokens.COLOURS:
            setattr(self, name, get_color_from_hex(getattr(colours, name)))
        for role, size in tokens.text_px(kind, self.profile, scale).items():
            setattr(self, role, size)
        self.ruler = tokens.text_px(kind, "standard", scale)["title"]
        self.scale = tokens.scale_px(kind, scale)
        self.floor = self.scale[0]
        self.target = self.mm(tokens.TARGET_MM[kind] * 1.02)
        self.gap = self.mm(4)
        self.radius = self.mm(6.5 if kind == "kiosk" else 4.6)
        self.contrast = self.profile in ("contrast", "keypad")
        thick = 3 if self.contrast else 2
        self.stroke = max(1, round(thick * scale / (4.03 if kind == "kiosk" else 5.9)))
        self.elder = self.profile == "elder"
        self.motion = self.profile not in ("elder", "keypad")
        self.wide = panel.width_px > panel.height_px
        self.compact = panel.height_mm < 110


theme = Theme()
"""The one theme of a face's process; kv rules import it. It holds no screen and opens no window."""
