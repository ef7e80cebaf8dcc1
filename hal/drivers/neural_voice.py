"""A neural voice, when its program and model are installed on the device: any command that reads text and writes a WAV."""

from __future__ import annotations

import shutil

import msgspec

from hal.api import Language
from hal.drivers.espeak import PLAYER, Rate
from hal.drivers.espeak import command as espeak_command
from hal.drivers.voice import Voice
from hal.tools import Tools


class Config(msgspec.Struct, frozen=True):
    """One command a language, text on its standard input, WAV on its standard output, for example
    `zh = ["piper", "--model", "/usr/share/piper/zh.onnx", "--output_file", "-"]`.

    A language that is left out is spoken by espeak-ng, at `rate` or `slow_rate` words a minute. `slowly` is added to a
    command in the elder profile, for example `["--length_scale", "1.3"]`. `player` plays the WAV from its standard input.
    """

    zh: tuple[str, ...] = ()
    ko: tuple[str, ...] = ()
    en: tuple[str, ...] = ()
    slowly: tuple[str, ...] = ()
    player: tuple[str, ...] = PLAYER
    rate: Rate = 160
    slow_rate: Rate = 120


def check(config: Config) -> list[str]:
    """See `hal.registry.DRIVERS`."""
    return [] if config.player else [f".player is empty; give the command as a list, for example {list(PLAYER)}"]


def where(config: Config) -> str:
    """See `hal.registry.DRIVERS`."""
    own = dict.fromkeys(one[0] for one in (config.zh, config.ko, config.en) if one)
    return " ".join(own) or "espeak-ng"


def is_there(config: Config) -> bool:
    """See `hal.registry.DRIVERS`."""
    return all(shutil.which(one[0]) for one in (config.zh, config.ko, config.en, config.player) if one)


def open_driver(name: str, config: Config, tools: Tools) -> Voice:
    """See `hal.registry.DRIVERS`."""

    def synth(language: Language, slowly: bool) -> tuple[str, ...]:
        own: tuple[str, ...] = {"zh": config.zh, "ko": config.ko, "en": config.en}[language]
        if own:
            return (*own, *(config.slowly if slowly else ()))
        return espeak_command(("espeak-ng",), language, config.slow_rate if slowly else config.rate)

    return Voice(name, synth, config.player, on_event=tools.on_event, on_health=tools.on_health)
