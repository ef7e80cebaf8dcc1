"""Every reason a peripheral can give for its health, in one place, with the next step and what it means."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

import msgspec
import structlog

State = Literal["ok", "degraded", "down", "unknown"]

log = structlog.get_logger("hal")


class Health(msgspec.Struct, frozen=True):
    """State of one peripheral.

    `reason` and `next_step` are message ids (all of them in `REASONS`), translated elsewhere with `args`;
    `since_ms` is Unix time in milliseconds when this reason began.
    """

    state: State
    reason: str
    next_step: str
    since_ms: int
    args: dict[str, str] = {}


class Reason(msgspec.Struct, frozen=True):
    """One row of the list: state that follows, id of the next step, English meaning, names of the arguments."""

    state: State
    next_step: str
    meaning: str
    args: tuple[str, ...] = ()


NEXT_STEPS: dict[str, str] = {
    "next.nothing": "Nothing to do.",
    "next.wait": "Wait; the device tries again by itself.",
    "next.check_cable": "Check that the device has power and its cable is plugged in at both ends.",
    "next.check_network": "Check that the device has power and network, and that its address is the configured one.",
    "next.free_port": "Stop the other program that holds the port, or give the service user the right to open it.",
    "next.check_profile": "Compare port, speed and profile in the configuration with the device; try `nw-hal probe`.",
    "next.swap_ports": "Exchange the plugs, or correct port and `expect` in the configuration; see `nw-hal probe`.",
    "next.load_paper": "Load a new roll of paper.",
    "next.order_paper": "Have a new roll at hand; this one ends soon.",
    "next.load_sheets": "Load A4 paper.",
    "next.order_toner": "Have a new toner cartridge at hand.",
    "next.change_toner": "Change the toner cartridge.",
    "next.clear_jam": "Open the printer, remove the jammed paper, close it.",
    "next.empty_tray": "Empty the output tray.",
    "next.enable_queue": "Find out why the queue was stopped, then run cupsenable.",
    "next.check_cups": "Check that CUPS runs and that the configuration names its server and queue.",
    "next.close_cover": "Close the printer's cover until it clicks.",
    "next.clear_cutter": "Switch the printer off, remove the jammed paper from the cutter, switch it on.",
    "next.let_cool": "Let the print head cool; printing goes on by itself.",
    "next.power_cycle": "Switch the device off and on again.",
    "next.call_service": "Ask the supplier to repair or exchange the device.",
    "next.free_button": "Free the stuck button, or unplug and check its wire.",
    "next.look_at_box": "Look at the button box and close it; ask who opened it.",
    "next.replace_button": "Exchange the button or its wire; its contact bounces too much.",
    "next.check_gpio": "Check that the GPIO chip exists and that the service user may open it.",
    "next.start_pcscd": "Start the smart-card service: systemctl start pcscd.socket.",
    "next.install_package": "Install the Debian package that is named, then start the program again.",
    "next.license_reader": "Ask the supplier to license the reader's security module.",
    "next.check_mains": "Check the mains: fuse, plug, the hall's power.",
    "next.replace_battery": "Have the UPS's battery exchanged.",
    "next.unload_ups": "Connect nothing but the device to the UPS.",
    "next.check_ups": "Check that the UPS is switched on and its data cable is plugged in.",
    "next.start_upsd": "Start nut-server where the UPS is connected; compare host and port with the configuration.",
    "next.check_upsd": "Compare the UPS's name with `upsc -l`, and upsd's rights.",
    "next.grant_poweroff": "Give the service user the right to power off (docs/device.md).",
    "next.check_supply": "Use the board's own power supply and a short, thick cable.",
    "next.close_door": "Close and lock the cabinet; ask who opened it.",
    "next.look_at_cabinet": "Look at the cabinet, its loop and sensor, and at who works there.",
    "next.warm": "Check the cabinet's heating and its seals.",
    "next.check_sensor": "Check the sensor's wire, and that its kernel driver is loaded (docs/hardware.md).",
    "next.cool": "Check ventilation and dust.",
    "next.replace_storage": "Replace the storage soon; what is in custody at the fleet is safe.",
    "next.replace_clock_battery": "Fit or change the clock's battery; until then the time comes from the fleet.",
    "next.check_panel": "Check the panel's cable, and that the service user may write its brightness.",
    "next.check_sound": "Check the sound card, its name and controls with `aplay -l` and `amixer`.",
    "next.install_voice": "Install the program and its model, or correct the command.",
}

REASONS: dict[str, Reason] = {
    "hal.ok": Reason("ok", "next.nothing", "Works."),
    "hal.starting": Reason("unknown", "next.wait", "Not heard from yet."),
    "hal.stopped": Reason("unknown", "next.nothing", "Stopped by the program."),
    "hal.driver_failed": Reason("down", "next.power_cycle", "The driver met an error it does not know.", ("error",)),
    "port.missing": Reason("down", "next.check_cable", "The port does not exist.", ("port",)),
    "port.refused": Reason("down", "next.check_network", "The address refuses the connection.", ("port",)),
    "port.unreachable": Reason("down", "next.check_network", "Nothing answers at the address.", ("port",)),
    "port.busy": Reason("down", "next.free_port", "The port is held by another program.", ("port",)),
    "port.denied": Reason("down", "next.free_port", "The port may not be opened by this user.", ("port",)),
    "port.failed": Reason("down", "next.check_cable", "The port cannot be opened or broke.", ("port", "error")),
    "port.silent": Reason("down", "next.check_cable", "Nothing answers on the port.", ("port",)),
    "port.not_found": Reason("down", "next.check_cable", "No port has this device on it.", ("expected", "looked")),
    "hal.wrong_device": Reason("down", "next.swap_ports", "Another device answers on the port.", ("port", "expected", "found")),
    "hal.not_installed": Reason("down", "next.install_package", "A program or library is missing.", ("package",)),
    "gpio.failed": Reason("down", "next.check_gpio", "The GPIO pins cannot be opened.", ("error",)),
    "buttons.stuck": Reason("degraded", "next.free_button", "A button has been pressed for too long.", ("button",)),
    "buttons.box_full": Reason("degraded", "next.check_cable", "The button box is full; presses were refused.", ("lost",)),
    "buttons.box_memory": Reason("degraded", "next.call_service", "The button box's memory fails."),
    "buttons.box_opened": Reason("degraded", "next.look_at_box", "The button box has been opened."),
    "link.version": Reason("down", "next.call_service", "Both ends speak no version in common.", ("port", "ours", "theirs")),
    "buttons.chattering": Reason("degraded", "next.replace_button", "A button's contact chatters.", ("button",)),
    "door.open": Reason("degraded", "next.close_door", "The cabinet's door is open."),
    "tamper.told": Reason("degraded", "next.look_at_cabinet", "The tamper contact tells of work on the cabinet."),
    "temperature.high": Reason("degraded", "next.cool", "It is too hot inside the cabinet.", ("celsius",)),
    "temperature.low": Reason("degraded", "next.warm", "It is too cold inside the cabinet.", ("celsius",)),
    "temperature.silent": Reason("down", "next.check_sensor", "The temperature sensor gives no reading.", ("error",)),
    "printer.paper_near_end": Reason("degraded", "next.order_paper", "The roll ends soon."),
    "printer.paper_out": Reason("down", "next.load_paper", "Out of paper."),
    "printer.cover_open": Reason("down", "next.close_cover", "The cover is open."),
    "printer.cutter_jam": Reason("down", "next.clear_cutter", "The cutter is jammed."),
    "printer.head_hot": Reason("down", "next.let_cool", "The print head is too hot."),
    "printer.mechanical": Reason("down", "next.power_cycle", "A mechanical error."),
    "printer.unrecoverable": Reason("down", "next.call_service", "An error that the printer cannot recover from."),
    "printer.offline": Reason("down", "next.power_cycle", "The printer says it is offline, without a cause."),
    "printer.silent": Reason("down", "next.check_cable", "The printer does not answer."),
    "printer.no_status": Reason("degraded", "next.nothing", "This model never tells its status (profile)."),
    "a4.paper_low": Reason("degraded", "next.order_paper", "The A4 printer's paper ends soon."),
    "a4.toner_low": Reason("degraded", "next.order_toner", "The A4 printer's toner ends soon."),
    "a4.paper_out": Reason("down", "next.load_sheets", "The A4 printer is out of paper."),
    "a4.toner_out": Reason("down", "next.change_toner", "The A4 printer is out of toner."),
    "a4.jam": Reason("down", "next.clear_jam", "Paper is jammed in the A4 printer."),
    "a4.door_open": Reason("down", "next.close_cover", "A door or tray of the A4 printer is open."),
    "a4.full_tray": Reason("down", "next.empty_tray", "The A4 printer's output tray is full."),
    "a4.offline": Reason("down", "next.check_cable", "The A4 printer cannot be reached."),
    "a4.paused": Reason("down", "next.enable_queue", "The print queue is stopped."),
    "a4.fault": Reason("down", "next.power_cycle", "The A4 printer has a fault."),
    "a4.no_cups": Reason("down", "next.check_cups", "CUPS does not answer.", ("server",)),
    "a4.no_queue": Reason("down", "next.check_cups", "CUPS has no such print queue.", ("queue",)),
    "a4.refused": Reason("degraded", "next.check_cups", "CUPS refuses a request.", ("error",)),
    "id_card.silent": Reason("down", "next.check_cable", "The reader does not answer."),
    "id_card.garbled": Reason("degraded", "next.check_profile", "The reader's answers arrive damaged."),
    "id_card.not_licensed": Reason("down", "next.license_reader", "The reader's security module is not licensed."),
    "id_card.self_test": Reason("down", "next.call_service", "The reader failed its self-test.", ("code",)),
    "id_card.refused": Reason("degraded", "next.check_profile", "The reader refuses a command.", ("code",)),
    "scanner.silent": Reason("down", "next.check_cable", "The scanner does not answer."),
    "scanner.refused": Reason("degraded", "next.check_profile", "The scanner refuses a command."),
    "smart_card.no_service": Reason("down", "next.start_pcscd", "The smart-card service pcscd does not run."),
    "smart_card.no_reader": Reason("down", "next.check_cable", "No such smart-card reader.", ("expected", "found")),
    "camera.failed": Reason("down", "next.check_cable", "The camera gives no pictures.", ("error",)),
    "ups.on_battery": Reason("degraded", "next.check_mains", "The mains are out; the device runs on the UPS's battery."),
    "ups.battery_low": Reason("down", "next.check_mains", "The UPS's battery is nearly empty; the device shuts down."),
    "ups.weak": Reason(
        "degraded", "next.wait", "The mains are there, the battery is nearly empty; a power cut now would end the device."
    ),
    "ups.calibrating": Reason("ok", "next.wait", "The UPS tests its battery by emptying it; the mains are there."),
    "ups.replace_battery": Reason("degraded", "next.replace_battery", "The UPS asks for a new battery."),
    "ups.overload": Reason("degraded", "next.unload_ups", "The UPS has to feed more than it can."),
    "ups.bypass": Reason("degraded", "next.check_ups", "The UPS passes the mains through; a power cut would not be bridged."),
    "ups.off": Reason("degraded", "next.check_ups", "The UPS is switched off."),
    "ups.no_data": Reason("degraded", "next.check_ups", "upsd has no word of the UPS."),
    "ups.unreachable": Reason("degraded", "next.start_upsd", "upsd does not answer.", ("place",)),
    "ups.unknown_name": Reason(
        "degraded",
        "next.check_upsd",
        "upsd knows no UPS of that name.",
        (
            "ups",
            "known",
        ),
    ),
    "ups.refused": Reason("degraded", "next.check_upsd", "upsd refuses the question.", ("code",)),
    "ups.garbled": Reason(
        "degraded", "next.check_upsd", "What answers is no upsd, or its answers are for another UPS.", ("place",)
    ),
    "ups.shutdown_failed": Reason("down", "next.grant_poweroff", "The device may not switch itself off.", ("error",)),
    "board.under_voltage": Reason(
        "degraded", "next.check_supply", "The supply voltage is too low, or was within the last ten minutes."
    ),
    "board.under_voltage_before": Reason(
        "degraded", "next.check_supply", "The supply voltage has been too low since the device was switched on."
    ),
    "board.throttled": Reason("degraded", "next.cool", "The processor is slowed down because it is too hot.", ("temperature",)),
    "board.storage_errors": Reason(
        "degraded", "next.replace_storage", "The file system on this storage has met errors.", ("device",)
    ),
    "board.storage_worn": Reason(
        "degraded",
        "next.replace_storage",
        "So much of the storage's rated life is used up (percent).",
        (
            "device",
            "used",
        ),
    ),
    "board.memory_low": Reason("degraded", "next.power_cycle", "Hardly any memory is free."),
    "board.no_clock": Reason(
        "degraded", "next.replace_clock_battery", "The clock with a battery that the board should have is not there."
    ),
    "board.clock_unset": Reason(
        "degraded", "next.replace_clock_battery", "The clock with a battery was never set, or its battery is empty."
    ),
    "board.power_cut": Reason(
        "degraded", "next.check_mains", "The last run ended without a shutdown; told for a day, with the count of all.", ("count",)
    ),
    "backlight.missing": Reason("down", "next.check_panel", "The panel's brightness cannot be found.", ("place",)),
    "backlight.denied": Reason(
        "down",
        "next.check_panel",
        "The panel's brightness cannot be set.",
        (
            "place",
            "error",
        ),
    ),
    "speaker.no_mixer": Reason("down", "next.check_sound", "ALSA's mixer does not answer.", ("error",)),
    "speaker.no_control": Reason("down", "next.check_sound", "The sound card has no control of that name.", ("control",)),
    "speech.no_voice": Reason(
        "down",
        "next.install_voice",
        "The program that speaks this language is not installed.",
        (
            "command",
            "language",
        ),
    ),
    "speech.failed": Reason(
        "degraded",
        "next.install_voice",
        "The program that speaks this language ends with an error.",
        (
            "command",
            "language",
            "status",
        ),
    ),
    "speech.no_sound": Reason("down", "next.check_sound", "Nothing can be played.", ("error",)),
}


class HealthRecord:
    """Health of one peripheral as its driver knows it; tells `on_change(name, health)` when the reason changes.

    Thread-safe. `clock` gives Unix time in milliseconds.
    """

    def __init__(
        self,
        name: str,
        on_change: Callable[[str, Health], None],
        *,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._name = name
        self._on_change = on_change
        self._clock = clock
        self._lock = threading.Lock()
        self._health = self._made("hal.starting", {})

    def _made(self, reason: str, args: dict[str, str]) -> Health:
        row = REASONS[reason]
        return Health(row.state, reason, row.next_step, self._clock(), args)

    @property
    def name(self) -> str:
        """The peripheral's name."""
        return self._name

    def get(self) -> Health:
        """The present health."""
        with self._lock:
            return self._health

    def set(self, reason: str, **args: str) -> None:
        """Record `reason` (a key of `REASONS`); the same reason with the same arguments keeps its `since_ms`."""
        with self._lock:
            if self._health.reason == reason and self._health.args == args:
                return
            self._health = health = self._made(reason, args)
        try:
            self._on_change(self._name, health)
        except Exception:
            # A listener's mistake must not kill the thread that talks to the hardware.
            log.exception("health listener failed", peripheral=self._name, reason=reason)
