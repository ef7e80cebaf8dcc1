"""The panel a configuration describes, without Kivy."""

from runtime.config import DeviceConfig
from ui.tokens import Panel


def panel_of(config: DeviceConfig) -> Panel:
    """The terminal's glass. Raises ui.tokens.PanelError when it cannot be."""
    panel = config.panel
    return Panel(panel.width_px, panel.height_px, panel.width_mm, panel.height_mm)
