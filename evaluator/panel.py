"""The panel and the waiting times a configuration describes, without Kivy."""

from evaluator.flow.occasion import Times
from runtime.config import DeviceConfig
from ui.tokens import Panel


def panel_of(config: DeviceConfig) -> Panel:
    """The evaluator's glass. Raises ui.tokens.PanelError when it cannot be."""
    panel = config.panel
    return Panel(panel.width_px, panel.height_px, panel.width_mm, panel.height_mm)


def times_of(config: DeviceConfig) -> Times:
    """The flow's waiting times."""
    rating = config.rating
    return Times(rating.invitation_s, rating.correction_s, rating.reasons_s, rating.receipt_s)
