"""The stage: the root of a face's window. It holds one screen at a time, and lets the first touch only wake."""

from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget


class Stage(FloatLayout):
    """Shows `screen`. While `asleep`, a touch is swallowed whole (down, move and up) and only sends `on_wake`.

    Every touch sends `on_activity` first, also one that only wakes.
    """

    screen = ObjectProperty(None, allownone=True)
    screen_name = StringProperty("")
    asleep = BooleanProperty(False)
    settling = BooleanProperty(False)
    """Set it while a screen has only just appeared: touches are swallowed, so that a double tap presses nothing unseen."""

    attentive = BooleanProperty(False)
    """Set it while somebody is asked something: the window looks for input often although nothing happens (ui.window)."""

    __events__ = ("on_wake", "on_activity")

    def show(self, screen: Widget, name: str) -> None:
        """Replace the screen. `name` is what the agent reports, never content."""
        if self.screen is not None:
            self.remove_widget(self.screen)
        self.screen = screen
        self.screen_name = name
        self.add_widget(screen)

    def on_wake(self) -> None:
        """The first touch came. Bind to it."""

    def on_activity(self) -> None:
        """Somebody touches the glass. Bind to it."""

    def on_touch_down(self, touch: object) -> bool:
        """Wake on the first touch, and hand later ones on."""
        # A mouse wheel and right clicks are no touches; on a bench they would count as activity.
        if "button" in touch.profile and touch.button != "left":  # type: ignore[attr-defined]
            return True
        self.dispatch("on_activity")
        if self.asleep:
            touch.ud["only_wakes"] = True  # type: ignore[attr-defined]
            self.dispatch("on_wake")
            return True
        if self.settling:
            touch.ud["only_wakes"] = True  # type: ignore[attr-defined]
            return True
        return bool(super().on_touch_down(touch))

    def on_touch_move(self, touch: object) -> bool:
        """A touch that only wakes does nothing else while it moves."""
        return True if self._only_wakes(touch) else bool(super().on_touch_move(touch))

    def on_touch_up(self, touch: object) -> bool:
        """Nor when it ends."""
        return True if self._only_wakes(touch) else bool(super().on_touch_up(touch))

    def _only_wakes(self, touch: object) -> bool:
        return bool(touch.ud.get("only_wakes"))  # type: ignore[attr-defined]
