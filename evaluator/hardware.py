"""Buttons, lamps, buzzer, clerks' desks and cabinet of an evaluator, joined to the flow. The same lamp and tone for every level."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

from evaluator.flow.clerk import ClerkLine
from evaluator.flow.desk import LATE_S, Desk
from evaluator.flow.ports import Kept
from hal.api import (
    Backlight,
    BufferedPress,
    ButtonPressed,
    Buttons,
    ClerkDesk,
    DeskAsked,
    DeskView,
    DoorClosed,
    DoorOpened,
    Event,
    Health,
    KeyPressed,
    Lamp,
    PowerChanged,
    Speaker,
    Speech,
    Tampered,
    TamperEnded,
    Ups,
)
from hal.api.desk import DeskAnswer
from hal.config import HalConfig
from hal.factory import Hal, open_hal
from wire.kinds import BoxPress

TONE_MS = 80


class Hardware:
    """The peripherals, or none of them. `post` hands a callable to the flow's thread.

    `recorded(box, number)` tells whether the journal holds that press of a button box.
    """

    def __init__(
        self,
        config: HalConfig,
        *,
        post: Callable[[Callable[[], object]], object],
        on_health: Callable[[], object],
        recorded: Callable[[str, int], bool],
        on_power: Callable[[PowerChanged], object],
        state_dir: Path | None = None,
    ) -> None:
        self._post, self._on_health, self._recorded, self._on_power = post, on_health, recorded, on_power
        self._desk: Desk | None = None
        self._clerks: ClerkLine | None = None
        self._on_call: Callable[[], object] = lambda: None
        self.on_key: Callable[[KeyPressed], object] = lambda _: None
        """Called on the flow's thread."""
        self._in_hand: set[tuple[str, int]] = set()
        """Presses of button boxes that the flow has not settled yet."""
        self.hal: Hal = open_hal(config, on_event=self._event, on_health=self._health, state_dir=state_dir)

    def start(self, desk: Desk, clerks: ClerkLine, on_call: Callable[[], object]) -> None:
        """Begin; presses go to `desk`, what clerks want to `clerks`, the call-staff button to `on_call`, on the flow's thread."""
        self._desk, self._clerks, self._on_call = desk, clerks, on_call
        self.hal.start()

    def close(self) -> None:
        """Let pins go."""
        self.hal.close()

    @property
    def buttons_down(self) -> bool:
        """Whether there should be buttons or keys and they do not work. A device without buttons has nothing down."""
        fitted = [*self.hal.every("buttons"), *self.hal.every("keypad")]
        return any(each.health().state == "down" for each in fitted)

    @property
    def has_buttons(self) -> bool:
        """Whether buttons are configured at all."""
        return self.hal.buttons is not None

    @property
    def has_keys(self) -> bool:
        """Whether twelve keys are configured."""
        return bool(self.hal.every("keypad"))

    @property
    def speech(self) -> Speech | None:
        """The voice, or None."""
        return cast(Speech | None, next(iter(self.hal.every("speech")), None))

    def headphones(self) -> bool:
        """Whether only the citizen hears what is said. A board that cannot tell counts as a loudspeaker."""
        return any(speaker.headphones() for speaker in cast(list[Speaker], self.hal.every("speaker")))

    @property
    def upses(self) -> list[Ups]:
        """What bridges a power cut."""
        return cast(list[Ups], self.hal.every("ups"))

    def dim(self, night: bool) -> None:
        """Take the screen's brightness for the night, or for the day."""
        for light in cast(list[Backlight], self.hal.every("backlight")):
            light.dim(night)

    def health(self) -> dict[str, Health]:
        """Health by peripheral."""
        return self.hal.health()

    def _event(self, name: str, event: Event) -> None:
        if isinstance(event, ButtonPressed):
            self._post(partial(self._pressed, name, event))
        elif isinstance(event, KeyPressed):
            self._post(partial(self._key, event))
        elif isinstance(event, DeskAsked):
            self._post(partial(self._asked, name, event))
        elif isinstance(event, PowerChanged):
            self._post(partial(self._on_power, event))
        elif isinstance(event, DoorOpened | DoorClosed | Tampered | TamperEnded):
            self._post(partial(self._cabinet, name, isinstance(event, DoorOpened | Tampered)))

    # On the flow's thread

    def _key(self, event: KeyPressed) -> None:
        self.on_key(event)

    def _cabinet(self, contact: str, opened: bool) -> None:
        if self._desk is not None:
            self._desk.cabinet(contact, opened)

    def _asked(self, name: str, event: DeskAsked) -> None:
        if self._clerks is not None:
            self._clerks.take(name, event.command, event.wish)

    def _pressed(self, name: str, event: ButtonPressed) -> None:
        if self._desk is None:
            return
        kept = None
        if event.buffered is not None:
            kept = self._in_hand_of(name, event, event.buffered)
            if kept is None:
                return
        if event.level is not None:
            self._desk.press(event.level, "button", kept)
            return
        if kept is not None:
            kept.settled(True)
        # A call that a button box kept while nobody listened is from somebody who has long gone.
        if kept is None or (kept.at_s is not None and kept.at_s >= time.monotonic() - LATE_S):
            self._on_call()

    def _in_hand_of(self, name: str, event: ButtonPressed, press: BufferedPress) -> Kept | None:
        """What the flow has to settle; None for a press that it has in hand already, or that is recorded."""
        key = (press.box, press.number)
        buttons = cast(Buttons, self.hal.named(name))
        if self._recorded(*key):
            buttons.taken(press)
            return None
        if key in self._in_hand:
            return None
        self._in_hand.add(key)

        def settled(is_done: bool) -> None:
            self._in_hand.discard(key)
            if is_done:
                buttons.taken(press)

        age_ms = None if press.age_s is None else round(press.age_s * 1000)
        at_s = None if press.age_s is None else min(event.at_s, time.monotonic())
        return Kept(BoxPress(box=press.box, number=press.number, age_ms=age_ms), at_s, settled)

    # evaluator.flow.clerk.Line

    def answer(self, desk: str, command: int, answer: DeskAnswer) -> None:
        """Answer a clerk's PC."""
        cast(ClerkDesk, self.hal.named(desk)).answer(command, answer)

    def show(self, view: DeskView) -> None:
        """Tell every clerk's PC how things stand."""
        for desk in self.hal.every("desk"):
            cast(ClerkDesk, desk).show(view)

    def _health(self, _: str, __: Health) -> None:
        self._post(self._on_health)

    def call_lamp(self, state: Lamp) -> None:
        """The lamp of the call-staff button."""
        for buttons in self.hal.every("buttons"):
            cast(Buttons, buttons).lamp("call_staff", state)

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
