"""Volume and headphones through ALSA's `amixer`; the headphone contact may also be on a GPIO pin."""

from __future__ import annotations

import re
import subprocess
import threading
from typing import Annotated, Literal

import msgspec

from hal.api import EventListener, HeadphonesChanged, HealthListener
from hal.config import BcmPin
from hal.drivers.gpio import GpioError, Input
from hal.drivers.own_thread import OwnThread
from hal.tools import OpensPins, Tools

DEADLINE_S = 3.0


class Config(msgspec.Struct, frozen=True):
    """Loudspeaker and headphones.

    `device` ALSA's name of the mixer, `control` the name of its volume. `normal_db` the volume every visitor begins with,
    `louder_db` how much louder the last of `steps` steps is: 20 dB for noisy halls. `jack` the name of ALSA's headphone
    contact, for example `Headphone Jack`; or `jack_pin` a contact to ground that is `closed` or `open` (`jack_plugged`) while
    headphones are plugged in. `poll_s` how often the contact is looked at, and a missing card. `mixer` the command of it all.
    """

    device: str = "default"
    control: str = "Master"
    normal_db: Annotated[float, msgspec.Meta(ge=-99, le=0)] = -20.0
    louder_db: Annotated[float, msgspec.Meta(ge=0, le=40)] = 20.0
    steps: Annotated[int, msgspec.Meta(ge=1, le=10)] = 4
    jack: str = ""
    jack_pin: BcmPin | None = None
    jack_plugged: Literal["closed", "open"] = "closed"
    poll_s: Annotated[float, msgspec.Meta(ge=0.05, le=60)] = 2.0
    mixer: tuple[str, ...] = ("amixer",)


def check(config: Config) -> list[str]:
    """See `hal.registry.DRIVERS`."""
    found = []
    if not config.mixer or not config.mixer[0]:
        found.append('.mixer is empty; give the command, for example ["amixer"]')
    if config.jack and config.jack_pin is not None:
        found.append(".jack and .jack_pin are both set; headphones have one contact, leave one out")
    for key in ("device", "control", "jack"):
        value = getattr(config, key)
        if value.startswith("-") or not value.isprintable() or "'" in value:
            found.append(f".{key} is {value!r}; give the name as `amixer controls` shows it")
    return found


def pins(config: Config) -> dict[str, int]:
    """See `hal.registry.DRIVERS`."""
    return {} if config.jack_pin is None else {"jack": config.jack_pin}


def where(config: Config) -> str:
    """See `hal.registry.DRIVERS`."""
    return f"{config.device}: {config.control}"


def is_there(config: Config) -> bool:
    """See `hal.registry.DRIVERS`."""
    return _mixer(config, "sget", config.control)[0] == 0


def open_driver(name: str, config: Config, tools: Tools) -> AlsaSpeaker:
    """See `hal.registry.DRIVERS`."""
    return AlsaSpeaker(name, config, tools.pins, on_event=tools.on_event, on_health=tools.on_health)


def _mixer(config: Config, *words: str) -> tuple[int, str]:
    """Run the mixer: its exit status, and what it said."""
    try:
        done = subprocess.run(
            [*config.mixer, "-D", config.device, *words],
            capture_output=True, stdin=subprocess.DEVNULL, timeout=DEADLINE_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return -1, str(error)
    return done.returncode, (done.stdout if done.returncode == 0 else done.stderr).decode("utf-8", "replace")


class AlsaSpeaker(OwnThread):
    """`hal.api.Speaker`."""

    def __init__(self, name: str, config: Config, pins: OpensPins, *, on_event: EventListener, on_health: HealthListener) -> None:
        super().__init__(name, on_event=on_event, on_health=on_health)
        self._config, self._pins = config, pins
        self._step = 0
        self._set: int | None = None
        self._stale = False
        self._headphones: bool | None = None
        self._contact: Input | None = None
        self._wake = threading.Event()

    @property
    def steps(self) -> int:
        """See `Speaker.steps`."""
        return self._config.steps

    def volume(self, step: int) -> None:
        """See `Speaker.volume`."""
        if not 0 <= step <= self.steps:
            raise ValueError(f"volume step is {step}; use 0-{self.steps}")
        self._step = step
        self._wake.set()

    def reset(self) -> None:
        """See `Speaker.reset`."""
        # Also when nobody changed it here: another program, or a pulled card, may have.
        self._stale = True
        self.volume(0)

    def headphones(self) -> bool | None:
        """See `Speaker.headphones`."""
        return self._headphones

    def _interrupt(self) -> None:
        self._wake.set()

    def _run(self) -> None:
        asks = bool(self._config.jack) or self._config.jack_pin is not None
        while not self._stop.is_set():
            self._wake.clear()
            works = self._set_volume() and self._look_at_jack()
            # Nothing has to be asked again while all is well and there is no contact to ask.
            self._wake.wait(self._config.poll_s if asks or not works else None)
        if self._contact is not None:
            self._contact.close()

    def _set_volume(self) -> bool:
        if self._step == self._set and not self._stale:
            return True
        step, self._stale = self._step, False
        db = self._config.normal_db + self._config.louder_db * step / self.steps
        status, said = _mixer(self._config, "sset", self._config.control, "--", f"{db:.2f}dB", "unmute")
        if status:
            self._failed(said, self._config.control)
            return False
        self._set = step
        self._health.set("hal.ok")
        return True

    def _failed(self, said: str, control: str) -> None:
        # The next success sets the volume anew: the card may have been another one meanwhile.
        self._set = None
        if "simple control" in said or "Cannot find the given element" in said:
            self._health.set("speaker.no_control", control=control)
        else:
            last = next((line for line in reversed(said.splitlines()) if line.strip()), "?")
            self._health.set("speaker.no_mixer", error=last.strip()[:200])

    def _look_at_jack(self) -> bool:
        if self._config.jack_pin is not None:
            return self._look_at_pin(self._config.jack_pin)
        if not self._config.jack:
            return True
        status, said = _mixer(self._config, "cget", f"iface=CARD,name='{self._config.jack}'")
        value = re.search(r": values=(on|off)", said)
        if status or value is None:
            self._failed(said, self._config.jack)
            return False
        self._tell(value[1] == "on")
        return True

    def _look_at_pin(self, pin: int) -> bool:
        try:
            if self._contact is None:
                self._contact = Input(self._pins.factory(), pin, lambda _at_s, _closed: self._wake.set())
        except GpioError as error:
            self._health.set("gpio.failed", error=str(error))
            self._set = None
            return False
        self._tell(self._contact.closed == (self._config.jack_plugged == "closed"))
        return True

    def _tell(self, plugged: bool) -> None:
        if plugged == self._headphones or self._stop.is_set():
            return
        first, self._headphones = self._headphones is None, plugged
        if plugged or not first:
            self._emit(HeadphonesChanged(plugged))
