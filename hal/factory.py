"""From configuration to live peripherals, by the registry: no driver is named here, and none is ever replaced by another."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

import structlog

from hal import registry
from hal.api import Buttons, Door, EventListener, Health, HealthListener, IdCardReader, Peripheral, Rasterise, ReceiptPrinter
from hal.config import ConfigError, HalConfig, check
from hal.drivers.gpio import GpioPins
from hal.ports import Ports
from hal.tools import Tools

log = structlog.get_logger("hal")


class Hal:
    """The peripherals of one device, by section name and by kind."""

    def __init__(self, peripherals: dict[str, Peripheral], pins: GpioPins) -> None:
        self._peripherals = peripherals
        self._pins = pins

    def peripherals(self) -> list[Peripheral]:
        """All that are configured, in the order of the configuration."""
        return list(self._peripherals.values())

    def named(self, name: str) -> Peripheral | None:
        """The peripheral of that section."""
        return self._peripherals.get(name)

    def every(self, kind: str) -> list[Peripheral]:
        """All of one kind, in the order of the configuration."""
        return [one for name, one in self._peripherals.items() if registry.kind_of(name) == kind]

    def _first(self, kind: str) -> Peripheral | None:
        return next(iter(self.every(kind)), None)

    @property
    def buttons(self) -> Buttons | None:
        """The first set of rating buttons."""
        return cast(Buttons | None, self._first("buttons"))

    @property
    def printer(self) -> ReceiptPrinter | None:
        """The first receipt printer."""
        return cast(ReceiptPrinter | None, self._first("printer"))

    @property
    def id_card(self) -> IdCardReader | None:
        """The first identity-card reader."""
        return cast(IdCardReader | None, self._first("id_card"))

    @property
    def door(self) -> Door | None:
        """The first door."""
        return cast(Door | None, self._first("door"))

    def start(self) -> None:
        """Start every peripheral; returns at once. One that is missing reports it as health and is tried for ever."""
        for one in self.peripherals():
            one.start()

    def health(self) -> dict[str, Health]:
        """Health of every configured peripheral by name."""
        return {one.name: one.health() for one in self.peripherals()}

    def close(self) -> None:
        """Stop every peripheral and let pins and ports go; at most two seconds, because all are stopped at once.

        One after the other, a few that hang would use up the time that a service has to end, and with it the journal's.
        """
        stopping = [threading.Thread(target=_close, args=(one,), name=f"hal-close-{one.name}") for one in self.peripherals()]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        self._pins.close()


def _close(one: Peripheral) -> None:
    try:
        one.close()
    except Exception:
        # One driver's mistake must not keep the others' ports.
        log.exception("a peripheral could not be stopped", peripheral=one.name)


def open_hal(
    config: HalConfig,
    *,
    on_event: EventListener,
    on_health: HealthListener,
    rasterise: Rasterise | None = None,
    state_dir: Path | None = None,
) -> Hal:
    """Build the peripherals that `config` names, not yet started.

    `on_event(name, event)` and `on_health(name, health)` are called on hal threads after `Hal.start`. `rasterise` draws
    receipt lines that the printer's own font lacks; without it a job with such a line is not printed (`job.no_font`).
    `state_dir` is a folder, made when needed, for what drivers must still know after a restart: which jobs went out, and how
    much of the roll was used. Without it nothing outlives the program.

    Raises:
        ConfigError: the configuration contradicts itself, or a file that it names cannot be used. A device that is merely
            absent raises nothing.
    """
    problems = check(config)
    if problems:
        raise ConfigError(problems)
    pins = GpioPins(config.gpio, config.pins())
    tools = Tools(on_event=on_event, on_health=on_health, pins=pins, ports=Ports(config), rasterise=rasterise, state_dir=state_dir)
    made = {one.name: one.module.open_driver(one.name, one.settings, tools) for one in config.sections}
    return Hal(made, pins)
