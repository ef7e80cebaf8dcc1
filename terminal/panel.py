"""The panel a configuration describes, without Kivy."""

from runtime.config import DeviceConfig
from terminal.flow.idle import Patience, Profile
from ui.tokens import Panel


def panel_of(config: DeviceConfig) -> Panel:
    """The terminal's glass. Raises ui.tokens.PanelError when it cannot be."""
    panel = config.panel
    return Panel(panel.width_px, panel.height_px, panel.width_mm, panel.height_mm)


def patience_of(config: DeviceConfig) -> dict[Profile, Patience]:
    """The configured waiting times by profile: high contrast waits as long as the elder profile, 语音键盘 warns twice as long."""
    idle = config.idle
    standard = Patience(round(idle.after_s * 1000), round(idle.warning_s * 1000))
    elder = Patience(round(idle.elder_after_s * 1000), round(idle.elder_warning_s * 1000))
    keypad = Patience(max(standard.idle_ms * 2, elder.idle_ms), max(standard.warning_ms * 2, elder.warning_ms))
    return {"standard": standard, "elder": elder, "contrast": elder, "keypad": keypad}
