"""Buttons, lamps and buzzer of an evaluator, joined to the flow. The same lamp and tone for every level."""

from collections.abc import Callable

from evaluator.flow.desk import Desk
from hal.api import ButtonPressed, Event, Health
from hal.config import HalConfig
from hal.factory import Hal, open_hal

TONE_MS = 80


class Hardware:
    """The peripherals, or none of them. `post` hands a callable to the flow's thread."""

    def __init__(
        self, config: HalConfig, *, post: Callable[[Callable[[], object]], object], on_health: Callable[[], object]
    ) -> None:
        self._post, self._on_health = post, on_health
        self._desk: Desk | None = None
        self.hal: Hal = open_hal(config, on_event=self._event, on_health=self._health)

    def start(self, desk: Desk) -> None:
        """Begin; presses go to `desk` on the flow's thread."""
        self._desk = desk
        self.hal.start()

    def close(self) -> None:
        """Let pins go."""
        self.hal.close()

    @property
    def buttons_down(self) -> bool:
        """Whether there should be buttons and they do not work. A device without buttons has nothing down."""
        buttons = self.hal.buttons
        return buttons is not None and buttons.health().state == "down"

    @property
    def has_buttons(self) -> bool:
        """Whether buttons are configured at all."""
        return self.hal.buttons is not None

    def health(self) -> dict[str, Health]:
        """Health by peripheral."""
        return self.hal.health()

    def _event(self, _: str, event: Event) -> None:
        desk = self._desk
        if desk is not None and isinstance(event, ButtonPressed) and event.level is not None:
            level = event.level
            self._post(lambda: desk.press(level, "button"))

    def _health(self, _: str, __: Health) -> None:
        self._post(self._on_health)

    # evaluator.flow.ports.Signals

    def inviting(self) -> None:
        """All five lamps on, one tone."""
        if self.hal.buttons is not None:
            self.hal.buttons.lamps("on")
            self.hal.buttons.buzz(TONE_MS)

    def noted(self) -> None:
        """One tone, and the lamps go out: the question is answered."""
        if self.hal.buttons is not None:
            self.hal.buttons.lamps("off")
            self.hal.buttons.buzz(TONE_MS)

    def quiet(self) -> None:
        """All lamps off."""
        if self.hal.buttons is not None:
            self.hal.buttons.lamps("off")
