"""From configuration to live peripherals: the one place that knows which driver serves which Protocol."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from hal.api import Buttons, Door, EventListener, Health, HealthListener, IdCardReader, Peripheral, ReceiptPrinter
from hal.config import ConfigError, HalConfig, check, named_pins
from hal.paper import Rasterise

MIN_KEY_BYTES = 32


class Hal:
    """The peripherals of one device; an attribute is None where the configuration says `driver = "none"`."""

    def __init__(
        self,
        *,
        buttons: Buttons | None,
        printer: ReceiptPrinter | None,
        id_card: IdCardReader | None,
        door: Door | None,
        close_pins: Callable[[], None] | None = None,
    ) -> None:
        self.buttons = buttons
        self.printer = printer
        self.id_card = id_card
        self.door = door
        self._close_pins = close_pins

    def peripherals(self) -> list[Peripheral]:
        """All that are configured."""
        every: tuple[Peripheral | None, ...] = (self.buttons, self.printer, self.id_card, self.door)
        return [one for one in every if one is not None]

    def start(self) -> None:
        """Start every peripheral; returns at once. One that is missing reports it as health and is tried for ever."""
        for one in self.peripherals():
            one.start()

    def health(self) -> dict[str, Health]:
        """Health of every configured peripheral by name."""
        return {one.name: one.health() for one in self.peripherals()}

    def close(self) -> None:
        """Stop every peripheral and let pins and ports go; at most two seconds a peripheral."""
        for one in self.peripherals():
            one.close()
        if self._close_pins is not None:
            self._close_pins()


def open_hal(
    config: HalConfig,
    *,
    on_event: EventListener,
    on_health: HealthListener,
    rasterise: Rasterise | None = None,
) -> Hal:
    """Build the peripherals that `config` names, not yet started.

    `on_event(name, event)` and `on_health(name, health)` are called on hal threads after `Hal.start`. `rasterise` draws
    receipt lines that the printer's own font lacks; without it a job with such a line is not printed (`job.no_font`).

    Raises:
        ConfigError: the configuration contradicts itself, or the key file is missing or too short. A device that is
            merely absent raises nothing.
    """
    problems = check(config)
    if problems:
        raise ConfigError(problems)
    # Each driver's libraries are loaded only where it is configured: a device without pins needs no gpiozero.
    buttons: Buttons | None = None
    printer: ReceiptPrinter | None = None
    id_card: IdCardReader | None = None
    door: Door | None = None
    close_pins: Callable[[], None] | None = None
    if "gpio" in (config.buttons.driver, config.door.driver):
        from hal.drivers.gpio import GpioPins
        from hal.drivers.gpio_buttons import GpioButtons
        from hal.drivers.gpio_door import GpioDoor

        pins = GpioPins(config.gpio, named_pins(config))
        close_pins = pins.close
        if config.buttons.driver == "gpio":
            buttons = GpioButtons(config.buttons, pins, on_event=on_event, on_health=on_health)
        if config.door.driver == "gpio":
            door = GpioDoor(config.door, pins, on_event=on_event, on_health=on_health)
    if config.printer.driver == "escpos_serial":
        from hal.drivers.escpos_printer import EscposPrinter

        printer = EscposPrinter(config.printer, rasterise=rasterise, on_health=on_health)
    if config.id_card.driver == "samv_serial":
        from hal.drivers.samv_reader import SamvReader

        key = _reference_key(config.id_card.reference_key_file)
        id_card = SamvReader(config.id_card, key=key, on_event=on_event, on_health=on_health)
    return Hal(buttons=buttons, printer=printer, id_card=id_card, door=door, close_pins=close_pins)


def _reference_key(path: str) -> bytes:
    if not path:
        return secrets.token_bytes(MIN_KEY_BYTES)
    place = f"hal.id_card.reference_key_file: {path}"
    try:
        key = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError([f"{place} cannot be read ({error.strerror}); create it with 32 random bytes"]) from error
    if len(key) < MIN_KEY_BYTES:
        raise ConfigError([f"{place} has {len(key)} bytes; it needs {MIN_KEY_BYTES} or more random bytes"])
    return key
