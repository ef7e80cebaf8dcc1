"""The voice that is always there: espeak-ng in Chinese, Korean and English."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hal.api import Language
from hal.drivers.voice import Voice
from hal.tools import Tools

VOICES: dict[Language, str] = {"zh": "cmn", "ko": "ko", "en": "en"}
PLAYER = ("aplay", "-q", "-D", "default")
Rate = Annotated[int, msgspec.Meta(ge=80, le=400)]


class Config(msgspec.Struct, frozen=True):
    """espeak-ng, played by `player`, a command that gets a WAV on its standard input (`aplay -D` names the sound card).

    `rate` and `slow_rate` in words a minute; the slow one for the elder profile. `espeak` the command of the voice itself.
    """

    player: tuple[str, ...] = PLAYER
    rate: Rate = 160
    slow_rate: Rate = 120
    espeak: tuple[str, ...] = ("espeak-ng",)


def command(espeak: tuple[str, ...], language: Language, rate: int) -> tuple[str, ...]:
    """How espeak-ng is called; the text comes on its standard input."""
    return (*espeak, "-v", VOICES[language], "-s", str(rate), "-b", "1", "--stdin", "--stdout")


def check(config: Config) -> list[str]:
    """See `hal.registry.DRIVERS`."""
    return [
        f".{key} is empty; give the command as a list, for example {example}"
        for key, example in (("player", list(PLAYER)), ("espeak", ["espeak-ng"]))
        if not getattr(config, key)
    ]


def where(config: Config) -> str:
    """See `hal.registry.DRIVERS`."""
    return f"{config.espeak[0]} | {' '.join(config.player)}"


def is_there(config: Config) -> bool:
    """See `hal.registry.DRIVERS`."""
    import shutil

    return all(shutil.which(one[0]) for one in (config.espeak, config.player))


def open_driver(name: str, config: Config, tools: Tools) -> Voice:
    """See `hal.registry.DRIVERS`."""

    def synth(language: Language, slowly: bool) -> tuple[str, ...]:
        return command(config.espeak, language, config.slow_rate if slowly else config.rate)

    return Voice(name, synth, config.player, on_event=tools.on_event, on_health=tools.on_health)
