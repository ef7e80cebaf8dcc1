"""The evaluator's voice: it invites once; more only to those who answer by keys. Which level was pressed, only into headphones.

Others stand around a window. What is said aloud, and when, is the same whatever was pressed: it follows the kind of scene alone.
"""

from collections.abc import Callable
from typing import Protocol

from evaluator.flow.desk import Desk
from evaluator.flow.keys import Pad
from evaluator.flow.scene import Ask, Failed, Reasons, Receipt, Scene
from evaluator.hardware import Hardware
from ui.language import words
from ui.speech import Voice


class Speaks(Protocol):
    """What is needed of a voice (ui.speech.Voice)."""

    def read(self, text: str) -> None:
        """Say a text, in place of what is being said."""

    def hush(self) -> None:
        """Be silent at once."""


class Spoken:
    """Tells the scenes. `has_keys`: whether twelve keys are there; `private()`: whether only the citizen hears it."""

    def __init__(self, voice: Speaks, *, has_keys: bool, private: Callable[[], bool]) -> None:
        self._voice, self._has_keys, self._private = voice, has_keys, private
        self._scene: Scene | None = None
        self._by_keys = False

    def shown(self, scene: Scene) -> None:
        """Another scene is on the screen, in its language."""
        asked_anew = isinstance(scene, Ask) and not scene.correcting
        if asked_anew:
            self._by_keys = False
        self._scene = scene
        if asked_anew or self._by_keys:
            self.repeat()
        else:
            self._voice.hush()

    def used(self) -> None:
        """A key was pressed: whoever did will hear how it goes on."""
        self._by_keys = True
        self._voice.hush()

    def repeat(self) -> None:
        """Say the present scene; nothing where there is nothing to say."""
        said = [text for text in self._texts() if text]
        if said:
            stop = "。" if words.code == "zh" else ". "
            self._voice.read(stop.join(said) + stop.strip())
        else:
            self._voice.hush()

    def _texts(self) -> list[str]:
        scene = self._scene
        if isinstance(scene, Ask):
            title = words.t("ask.again" if scene.correcting else "ask.title")
            return [title, *(self._levels() if self._has_keys else [])]
        if isinstance(scene, Reasons):
            chosen = words.t("reasons.chosen", level=words.t(f"level.{scene.level}")) if self._private() else ""
            return [words.t("reasons.title"), chosen, words.t("keys.after")]
        if isinstance(scene, Receipt):
            code = f"{words.t('receipt.label')} {' '.join(scene.code)}" if self._private() else ""
            return [words.t("receipt.title"), code]
        return [words.t("failed.title"), words.t("failed.next")] if isinstance(scene, Failed) else []

    def _levels(self) -> list[str]:
        levels = [f"{words.t('ask.button', level=level)} {words.t(f'level.{level}')}" for level in (5, 4, 3, 2, 1)]
        return [*levels, words.t("keys.ask")]


def voice_and_keys(desk: Desk, hardware: Hardware) -> Spoken:
    """Join the voice and the twelve keys of this device, where it has them, to its flow."""
    spoken = Spoken(Voice(hardware.speech), has_keys=hardware.has_keys, private=hardware.headphones)
    pad = Pad(desk, used=spoken.used, repeat=spoken.repeat)
    hardware.on_key = lambda event: pad.key(event.key, event.at_s)
    return spoken
