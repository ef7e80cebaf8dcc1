"""A banner: one message on a soft ground, with a dot or an icon whose colour only supports what the words say."""

from kivy.properties import ColorProperty, NumericProperty, StringProperty

from ui.widgets.card import Surface


class Banner(Surface):
    """A message that grows with its words. `lead` stands before the text in bold; `icon` replaces the dot."""

    lead = StringProperty("")
    text = StringProperty("")
    icon = StringProperty("")
    dot = ColorProperty("#E8A33D")
    font_size = NumericProperty(20)
